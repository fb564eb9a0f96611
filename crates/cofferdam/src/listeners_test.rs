//! A listener that cannot be had is named with its key and flag.

use std::io;

use super::*;

fn said(key: &'static str, error: ListenError) -> String {
    NotListening::new(key, error).to_string()
}

fn in_use(address: &str) -> ListenError {
    ListenError::Bind {
        address: address.to_owned(),
        source: io::ErrorKind::AddrInUse.into(),
    }
}

#[test]
fn the_remedy_names_key_and_flag() {
    let said_of_auth = said("memcache_auth", in_use("127.0.0.1:4711"));
    assert!(said_of_auth.starts_with("cannot listen on 127.0.0.1:4711: "));
    assert!(said_of_auth.contains("listen.memcache_auth (--memcache-auth), port 0"));
    let said_of_unix = said("unix", in_use("/a b"));
    assert!(
        said_of_unix.ends_with("listen.unix (--unix)"),
        "{said_of_unix}"
    );
    let path = ListenError::PathInUse("/s".into());
    assert!(said("unix", path).ends_with("another path with listen.unix (--unix)"));
}

#[test]
fn an_error_that_has_its_remedy_gets_no_second_one() {
    let open = ListenError::OpenOffLoopback("192.0.2.1:1".parse().unwrap());
    let text = open.to_string();
    assert_eq!(said("memcache", open), text);
}
