//! Streams of requests: cut anywhere, refused in the middle, drained.

use super::*;
use crate::testing::export;

/// Events without borrowed data; pieces of one WRITE are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Request(Request),
    Written(u64, u64, Vec<u8>),
    Refused(u64, Errno),
    Disconnect,
    Broken,
}

fn agreed() -> Agreed {
    Agreed {
        export: export("data"),
        structured: true,
        allocation: true,
    }
}

fn run(transmission: &mut Transmission, input: &[u8], piece_len: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let (mut used, mut end) = (0, 0);
    let mut open: Option<(u64, Vec<u8>)> = None;
    loop {
        let peeked = transmission.peek(&input[used..end]);
        let (taken, event) = transmission.advance(&input[used..end]);
        used += taken;
        if let Some((_, command)) = peeked {
            assert!(matches!(event, Event::Request(request) if request.command == command));
        }
        match event {
            Event::More if end == input.len() => return seen,
            Event::More => end = (end + piece_len).min(input.len()),
            Event::Request(request) => seen.push(Seen::Request(request)),
            Event::Piece {
                cookie,
                offset,
                data,
                last,
            } => {
                let (start, mut joined) = open.take().unwrap_or((offset, Vec::new()));
                assert_eq!(start + joined.len() as u64, offset);
                joined.extend_from_slice(data);
                match last {
                    true => seen.push(Seen::Written(cookie, start, joined)),
                    false => open = Some((start, joined)),
                }
            }
            Event::Refused(refused) => seen.push(Seen::Refused(refused.cookie, refused.errno)),
            Event::Disconnect => {
                seen.push(Seen::Disconnect);
                return seen;
            }
            Event::Broken(_) => {
                seen.push(Seen::Broken);
                return seen;
            }
        }
    }
}

fn put(out: &mut Vec<u8>, cookie: u64, command: Command) -> Request {
    let request = Request { cookie, command };
    request.put(out);
    request
}

fn write(offset: u64, len: u32) -> Command {
    let fua = offset == 0;
    Command::Write { offset, len, fua }
}

/// A stream with everything in it, and what is to be seen of it.
fn mixed() -> (Vec<u8>, Vec<Seen>) {
    let mut bytes = Vec::new();
    let mut seen = Vec::new();
    let first = put(&mut bytes, 1, write(0, 3000));
    let data: Vec<u8> = (0..3000).map(|i| (i % 251) as u8).collect();
    bytes.extend_from_slice(&data);
    seen.push(Seen::Request(first));
    seen.push(Seen::Written(1, 0, data));
    seen.push(Seen::Request(put(&mut bytes, 2, Command::Flush)));
    put(&mut bytes, 3, write(1 << 20, 500));
    // Data that looks like a request must be passed over.
    let mut tricky = Vec::new();
    for cookie in 0..20 {
        put(&mut tricky, cookie, Command::Flush);
    }
    bytes.extend_from_slice(&tricky[..500]);
    seen.push(Seen::Refused(3, Errno::NoSpc));
    let empty = put(&mut bytes, 4, write(512, 0));
    seen.push(Seen::Request(empty));
    seen.push(Seen::Written(4, 512, vec![]));
    let zeroes = Command::WriteZeroes {
        offset: 0,
        len: 1 << 20,
        fua: true,
        no_hole: true,
        fast: false,
    };
    seen.push(Seen::Request(put(&mut bytes, 5, zeroes)));
    bytes.extend_from_slice(b"\x25\x60\x95\x13\0\0\0\x02");
    bytes.extend_from_slice(&[0; 20]);
    seen.push(Seen::Disconnect);
    (bytes, seen)
}

#[test]
fn pieces_do_not_matter() {
    let (bytes, seen) = mixed();
    for piece_len in (1..200).chain([4096, bytes.len()]) {
        let mut transmission = Transmission::new(&agreed());
        assert_eq!(run(&mut transmission, &bytes, piece_len), seen);
    }
}

#[test]
fn a_write_in_the_middle_survives_the_drain_and_nothing_else() {
    let mut transmission = Transmission::new(&agreed());
    let mut bytes = Vec::new();
    put(&mut bytes, 1, write(0, 10));
    bytes.extend_from_slice(b"01234");
    let begun = run(&mut transmission, &bytes, 1000);
    assert_eq!(begun.len(), 1);
    assert!(!transmission.is_between_requests());
    transmission.drain();
    let mut rest = b"56789".to_vec();
    put(&mut rest, 2, Command::Flush);
    put(&mut rest, 3, write(0, 3));
    rest.extend_from_slice(b"abc");
    put(&mut rest, 4, Command::Flush);
    let seen = run(&mut transmission, &rest, 1000);
    assert_eq!(seen[0], Seen::Written(1, 5, b"56789".to_vec()));
    let shut = |cookie| Seen::Refused(cookie, Errno::Shutdown);
    assert_eq!(seen[1..], [shut(2), shut(3), shut(4)]);
    assert!(transmission.is_between_requests());
}

#[test]
fn a_stream_that_is_lost_is_closed() {
    let mut transmission = Transmission::new(&agreed());
    assert_eq!(
        run(&mut transmission, b"\x25\x60\x95\x12", 1),
        [Seen::Broken]
    );
}

#[test]
fn a_resized_export_is_believed_at_once() {
    let mut transmission = Transmission::new(&agreed());
    transmission.resize(2 << 20);
    let mut bytes = Vec::new();
    let trim = Command::Trim {
        offset: 1 << 20,
        len: 512,
        fua: false,
    };
    let request = put(&mut bytes, 1, trim);
    assert_eq!(run(&mut transmission, &bytes, 9), [Seen::Request(request)]);
}

#[test]
fn a_request_is_told_with_its_length_before_it_is_taken() {
    let mut transmission = Transmission::new(&agreed());
    let mut bytes = Vec::new();
    let request = put(&mut bytes, 1, write(0, 10));
    assert_eq!(transmission.peek(&bytes[..27]), None);
    assert_eq!(transmission.peek(&bytes), Some((38, request.command)));
    transmission.drain();
    assert_eq!(transmission.peek(&bytes), None);
}
