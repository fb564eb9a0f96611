//! Both ends of a connection: what is sent arrives, whatever the pieces, and nothing is kept.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};

use super::super::config::TlsServer;
use super::super::testing::{self, Authority, Client, Files, server_certificate};
use super::{Handshake, TlsStream};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

struct Setting {
    server: TlsServer,
    client: Arc<ClientConfig>,
    _files: Files,
}

fn setting(version: &'static SupportedProtocolVersion) -> Setting {
    let authority = Authority::new();
    let files = Files::new(&server_certificate(&authority), None);
    Setting {
        server: TlsServer::new(&files.files).unwrap(),
        client: authority.client(None, version),
        _files: files,
    }
}

impl Setting {
    /// A server's end that has shaken hands with a client that then does its `part`.
    fn with_client<T: Send + 'static>(
        &self,
        part: impl FnOnce(&mut Client) -> T + Send + 'static,
    ) -> (TlsStream, thread::JoinHandle<T>) {
        let config = Arc::clone(&self.server.terms().config);
        let (mut stream, mut client) = testing::ends(config, Arc::clone(&self.client));
        let thread = thread::spawn(move || {
            client.flush().unwrap();
            part(&mut client)
        });
        testing::shake_hands(&mut stream).unwrap();
        (stream, thread)
    }
}

/// Everything up to the end, read into rooms of `room_len` bytes.
fn read_all(stream: &mut TlsStream, room_len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mut room = vec![0; room_len];
    loop {
        let received = stream.receive(&mut room).unwrap();
        all.extend_from_slice(&room[..received.count]);
        if received.at_end {
            return all;
        }
        if !received.more {
            thread::yield_now();
        }
    }
}

fn write_all(stream: &mut TlsStream, bytes: &[u8]) {
    let mut written = 0;
    while written < bytes.len() {
        let (count, writable) = stream.send(&bytes[written..]).unwrap();
        written += count;
        if !writable {
            thread::yield_now();
        }
    }
}

