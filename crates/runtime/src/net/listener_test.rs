//! What a listener refuses, and what it leaves behind.

use std::os::unix::fs::PermissionsExt;

use base::TenantId;

use super::{ListenError, Listener};

const TENANT: TenantId = TenantId(1);

#[test]
fn an_open_tenant_is_refused_off_loopback() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Listener::open(address.parse().unwrap(), TENANT);
        assert!(matches!(refused, Err(ListenError::OpenOffLoopback(_))));
    }
    assert!(Listener::open("127.0.0.1:0".parse().unwrap(), TENANT).is_ok());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Listener::authenticating("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = first.local_addr().unwrap();
    let error = Listener::authenticating(address).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_socket_file_has_its_mode_and_goes_with_its_listener() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.sock");
    let listener = Listener::unix(&path, 0o600, TENANT).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        Listener::unix(&path, 0o600, TENANT),
        Err(ListenError::PathInUse(_))
    ));
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_socket_left_by_a_dead_server_is_replaced_and_any_other_file_kept() {
    let dir = tempfile::tempdir().unwrap();
    let stale = dir.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(Listener::unix(&stale, 0o600, TENANT).is_ok());

    let file = dir.path().join("file");
    std::fs::write(&file, "not a socket").unwrap();
    assert!(Listener::unix(&file, 0o600, TENANT).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"not a socket");
}
