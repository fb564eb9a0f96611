//! Tests of asking the kernel for sockets: with sockets of the test's own, and with bad answers.

use std::net::{Shutdown, TcpListener, TcpStream};

use super::*;

#[test]
fn a_socket_whose_peer_has_gone_is_found_by_its_state() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let _server = listener.accept().unwrap();
    let mut diag = SockDiag::open().unwrap();
    let mine = client.local_addr().unwrap();
    let found = |diag: &mut SockDiag, states| {
        let peers = diag.peers(port, states).unwrap();
        peers
            .iter()
            .map(|it| mine == (*it).into())
            .collect::<Vec<bool>>()
    };
    assert_eq!(found(&mut diag, ESTABLISHED), [true]);
    assert!(found(&mut diag, CLOSE_WAIT).is_empty());
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(found(&mut diag, CLOSE_WAIT), [true]);
    assert!(found(&mut diag, ESTABLISHED).is_empty());
    assert_eq!(found(&mut diag, ESTABLISHED | CLOSE_WAIT), [true]);
}

#[test]
fn bad_answers_end_the_reading() {
    let mut peers = Vec::new();
    assert!(take_part(&[], &mut peers));
    assert!(!take_part(&[1, 2, 3], &mut peers));
    assert!(!take_part(&[0; 64], &mut peers));
    let mut short = question(1, ESTABLISHED).to_vec();
    assert!(
        !take_part(&short, &mut peers),
        "an answer without room for its fields"
    );
    short[4..6].copy_from_slice(&NLMSG_DONE.to_ne_bytes());
    assert!(take_part(&short, &mut peers));
    assert!(peers.is_empty());
}
