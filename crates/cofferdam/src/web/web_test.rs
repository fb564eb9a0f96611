//! Whose a form is, by what browsers say of it.

use super::*;

fn said(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

#[test]
fn forms_of_our_own_pages_and_of_programs_are_ours() {
    for ours in [
        &[][..],
        &[("host", "localhost:8311")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[
            ("host", "Localhost:8311"),
            ("origin", "http://localhost:8311"),
        ],
        &[("host", "[::1]:8313"), ("origin", "https://[::1]:8313")],
    ] {
        assert!(!is_foreign(&said(ours)), "{ours:?}");
    }
}

#[test]
fn forms_of_others_are_not() {
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("host", "localhost"), ("origin", "https://evil.example")],
        &[("host", "localhost"), ("origin", "null")],
        &[("host", "localhost"), ("origin", "")],
        &[
            ("host", "localhost:8311"),
            ("origin", "http://localhost:8312"),
        ],
        &[("origin", "http://localhost")],
    ] {
        assert!(is_foreign(&said(foreign)), "{foreign:?}");
    }
}
