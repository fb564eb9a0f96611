//! Tests that the kernel's figures are read from where they are.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use super::*;

#[test]
fn segments_are_counted_and_on_loopback_none_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    one.set_nodelay(true).unwrap();
    assert_eq!(segments(&one), Segments::default());
    for sent in 1..=5 {
        one.write_all(b"x").unwrap();
        other.read_exact(&mut [0]).unwrap();
        assert_eq!(segments(&one), Segments { sent, resent: 0 });
    }
    assert_eq!(segments(&other), Segments::default());
}

#[test]
fn what_is_no_tcp_socket_has_sent_none() {
    let (one, _other) = UnixStream::pair().unwrap();
    assert_eq!(segments(&one), Segments::default());
}
