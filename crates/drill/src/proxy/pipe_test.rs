//! Bytes keep their order, and wait until they are due.

use super::*;

/// A receiver that takes so many bytes and then none.
struct Narrow(Vec<u8>, usize);

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.1);
        if len == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.0.extend_from_slice(&bytes[..len]);
        self.1 -= len;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_goes_on_before_it_is_due_and_nothing_overtakes() {
    let mut pipe = Pipe::default();
    let mut scratch = [0; 4];
    let mut due = [30, 10].into_iter();
    let mut from: &[u8] = b"abcdefgh";
    pipe.fill(&mut from, &mut scratch, |_| due.next().unwrap_or(0))
        .unwrap();
    assert_eq!(pipe.next_due_ns(), Some(30));
    let mut to = Vec::new();
    pipe.drain(29, &mut to).unwrap();
    assert!(to.is_empty() && !pipe.is_done());
    pipe.drain(30, &mut to).unwrap();
    assert_eq!(to, b"abcdefgh");
    assert!(pipe.is_done());
}

#[test]
fn what_the_receiver_does_not_take_stays() {
    let mut pipe = Pipe::default();
    let mut from: &[u8] = b"abcdefgh";
    pipe.fill(&mut from, &mut [0; 16], |_| 0).unwrap();
    let mut to = Narrow(Vec::new(), 3);
    assert!(pipe.drain(0, &mut to).unwrap());
    to.1 = 100;
    assert!(!pipe.drain(0, &mut to).unwrap());
    assert_eq!(to.0, b"abcdefgh");
}

#[test]
fn it_holds_only_so_much() {
    let mut pipe = Pipe::default();
    let mut from = io::repeat(7);
    assert!(pipe.fill(&mut from, &mut [0; 4096], |_| 99).unwrap());
    assert!(!pipe.has_room());
    assert_eq!(pipe.queued, QUEUED_MAX);
    pipe.drain(99, &mut io::sink()).unwrap();
    assert!(pipe.has_room());
}
