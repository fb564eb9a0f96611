//! The guard opens for a token under a known name, and for nothing else.

use axum::http::HeaderValue;

use super::*;

fn guard() -> Guard {
    Guard {
        token: "secret".into(),
        hosts: vec!["cache.example".into()],
        open_paths: &["/livez", "/console/*"],
    }
}

fn status(path: &str, host: &str, authorization: &str) -> Option<u16> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_str(authorization).unwrap(),
    );
    guard()
        .refusal(path, &headers)
        .map(|(status, _)| status.as_u16())
}

#[test]
fn the_token_opens_and_nothing_like_it_does() {
    assert_eq!(status("/v1/stat", "127.0.0.1:8311", "Bearer secret"), None);
    for wrong in [
        "",
        "secret",
        "Bearer ",
        "Bearer secre",
        "Bearer secrets",
        "bearer",
        "Basic secret",
    ] {
        assert_eq!(
            status("/v1/stat", "127.0.0.1:8311", wrong),
            Some(401),
            "{wrong}"
        );
    }
}

#[test]
fn a_wrong_token_is_told_from_none() {
    let told = |authorization: Option<&str>| {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        if let Some(authorization) = authorization {
            let authorization = HeaderValue::from_str(authorization).unwrap();
            headers.insert(header::AUTHORIZATION, authorization);
        }
        guard().refusal("/v1/stat", &headers).unwrap().1
    };
    assert!(told(None).starts_with("a token is needed"));
    assert!(told(Some("Bearer guess")).starts_with("the token is wrong"));
}

#[test]
fn open_paths_need_no_token_but_are_matched_whole() {
    assert_eq!(status("/livez", "localhost", ""), None);
    assert_eq!(status("/livez/x", "localhost", ""), Some(401));
}

#[test]
fn a_folder_is_open_with_all_below_it_and_nothing_beside_it() {
    for path in ["/console/", "/console/login", "/console/a/b"] {
        assert_eq!(status(path, "localhost", ""), None, "{path}");
        assert_eq!(status(path, "evil.example", ""), Some(421), "{path}");
    }
    for path in ["/console", "/consoles/x", "/", "/v1/console/"] {
        assert_eq!(status(path, "localhost", ""), Some(401), "{path}");
    }
}

#[test]
fn a_foreign_name_is_refused_even_with_the_token() {
    for host in [
        "evil.example",
        "evil.example:8311",
        "",
        "localhost.evil.example",
        "cache.example.",
    ] {
        assert_eq!(status("/livez", host, "Bearer secret"), Some(421), "{host}");
    }
}

#[test]
fn addresses_and_names_of_ours_are_known() {
    for host in [
        "[::1]:8311",
        "[::1]",
        "10.0.0.1",
        "LOCALHOST:1",
        "cache.example:8311",
        "Cache.Example",
    ] {
        assert_eq!(status("/livez", host, ""), None, "{host}");
    }
}

#[test]
fn a_missing_host_is_refused() {
    assert!(guard().refusal("/livez", &HeaderMap::new()).is_some());
}