/// What comes until the end, after a farewell or without: into a socket that is still full none goes.
fn read_rest(client: &mut Client, all: &mut Vec<u8>) {
    match client.read_to_end(all) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => panic!("{error}"),
        _ => {}
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn what_a_client_sends_arrives_whatever_the_rooms() {
    for version in VERSIONS {
        for room_len in [1, 100, 16 * 1024, 64 * 1024] {
            let len = if room_len == 1 { 40_000 } else { 500_000 };
            let (mut stream, client) = setting(version).with_client(move |client| {
                client.write_all(&pattern(len)).unwrap();
                client.conn.send_close_notify();
                client.flush().unwrap();
                // One who goes without having read the tickets resets the connection.
                client.sock.read_to_end(&mut Vec::new()).unwrap();
            });
            assert!(read_all(&mut stream, room_len) == pattern(len));
            drop(stream);
            client.join().unwrap();
        }
    }
}

#[test]
fn what_a_server_sends_arrives_though_the_client_reads_late() {
    for version in VERSIONS {
        let (mut stream, client) = setting(version).with_client(|client| {
            let mut all = Vec::new();
            read_rest(client, &mut all);
            all
        });
        // The first calls fill the socket; what they leave is offered again from its beginning.
        write_all(&mut stream, &pattern(3_000_000));
        drop(stream);
        assert!(client.join().unwrap() == pattern(3_000_000));
    }
}

#[test]
fn a_short_write_tells_nothing_as_written_that_the_socket_has_not() {
    let (mut stream, client) = setting(&TLS13).with_client(|client| {
        let mut all = vec![0; 1];
        client.read_exact(&mut all).unwrap();
        read_rest(client, &mut all);
        all
    });
    let bytes = pattern(1_000_000);
    write_all(&mut stream, &bytes[..1]);
    let mut at = 1;
    while at < bytes.len() {
        // Only what is offered first counts: the rest of the offer may differ each time.
        let offer = &bytes[at..bytes.len().min(at + 70_000)];
        at += stream.send(offer).unwrap().0;
    }
    drop(stream);
    assert!(client.join().unwrap() == bytes);
}

#[test]
fn an_idle_connection_holds_no_buffer() {
    for version in VERSIONS {
        let (mut stream, client) = setting(version).with_client(|client| {
            client.write_all(&pattern(100_000)).unwrap();
            let mut answer = [0; 5];
            client.read_exact(&mut answer).unwrap();
        });
        let mut room = vec![0; 16 * 1024];
        let mut count = 0;
        while count < 100_000 {
            count += stream.receive(&mut room).unwrap().count;
        }
        write_all(&mut stream, b"hello");
        client.join().unwrap();
        let kept = [&stream.incoming, &stream.plaintext, &stream.outgoing];
        assert_eq!(kept.map(Vec::capacity), [0; 3]);
        assert!(size_of::<TlsStream>() <= 2048, "{}", size_of::<TlsStream>());
    }
}

#[test]
fn an_end_without_a_goodbye_is_an_end() {
    let (mut stream, client) = setting(&TLS13).with_client(|client| {
        client.read_exact(&mut [0; 2]).unwrap();
        client.write_all(b"get key").unwrap();
    });
    write_all(&mut stream, b"hi");
    client.join().unwrap();
    assert_eq!(read_all(&mut stream, 100), b"get key");
}

#[test]
fn a_session_is_resumed_by_a_ticket() {
    for version in VERSIONS {
        let setting = setting(version);
        let kinds = [(); 2].map(|()| {
            let (mut stream, client) = setting.with_client(|client| {
                let mut answer = [0; 2];
                client.read_exact(&mut answer).unwrap();
                client.conn.handshake_kind()
            });
            write_all(&mut stream, b"hi");
            client.join().unwrap()
        });
        assert_eq!(
            kinds,
            [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]
        );
    }
}

#[test]
fn other_bytes_are_refused_with_an_alert() {
    let setting = setting(&TLS13);
    let config = Arc::clone(&setting.server.terms().config);
    let (mut stream, mut client) = testing::ends(config, Arc::clone(&setting.client));
    client.sock.write_all(b"get key\r\nget key\r\n").unwrap();
    assert!(testing::shake_hands(&mut stream).is_err());
    drop(stream);
    let mut answer = Vec::new();
    client.sock.read_to_end(&mut answer).unwrap();
    // A record of the kind "alert".
    assert_eq!(answer.first(), Some(&21));
}

#[test]
fn a_change_of_one_byte_is_noticed() {
    let (mut stream, client) = setting(&TLS13).with_client(|client| {
        client.read_exact(&mut [0; 2]).unwrap();
        // A record of application data that nobody encrypted, as long as it says.
        let mut record = vec![23, 3, 3, 0, 40];
        record.extend([0; 40]);
        client.sock.write_all(&record).unwrap();
    });
    write_all(&mut stream, b"hi");
    client.join().unwrap();
    assert!(stream.receive(&mut [0; 100]).is_err());
}

#[test]
fn a_beginning_is_waited_for_without_asking_again_and_an_end_behind_it_noticed() {
    let setting = setting(&TLS13);
    let config = Arc::clone(&setting.server.terms().config);
    let (mut stream, mut client) = testing::ends(config, Arc::clone(&setting.client));
    client.sock.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    assert_eq!(stream.shake_hands().unwrap(), Handshake::Waiting);
    assert_eq!(stream.shake_hands().unwrap(), Handshake::Waiting);
    drop(client);
    assert!(stream.shake_hands().is_err());
}

#[test]
fn a_message_that_is_begun_and_never_ended_is_bounded_and_does_no_harm() {
    let setting = setting(&TLS13);
    let config = Arc::clone(&setting.server.terms().config);
    let (mut stream, mut client) = testing::ends(config, Arc::clone(&setting.client));
    // A greeting that says it is 60,000 bytes long, in records of 100.
    let mut record = vec![22, 3, 1, 0, 104, 1, 0, 0xea, 0x60];
    record.extend([0; 100]);
    client.sock.write_all(&record).unwrap();
    let sender = thread::spawn(move || {
        let mut more = vec![22, 3, 1, 0, 100];
        more.extend([0; 100]);
        while client.sock.write_all(&more).is_ok() {}
    });
    assert!(testing::shake_hands(&mut stream).is_err());
    drop(stream);
    sender.join().unwrap();
}
