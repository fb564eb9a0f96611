//! Certificates from files, what a reload changes, and what is said of files that do not do.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use rustls::version::TLS13;
use rustls::{ClientConfig, HandshakeKind};

use super::super::testing::{self, Authority, Files, server_certificate};
use super::{TlsError, TlsServer};

/// Greets once; the certificate that the server showed, and how hands were shaken.
fn greet(
    server: &TlsServer,
    client: &Arc<ClientConfig>,
) -> std::io::Result<(Vec<u8>, Option<HandshakeKind>)> {
    let config = Arc::clone(&server.terms().config);
    let (mut stream, mut client) = testing::ends(config, Arc::clone(client));
    let client = thread::spawn(move || {
        let mut answer = [0; 2];
        client.flush()?;
        client.read_exact(&mut answer)?;
        let shown = client.conn.peer_certificates().unwrap_or_default();
        Ok((shown[0].to_vec(), client.conn.handshake_kind()))
    });
    let done = testing::shake_hands(&mut stream);
    if done.is_ok() {
        stream.send(b"hi")?;
    }
    drop(stream);
    let seen = client.join().unwrap();
    done.and(seen)
}

#[test]
fn a_reload_shows_the_new_certificate_to_whoever_comes_next() {
    let authority = Authority::new();
    let first = server_certificate(&authority);
    let files = Files::new(&first, None);
    let server = TlsServer::new(&files.files).unwrap();
    let fresh = || authority.client(None, &TLS13);
    assert_eq!(greet(&server, &fresh()).unwrap().0, first.der().to_vec());

    let second = server_certificate(&authority);
    files.write("server.pem", &second.certificate);
    files.write("server.key", &second.key);
    assert_eq!(greet(&server, &fresh()).unwrap().0, first.der().to_vec());
    server.reload(&files.files).unwrap();
    assert_eq!(greet(&server, &fresh()).unwrap().0, second.der().to_vec());
}

#[test]
fn files_that_do_not_do_are_named_and_change_nothing() {
    let authority = Authority::new();
    let own = server_certificate(&authority);
    let other = server_certificate(&authority);
    let files = Files::new(&own, None);
    let server = TlsServer::new(&files.files).unwrap();
    let failures = [
        ("server.pem", "no certificate here"),
        ("server.pem", other.certificate.as_str()),
        ("server.key", "no key here"),
        ("server.key", own.certificate.as_str()),
    ];
    for (name, text) in failures {
        let path = files.write(name, text);
        let error = server.reload(&files.files).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        files.write("server.pem", &own.certificate);
        files.write("server.key", &own.key);
    }
    let mut missing = files.files.clone();
    missing.key = "/nonexistent/server.key".into();
    assert!(matches!(
        server.reload(&missing),
        Err(TlsError::Read { .. })
    ));
    let shown = greet(&server, &authority.client(None, &TLS13)).unwrap().0;
    assert_eq!(shown, own.der().to_vec());
}

#[test]
fn a_required_certificate_is_required_and_an_optional_one_is_not() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let own = authority.issue("acme", Vec::new());
    let forged = stranger.issue("acme", Vec::new());
    for required in [true, false] {
        let files = Files::new(
            &server_certificate(&authority),
            Some((&authority, required)),
        );
        let server = TlsServer::new(&files.files).unwrap();
        assert!(greet(&server, &authority.client(Some(&own), &TLS13)).is_ok());
        let without = greet(&server, &authority.client(None, &TLS13));
        assert_eq!(without.is_err(), required);
        assert!(greet(&server, &authority.client(Some(&forged), &TLS13)).is_err());
    }
}

#[test]
fn tickets_outlive_a_reload_but_not_the_authorities_that_they_were_given_under() {
    let authority = Authority::new();
    let files = Files::new(&server_certificate(&authority), Some((&authority, true)));
    let server = TlsServer::new(&files.files).unwrap();
    let own = authority.issue("acme", Vec::new());
    let client = authority.client(Some(&own), &TLS13);
    let kind = || greet(&server, &client).map(|(_, kind)| kind);
    assert_eq!(kind().unwrap(), Some(HandshakeKind::Full));
    server.reload(&files.files).unwrap();
    assert_eq!(kind().unwrap(), Some(HandshakeKind::Resumed));

    files.write("clients.pem", &Authority::new().certificate);
    server.reload(&files.files).unwrap();
    assert!(kind().is_err());
}
