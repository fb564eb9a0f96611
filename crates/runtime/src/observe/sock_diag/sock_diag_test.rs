//! The kernel's own answers about sockets that the test makes.

use std::net::{Shutdown, TcpListener, TcpStream};

use super::*;

fn dump(query: Query<'_>) -> Vec<TcpSocket> {
    let mut found = Vec::new();
    let mut diag = SockDiag::open().unwrap();
    diag.dump(query, &mut |socket| found.push(socket), &mut || {})
        .unwrap();
    found
}

fn until_seen(query: Query<'_>) -> TcpSocket {
    // What another end has closed is seen as soon as the kernel has passed it on.
    (0..1000)
        .find_map(|_| dump(query).into_iter().next())
        .expect("a socket in this state")
}

#[test]
fn a_queue_that_nobody_accepts_from() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let _clients = [
        TcpStream::connect(addr).unwrap(),
        TcpStream::connect(addr).unwrap(),
    ];
    let addresses = [addr];
    let found = dump(Query {
        addresses: &addresses,
        states: &[TcpState::Listen],
    });
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].local, found[0].state), (addr, TcpState::Listen));
    assert_eq!((found[0].receive_queue, found[0].drops), (2, Some(0)));
    assert!(found[0].send_queue > 0);
}

#[test]
fn a_side_that_was_not_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let client = TcpStream::connect(addr).unwrap();
    let (_server, peer) = listener.accept().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let addresses = [addr];
    let found = until_seen(Query {
        addresses: &addresses,
        states: &[TcpState::CloseWait],
    });
    assert_eq!((found.local, found.remote), (addr, peer));
    assert_ne!(found.cookie, 0);
}

#[test]
fn a_kernel_without_filters_is_asked_for_all() {
    let listener = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut diag = SockDiag::open().unwrap();
    for filters in [true, false] {
        diag.filters = filters;
        let mut found = Vec::new();
        let query = Query {
            addresses: &[addr],
            states: &[TcpState::Listen],
        };
        diag.dump(query, &mut |socket| found.push(socket.local), &mut || {})
            .unwrap();
        assert_eq!(found, [addr], "{filters}");
    }
    drop(other);
}
