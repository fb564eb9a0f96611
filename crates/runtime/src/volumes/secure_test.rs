//! Bytes cross in both directions, whole and in order, also when the socket is full.

use std::os::unix::net::UnixStream;
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;

type Client = StreamOwned<ClientConnection, UnixStream>;

fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// Both ends after a handshake.
fn pair() -> (OwnedFd, Secure, Client) {
    let (server, client) = configs();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let shaking = thread::spawn(move || {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(client, name).unwrap();
        let mut client = StreamOwned::new(session, theirs);
        client.flush().unwrap();
        client
    });
    let socket = OwnedFd::from(ours);
    let receive = |buffer: &mut [u8]| Ok(recv(&socket, buffer, RecvFlags::empty())?.1);
    let secure = Secure::accept(&socket, server, receive).unwrap();
    (socket, secure, shaking.join().unwrap())
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 253) as u8).collect()
}

#[test]
fn what_is_sent_arrives() {
    let (socket, secure, mut client) = pair();
    let sent = pattern(300_000);
    let expected = sent.clone();
    let sending = thread::spawn(move || {
        client.write_all(&sent).unwrap();
        client
    });
    let mut got = Vec::new();
    let mut buffer = vec![0; 10_000];
    while got.len() < expected.len() {
        let len = secure.receive(&socket, &mut buffer).unwrap();
        got.extend_from_slice(&buffer[..len]);
    }
    assert!(got == expected);
    drop(sending.join().unwrap());
    // It went with what it had not read, or in peace.
    assert_eq!(secure.receive(&socket, &mut buffer).unwrap_or(0), 0);
}

#[test]
fn a_full_socket_loses_nothing() {
    let (socket, secure, mut client) = pair();
    let data = pattern(4 << 20);
    let mut sent = 0;
    // Nobody reads yet: until the socket is full, which must be said.
    let full = loop {
        let slices = [IoSlice::new(&data[sent..])];
        match secure.send(&socket, &slices, false) {
            Ok(len) => sent += len,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    assert!(sent > 0 && sent < data.len());
    let expected = data.clone();
    let reading = thread::spawn(move || {
        let mut got = vec![0; expected.len()];
        client.read_exact(&mut got).unwrap();
        assert!(got == expected);
    });
    while sent < data.len() {
        // In small pieces too, of which several go at once.
        let slices: Vec<IoSlice<'_>> = data[sent..].chunks(1_000).map(IoSlice::new).collect();
        sent += secure.send(&socket, &slices, true).unwrap();
    }
    reading.join().unwrap();
}

#[test]
fn an_end_is_announced() {
    let (socket, secure, mut client) = pair();
    secure.say_goodbye(&socket);
    let mut byte = [0];
    // Without the announcement this would be an error.
    assert_eq!(client.read(&mut byte).unwrap(), 0);
}

#[test]
fn what_is_no_tls_is_refused() {
    let (server, _) = configs();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"IHAVEOPT that is no handshake").unwrap();
    let socket = OwnedFd::from(ours);
    let receive = |buffer: &mut [u8]| Ok(recv(&socket, buffer, RecvFlags::empty())?.1);
    let refused = Secure::accept(&socket, server, receive).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
}
