//! What the flags of a connection say after reads and writes on real sockets.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use base::Timestamp;
use gateway::EntrantId;

use super::{Connection, Place, Socket, Stream};

fn pair() -> (Connection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket can be set so");
    let stream = Stream::Plain(Socket::from(OwnedFd::from(ours)));
    let place = Place::Door(EntrantId::default());
    (Connection::new(stream, place, 1), theirs)
}

#[test]
fn a_connection_is_small() {
    let len = size_of::<Option<Connection>>();
    assert!(len <= 64, "{len} bytes, as a slab keeps it");
}

#[test]
fn the_earliest_alarm_is_the_one_that_counts() {
    let (mut connection, _peer) = pair();
    let at = |ms: u64| Timestamp::from_nanos(1_795_000_000_000_000_000 + ms * 1_000_000);
    assert_eq!(connection.set_alarm(), None, "without a deadline");
    connection.set_deadline(at(20_000));
    assert_eq!(connection.set_alarm(), Some(at(20_000)));
    connection.set_deadline(at(30_000));
    assert_eq!(connection.set_alarm(), None, "it is looked at before");
    connection.set_deadline(at(1_000));
    assert_eq!(connection.set_alarm(), Some(at(1_000)));
    assert!(connection.take_alarm(at(1_000)));
    assert!(!connection.take_alarm(at(20_000)), "its place was taken");
    connection.set_deadline(at(40_000));
    assert_eq!(connection.set_alarm(), Some(at(40_000)));
    // Ticks begin anew every seven weeks.
    let last = Timestamp::from_nanos((1 << 52) * 400 - 1);
    let (mut connection, _peer) = pair();
    connection.set_deadline(last + std::time::Duration::from_secs(30));
    assert!(connection.set_alarm().is_some());
    connection.set_deadline(last);
    assert!(connection.set_alarm().is_some(), "earlier all the same");
}

#[test]
fn a_short_read_has_emptied_the_socket() {
    let (mut connection, mut peer) = pair();
    peer.write_all(b"abc").unwrap();
    let mut bytes = [0; 8];
    assert_eq!(connection.read(&mut bytes).unwrap(), 3);
    assert!(!connection.readable && !connection.at_end);
}

#[test]
fn a_full_read_may_have_left_something() {
    let (mut connection, mut peer) = pair();
    peer.write_all(b"abcdefgh").unwrap();
    let mut bytes = [0; 8];
    assert_eq!(connection.read(&mut bytes).unwrap(), 8);
    assert!(connection.readable);
    assert_eq!(connection.read(&mut bytes).unwrap(), 0);
    assert!(!connection.readable && !connection.at_end);
}

#[test]
fn a_short_read_before_a_known_end_goes_on_to_the_end() {
    let (mut connection, mut peer) = pair();
    peer.write_all(b"abc").unwrap();
    drop(peer);
    connection.peer_closed = true;
    let mut bytes = [0; 8];
    assert_eq!(connection.read(&mut bytes).unwrap(), 3);
    assert!(connection.readable && !connection.at_end);
    assert_eq!(connection.read(&mut bytes).unwrap(), 0);
    assert!(connection.at_end && !connection.readable);
}

#[test]
fn a_peer_that_does_not_read_ends_the_room_for_output() {
    let (mut connection, mut peer) = pair();
    let bytes = vec![7; 1 << 20];
    let mut sent = 0;
    while connection.writable {
        sent += connection.write(&bytes).unwrap();
    }
    assert!(sent > 0 && sent < 64 << 20);
    assert_eq!(connection.write(&bytes).unwrap(), 0);
    let mut room = vec![0; sent];
    peer.read_exact(&mut room).unwrap();
    assert_eq!(connection.write(b"x").unwrap(), 1);
}

#[test]
fn a_write_to_one_that_has_gone_is_an_error_and_no_signal() {
    let (mut connection, peer) = pair();
    drop(peer);
    assert!(connection.write(b"x").is_err());
}
