//! Protections go off in a drill on loopback, and nowhere else.

use super::*;

fn refusal(text: &str, is_drill: bool) -> Option<String> {
    let config = Config::parse(text).unwrap();
    let checked = check_off_for(&config, is_drill);
    checked.err().map(|failure| failure.to_string())
}

#[test]
fn only_a_drill_does_without_protections() {
    assert_eq!(refusal("", true), None);
    let refusal = refusal("", false).unwrap();
    assert!(refusal.contains("COFFERDAM_DRILL") && refusal.contains("drill run"));
}

#[test]
fn no_listener_may_be_within_others_reach() {
    for (key, addr) in [
        ("memcache_auth", "0.0.0.0:4711"),
        ("memcache_tls", "[::]:4711"),
        ("admin", "192.0.2.1:4711"),
    ] {
        let refusal = refusal(&format!("[listen]\n{key} = {addr:?}"), true).unwrap();
        assert!(refusal.contains(key) && refusal.contains("127.0.0.1:4711"));
    }
    assert_eq!(refusal("[listen]\nmemcache_tls = \"[::1]:1\"", true), None);
}
