//! Answers that never end.

use std::net::TcpListener;
use std::thread;

use super::*;

#[test]
fn an_answer_that_trickles_is_waited_for_no_longer_than_one_that_does_not_come() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Each byte is there before anybody has waited for it.
        while stream.write_all(b"x").is_ok() {}
    });
    let until_ns = clock::now_ns() + 50_000_000;
    let mut connection = Connection::connect(address, until_ns).unwrap();
    connection.send(b"get k\r\n", until_ns).unwrap();
    assert!(connection.read_line().is_err());
    assert!(clock::now_ns() >= until_ns);
    drop(connection);
    server.join().unwrap();
}

#[test]
fn nothing_is_sent_after_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let late_ns = clock::now_ns();
    assert!(Connection::connect(address, late_ns).is_err());
    let mut connection = Connection::connect(address, late_ns + 60_000_000_000).unwrap();
    let error = connection.send(b"get k\r\n", late_ns).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}
