//! Sessions end by themselves, are bounded in number, and are found by their own name alone.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn begin(sessions: &mut Sessions, now: Timestamp, name: &str) {
    sessions.begin(now, name.into(), format!("form-{name}"));
}

#[test]
fn a_session_is_found_by_its_name_until_it_ends() {
    let mut sessions = Sessions::default();
    begin(&mut sessions, START, "a");
    assert!(sessions.find(START, "a").is_some());
    assert!(sessions.find(START, "b").is_none());
    assert!(sessions.find(START, "").is_none());
    sessions.end("a");
    assert!(sessions.find(START, "a").is_none());
}

#[test]
fn silence_ends_it_and_so_does_a_day() {
    let mut sessions = Sessions::default();
    begin(&mut sessions, START, "a");
    assert!(sessions.find(START + IDLE_MAX, "a").is_none());
    begin(&mut sessions, START, "b");
    let mut now = START;
    while now.since(START) < AGE_MAX {
        assert!(sessions.find(now, "b").is_some());
        now = now + Duration::from_secs(3600);
    }
    assert!(sessions.find(now, "b").is_none());
}

#[test]
fn the_one_used_least_lately_gives_way() {
    let mut sessions = Sessions::default();
    for number in 0..SESSIONS_MAX as u64 {
        let now = START + Duration::from_secs(number);
        begin(&mut sessions, now, &number.to_string());
    }
    let now = START + Duration::from_secs(1000);
    assert!(sessions.find(now, "0").is_some());
    begin(&mut sessions, now, "new");
    assert!(sessions.find(now, "0").is_some());
    assert!(sessions.find(now, "1").is_none());
    assert!(sessions.by_name.len() <= SESSIONS_MAX);
}

#[test]
fn forms_are_known_by_their_token() {
    let mut sessions = Sessions::default();
    begin(&mut sessions, START, "a");
    let session = sessions.find(START, "a").unwrap();
    assert!(session.owns_form("form-a"));
    for wrong in ["", "form-", "form-b", "form-aa"] {
        assert!(!session.owns_form(wrong));
    }
}

#[test]
fn cookies_among_others() {
    let mut headers = HeaderMap::new();
    headers.append(
        header::COOKIE,
        "x=1; session=abc; y=session".parse().unwrap(),
    );
    assert_eq!(cookie(&headers, "session"), Some("abc"));
    assert_eq!(cookie(&headers, "y"), Some("session"));
    assert_eq!(cookie(&headers, "z"), None);
    headers.clear();
    headers.append(header::COOKIE, ";;=;session;".parse().unwrap());
    assert_eq!(cookie(&headers, "session"), None);
}
