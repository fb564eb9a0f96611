//! Places of servers as people write them.

use super::*;

#[test]
fn addresses_and_urls_are_read_and_told_alike() {
    for (text, told, has_tls) in [
        ("127.0.0.1:8311", "127.0.0.1:8311", false),
        ("[::1]:8311", "[::1]:8311", false),
        ("http://gateway1:8311", "gateway1:8311", false),
        (
            "https://gateway1.internal:8311/",
            "https://gateway1.internal:8311",
            true,
        ),
        ("https://[fd00::1]:8311", "https://[fd00::1]:8311", true),
    ] {
        let origin: Origin = text.parse().unwrap();
        assert_eq!(origin.to_string(), told);
        assert_eq!(origin.tls.is_some(), has_tls, "{text}");
    }
}

#[test]
fn what_is_no_place_is_refused() {
    for text in [
        "",
        "8311",
        "gateway1:8311",
        "ftp://gateway1:8311",
        "https://gateway1",
        "https://:8311",
        "https://gateway1:0",
        "https://user@gateway1:8311",
        "https://gateway1:8311/v1",
        "https://[gateway1]:8311",
    ] {
        assert!(text.parse::<Origin>().is_err(), "{text:?}");
    }
}

#[test]
fn an_authority_matters_where_tls_is_spoken() {
    let ca = || Some(PathBuf::from("ca.pem"));
    let plain: Origin = "127.0.0.1:1".parse().unwrap();
    assert_eq!(plain.with_authority(ca()).tls, None);
    let secure: Origin = "https://a:1".parse().unwrap();
    assert_eq!(
        secure.clone().with_authority(None).tls,
        Some(Authority::System)
    );
    assert_eq!(
        secure.with_authority(ca()).tls,
        Some(Authority::File("ca.pem".into()))
    );
}
