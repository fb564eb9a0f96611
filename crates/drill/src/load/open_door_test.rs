//! Tests against listeners of one connection that answer as memcached does, with and without logins.

use std::net::TcpListener;
use std::thread;

use super::super::plan::{Login, Target};
use super::*;

/// What is said of a target that answers the first command so.
fn checked(reply: &'static [u8], auth: AuthDialect) -> Result<(), LoadError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = Plan {
        targets: vec![Target::Tcp(listener.local_addr().unwrap().to_string())],
        tenants: vec![Login {
            username: "acme".into(),
            password: "secret".into(),
        }],
        auth,
        ..Plan::default()
    };
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut command = [0; 4];
        stream.read_exact(&mut command).unwrap();
        stream.write_all(reply).unwrap();
        command
    });
    let verdict = refuse(&plan);
    if auth == AuthDialect::Sasl {
        return verdict;
    }
    assert_eq!(&server.join().unwrap(), b"mn\r\n", "no word of the login");
    verdict
}

#[test]
fn a_target_that_serves_anybody_is_not_told_a_password() {
    for auth in [AuthDialect::MemcachedY, AuthDialect::KeyIsUser] {
        let error = checked(b"MN\r\n", auth).unwrap_err().to_string();
        assert!(error.contains("without a login"), "{error}");
    }
}

#[test]
fn a_target_that_wants_a_login_gets_it() {
    for reply in [&b"CLIENT_ERROR unauthenticated\r\n"[..], b"ERROR\r\n", b""] {
        checked(reply, AuthDialect::MemcachedY).unwrap();
    }
    checked(b"", AuthDialect::Sasl).unwrap();
}
