//! Tests of the ages in CLOSE_WAIT.

use std::net::Ipv4Addr;

use super::*;

fn peer(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(127, 1, 2, 3), port)
}

#[test]
fn a_socket_is_as_old_as_the_looks_that_found_it() {
    let mut waits = CloseWaits::default();
    waits.look(100, &[peer(1), peer(2)]);
    assert_eq!((waits.peak, waits.oldest_ns), (2, 0));
    waits.look(200, &[peer(2), peer(3), peer(4)]);
    assert_eq!((waits.peak, waits.oldest_ns), (3, 100));
    waits.look(300, &[peer(2)]);
    assert_eq!((waits.peak, waits.oldest_ns), (3, 200));
}

#[test]
fn one_that_was_gone_begins_anew() {
    let mut waits = CloseWaits::default();
    waits.look(100, &[peer(1)]);
    waits.look(200, &[]);
    waits.look(1_000, &[peer(1)]);
    assert_eq!((waits.peak, waits.oldest_ns), (1, 0));
}
