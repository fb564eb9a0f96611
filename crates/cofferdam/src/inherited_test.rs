//! Which sockets fit which listener, and what is said of names that nobody serves.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use super::{Inherited, UNIX, names_of_manager};

fn tcp() -> (std::net::SocketAddr, OwnedFd) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener.into())
}

#[test]
fn a_predecessor_s_socket_is_taken_where_the_configuration_still_wants_it() {
    let (first, socket) = tcp();
    let (second, other) = tcp();
    let sockets = vec![("memcache".into(), socket), ("admin".into(), other)];
    let mut inherited = Inherited::of_predecessor(sockets);
    assert!(inherited.take_tcp("memcache_auth", first).is_none());
    assert!(inherited.take_tcp("memcache", first).is_some());
    assert!(inherited.take_tcp("memcache", first).is_none());
    // The configuration has another port now.
    let moved = std::net::SocketAddr::new(second.ip(), second.port() ^ 1);
    assert!(inherited.take_tcp("admin", moved).is_none());
}

#[test]
fn any_port_will_do_where_any_port_is_wanted() {
    let (address, socket) = tcp();
    let mut inherited = Inherited::of_predecessor(vec![("memcache".into(), socket)]);
    let any = std::net::SocketAddr::new(address.ip(), 0);
    assert!(inherited.take_tcp("memcache", any).is_some());
}

#[test]
fn a_unix_socket_is_known_by_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.sock");
    let socket = || UnixListener::bind(&path).unwrap().into();
    let mut inherited = Inherited::of_predecessor(vec![(UNIX.into(), socket())]);
    assert!(!inherited.keeps_unix_file());
    assert!(inherited.take_unix(UNIX, &path).is_some());
}

#[test]
fn names_must_be_known_single_and_as_many_as_sockets() {
    let names = names_of_manager("memcache_auth:memcache", 2).unwrap();
    assert_eq!(names, ["memcache_auth", "memcache"]);
    assert_eq!(names_of_manager("", 0), Ok(Vec::new()));
    for (names, count) in [
        ("unknown", 1),
        ("cofferdam.socket", 1),
        ("memcache", 2),
        ("", 1),
        ("memcache:memcache", 2),
        ("memcache", 1000),
    ] {
        let error = names_of_manager(names, count).unwrap_err();
        assert!(error.contains("LISTEN_FD"), "{error}");
    }
}
