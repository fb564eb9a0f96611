//! Buffers, windows and ends of one direction.

use super::Pipe;

#[test]
fn bytes_pass_in_order_and_leave_no_memory() {
    let mut pipe = Pipe::default();
    assert_eq!(pipe.write(b"hello ", 100), 6);
    assert_eq!(pipe.send(100), 6);
    assert_eq!(pipe.write(b"world", 100), 5);
    assert_eq!(pipe.delivered(), b"");
    pipe.deliver(6);
    pipe.take(2);
    assert_eq!(pipe.delivered(), b"llo ");
    assert_eq!(pipe.send(100), 5);
    pipe.deliver(5);
    assert_eq!(pipe.delivered(), b"llo world");
    pipe.take(9);
    assert_eq!(pipe.bytes.capacity(), 0);
}

#[test]
fn a_receiver_that_takes_nothing_blocks_the_sender() {
    let mut pipe = Pipe::default();
    assert_eq!(pipe.write(&[b'x'; 50], 30), 30);
    assert_eq!(pipe.send(20), 20);
    pipe.deliver(20);
    assert_eq!(pipe.send(20), 0);
    assert!(pipe.has_unsent());
    // What was delivered makes room in the sender's buffer, though not in the window.
    assert_eq!(pipe.write(&[b'y'; 50], 30), 20);
    pipe.take(15);
    assert_eq!(pipe.send(20), 15);
}

#[test]
fn the_end_follows_the_last_byte() {
    let mut pipe = Pipe::default();
    pipe.write(b"abc", 100);
    pipe.send(2);
    pipe.close();
    assert!(!pipe.send_fin());
    pipe.deliver(2);
    pipe.take(2);
    assert_eq!(pipe.send(2), 1);
    assert!(pipe.send_fin());
    assert!(!pipe.send_fin());
    pipe.deliver(1);
    pipe.deliver_fin();
    assert!(!pipe.is_at_end());
    pipe.take(1);
    assert!(pipe.is_at_end());
}
