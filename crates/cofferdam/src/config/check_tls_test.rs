//! What TLS needs, and what it is good for.

use super::*;

fn error(text: &str) -> String {
    Config::parse(text).unwrap().check().unwrap_err()
}

fn is_good(text: &str) {
    assert_eq!(Config::parse(text).unwrap().check(), Ok(()), "{text}");
}

#[test]
fn tls_needs_a_certificate_and_its_key() {
    let on = "[listen]\nmemcache_tls = \"127.0.0.1:0\"\n";
    assert!(error(on).contains("tls.certificate"));
    let half = format!("{on}[tls]\ncertificate = \"/c\"");
    assert!(error(&half).contains("tls.key"));
    is_good(&format!("{half}\nkey = \"/k\""));
    let listed = "[tls]\nlisteners = [\"memcache_auth\", \"memcache\"]";
    assert!(error(listed).starts_with("tls.listeners "));
    let unsigned = "[tls]\nclient_certificate = \"required\"";
    assert!(error(unsigned).contains("tls.client_ca is not set"));
    is_good(&format!("{unsigned}\nclient_ca = \"/a\""));
    assert!(Config::parse("[tls]\nlisteners = [\"admin\"]").is_err());
}

#[test]
fn a_certificate_without_its_key_or_a_listener_is_a_mistake() {
    let on = "[listen]\nmemcache_tls = \"127.0.0.1:0\"\n";
    for table in ["tls", "admin"] {
        let one = error(&format!("[{table}]\ncertificate = \"/c\""));
        assert!(one.contains(&format!("{table}.key")), "{one}");
        let other = error(&format!("{on}[{table}]\nkey = \"/k\""));
        assert!(other.contains(&format!("{table}.certificate")), "{other}");
    }
    is_good("[admin]\ncertificate = \"/c\"\nkey = \"/k\"");
    let unused = error("[tls]\ncertificate = \"/c\"\nkey = \"/k\"");
    assert!(unused.contains("no listener speaks TLS"), "{unused}");
}
