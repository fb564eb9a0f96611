//! A start that must fail is known to, and why.

use std::os::unix::net::UnixListener;

use super::*;

fn outcome(text: &str) -> Result<(), String> {
    check(&Config::parse(text).unwrap()).map_err(|e| e.to_string())
}

#[test]
fn what_a_start_would_fail_on_is_told_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().display();
    fs::write(dir.path().join("file"), "x").unwrap();
    let long = "x".repeat(SOCKET_PATH_MAX);
    let cases = [
        (
            "item_size = \"1GiB\"".to_owned(),
            "item_size is 1GiB",
            "2GiB",
        ),
        (format!("data_dir = \"/{long}\""), "data_dir ", "96"),
        (
            format!("[listen]\nunix = \"/{long}\""),
            "listen.unix ",
            "107",
        ),
        (
            format!("[listen]\nunix = \"{folder}\""),
            "listen.unix ",
            "no socket",
        ),
        (
            format!("[listen]\nnbd_unix = \"{folder}/file\""),
            "listen.nbd_unix ",
            "no socket",
        ),
        (
            format!("[listen]\nunix = \"{folder}/no/s\""),
            "listen.unix ",
            "make it",
        ),
        (
            format!(
                "[listen]\nmemcache_tls = \"127.0.0.1:0\"\n[tls]\ncertificate = \"{folder}/c\"\n\
                 key = \"{folder}/k\""
            ),
            "tls.certificate",
            "/c",
        ),
        (
            format!("[admin]\ncertificate = \"{folder}/c\"\nkey = \"{folder}/k\""),
            "admin.certificate",
            "/c",
        ),
        (
            format!(
                "[tls]\nlisteners = [\"status\"]\ncertificate = \"{folder}/c\"\nkey = \"{folder}/k\""
            ),
            "tls.certificate",
            "/c",
        ),
        (
            format!(
                "[webhooks]\ntargets = [{{ url = \"https://a.example/\", secret_file = \"{folder}/s\" }}]"
            ),
            "webhooks.targets",
            "/s",
        ),
        (
            format!(
                "[status]\ngateways = [{{ name = \"Cache\", address = \"a:1\", username = \"u\", \
                 password_file = \"{folder}/p\" }}]"
            ),
            "status.gateways",
            "/p",
        ),
    ];
    for (text, start, word) in cases {
        let error = outcome(&text).unwrap_err();
        assert!(
            error.starts_with(start) && error.contains(word),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_can_be_had_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let text = format!("[listen]\nunix = {socket:?}\n");
    assert_eq!(outcome(&text), Ok(()));
    let _bound = UnixListener::bind(&socket).unwrap();
    assert_eq!(
        outcome(&text),
        Ok(()),
        "a socket that was left is bound anew"
    );
    assert_eq!(outcome("item_size = \"1GiB\"\nmemory = \"2GiB\""), Ok(()));
}
