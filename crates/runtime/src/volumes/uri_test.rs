//! URIs as people and tools write them.

use super::*;

fn parsed(text: &str) -> (String, Option<PathBuf>, String) {
    let uri: NbdUri = text.parse().unwrap();
    let socket = uri.socket().map(Path::to_owned);
    (uri.host_and_port().to_owned(), socket, uri.export)
}

#[test]
fn places_and_exports() {
    let tcp = |place: &str, export: &str| (place.to_owned(), None, export.to_owned());
    assert_eq!(
        parsed("nbd://localhost/data"),
        tcp("localhost:10809", "data")
    );
    assert_eq!(
        parsed("nbd://127.0.0.1:99/acme/data"),
        tcp("127.0.0.1:99", "acme/data")
    );
    assert_eq!(parsed("nbd://[::1]"), tcp("[::1]:10809", ""));
    let unix = parsed("nbd+unix:///a%20b?socket=/run/nbd%2b.sock");
    let path = Some(PathBuf::from("/run/nbd+.sock"));
    assert_eq!(unix, (String::new(), path, "a b".to_owned()));
}

#[test]
fn tls_has_certificates_and_a_name() {
    let uri: NbdUri = "nbds://db.example:99/data?tls-certificates=/etc/pki%20x"
        .parse()
        .unwrap();
    assert_eq!(uri.host_and_port(), "db.example:99");
    let tls = uri.tls().unwrap();
    assert_eq!(tls.certificates, Path::new("/etc/pki x"));
    assert_eq!(tls.hostname, "db.example");
    let uri: NbdUri = "nbds+unix:///data?socket=/s&tls-certificates=/c&tls-hostname=db"
        .parse()
        .unwrap();
    assert_eq!(uri.socket(), Some(Path::new("/s")));
    assert_eq!(uri.tls().unwrap().hostname, "db");
    let uri: NbdUri = "nbds://[::1]/data?tls-certificates=/c".parse().unwrap();
    assert_eq!(uri.tls().unwrap().hostname, "::1");
    assert!("nbd://h/data".parse::<NbdUri>().unwrap().tls().is_none());
}

#[test]
fn what_is_none_is_refused() {
    for text in [
        "",
        "data",
        "nbd://",
        "http://x/",
        "nbd+unix:///x",
        "nbd://h/%4",
        "nbd://h/%zz",
        "nbds://h/data",
    ] {
        let refused = text.parse::<NbdUri>();
        assert!(refused.is_err_and(|why| why.contains("nbd+unix")), "{text}");
    }
}
