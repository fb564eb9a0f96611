//! Files are read where a listener needs them.

use super::*;

fn files_of(text: &str) -> Option<TlsFiles> {
    files(&Config::parse(text).unwrap())
}

const FILES: &str = "certificate = \"/c\"\nkey = \"/k\"\n";

#[test]
fn without_a_listener_no_file_is_read() {
    assert_eq!(files_of(&format!("[tls]\n{FILES}")), None);
    assert_eq!(files_of("[tls]\nlisteners = [\"memcache\"]"), None);
}

#[test]
fn both_kinds_of_listeners_have_them_read() {
    let beside = format!("[listen]\nmemcache_tls = \"127.0.0.1:0\"\n[tls]\n{FILES}");
    let instead = format!("[tls]\nlisteners = [\"memcache_auth\"]\n{FILES}");
    for text in [beside, instead] {
        let files = files_of(&text).unwrap();
        assert_eq!(files.certificate.to_str(), Some("/c"));
        assert_eq!(files.key.to_str(), Some("/k"));
        assert_eq!(files.clients, None);
    }
}

#[test]
fn pages_have_them_read_without_the_listeners_of_clients() {
    let text = format!("[tls]\nlisteners = [\"status\"]\n{FILES}client_ca = \"/a\"\n");
    let config = Config::parse(&text).unwrap();
    assert_eq!(files(&config), None);
    assert_eq!(files_for_pages(&config), None);
    let page = status_files(&config).unwrap();
    assert_eq!(page.certificate.to_str(), Some("/c"));
    assert_eq!(page.clients, None, "browsers show none");
    let other = format!("[tls]\nlisteners = [\"memcache\"]\n{FILES}");
    assert_eq!(status_files(&Config::parse(&other).unwrap()), None);
}

#[test]
fn clients_show_certificates_as_configured() {
    let required = |line: &str| {
        let text = format!("[tls]\nlisteners = [\"memcache\"]\n{FILES}client_ca = \"/a\"\n{line}");
        files_of(&text).unwrap().clients.unwrap().required
    };
    assert!(!required(""));
    assert!(required("client_certificate = \"required\""));
}
