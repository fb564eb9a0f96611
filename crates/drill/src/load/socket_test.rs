//! Tests of what counts as a connection that is made.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, socket};

use super::*;

#[test]
fn a_connection_to_itself_is_a_refused_one() {
    let own = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&own, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = SocketAddr::try_from(getsockname(&own).unwrap()).unwrap();
    connect(&own, &address).unwrap();
    let stream = std::net::TcpStream::from(own);
    stream.set_nonblocking(true).unwrap();
    let error = Socket::Tcp(TcpStream::from_std(stream))
        .is_connected()
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_connection_to_another_end_is_one() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let socket = Socket::Tcp(TcpStream::from_std(stream));
    assert!(socket.is_connected().unwrap());
}
