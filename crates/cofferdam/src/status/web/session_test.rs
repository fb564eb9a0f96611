//! Cookies, and how often one may guess.

use super::*;

fn headers(cookie: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
    headers
}

#[test]
fn only_a_name_of_our_kind_is_taken_from_a_cookie() {
    let id = "a".repeat(ID_LEN);
    let good = format!("x=1; {COOKIE}={id}; y=2");
    assert_eq!(cookie(&headers(&good)), Some(id.as_str()));
    for bad in [
        String::new(),
        format!("{COOKIE}="),
        format!("{COOKIE}={}", "a".repeat(ID_LEN + 1)),
        format!("{COOKIE}={}<", "a".repeat(ID_LEN - 1)),
        format!("other={id}"),
    ] {
        assert_eq!(cookie(&headers(&bad)), None, "{bad}");
    }
}

#[test]
fn a_login_ends_and_their_number_is_bounded() {
    let mut sessions = Sessions::default();
    let now = Timestamp::from_secs(1_000);
    sessions.begin(now, "a".into(), Who::Operator);
    assert_eq!(
        sessions.find(now + LASTS - Duration::from_secs(1), "a"),
        Some(Who::Operator)
    );
    assert_eq!(sessions.find(now + LASTS, "a"), None);
    for count in 0..SESSIONS_MAX as u64 + 10 {
        let at = now + Duration::from_millis(count);
        sessions.begin(at, format!("{count}"), Who::Tenant("t".into()));
    }
    assert_eq!(sessions.0.len(), SESSIONS_MAX);
    assert_eq!(sessions.find(now, "a"), None);
}

#[test]
fn five_guesses_at_once_then_one_each_ten_seconds() {
    let mut attempts = Attempts::default();
    let now = Timestamp::from_secs(1_000);
    let source: IpAddr = "192.0.2.1".parse().unwrap();
    for _ in 0..5 {
        assert!(attempts.may_try(now, source));
        attempts.failed(now, source);
    }
    assert!(!attempts.may_try(now, source));
    assert!(attempts.may_try(now, "192.0.2.2".parse().unwrap()));
    assert!(attempts.may_try(now + Duration::from_secs(11), source));
}

#[test]
fn a_network_of_ipv6_is_one_source_and_memory_is_bounded() {
    let mut attempts = Attempts::default();
    let now = Timestamp::from_secs(1_000);
    for count in 0..6 {
        let source = format!("2001:db8::{count}").parse().unwrap();
        attempts.failed(now, source);
    }
    assert!(!attempts.may_try(now, "2001:db8::ffff".parse().unwrap()));
    for count in 0..3 * SOURCES_MAX as u32 {
        attempts.failed(now, IpAddr::V4(count.into()));
    }
    assert!(attempts.0.len() <= SOURCES_MAX);
}
