//! Sessions end by themselves, are bounded in number, and are found by their own name alone.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn sessions(names: &[&str]) -> Sessions<&'static str> {
    let mut sessions = Sessions::default();
    for name in names {
        sessions.begin(START, (*name).to_owned(), "acme");
    }
    sessions
}

#[test]
fn a_session_is_found_by_its_name_until_it_ends() {
    let mut sessions = sessions(&["a"]);
    assert_eq!(sessions.find(START, "a"), Some("acme"));
    assert_eq!(sessions.find(START, "b"), None);
    assert_eq!(sessions.find(START, ""), None);
    sessions.end("a");
    assert_eq!(sessions.find(START, "a"), None);
}

#[test]
fn silence_ends_it_and_so_does_a_day() {
    let mut sessions = sessions(&["a", "b"]);
    assert_eq!(sessions.find(START + IDLE_MAX, "a"), None);
    let mut now = START;
    while now.since(START) < AGE_MAX {
        assert!(sessions.find(now, "b").is_some());
        now = now + Duration::from_secs(3600);
    }
    assert_eq!(sessions.find(now, "b"), None);
}

#[test]
fn of_one_person_the_one_used_least_lately_gives_way() {
    let mut sessions = sessions(&["globex"]);
    sessions.by_name.clear();
    sessions.begin(START, "globex".into(), "globex");
    for number in 0..OF_ONE_MAX as u64 {
        let now = START + Duration::from_secs(number);
        sessions.begin(now, number.to_string(), "acme");
    }
    let now = START + Duration::from_secs(1000);
    assert!(sessions.find(now, "0").is_some());
    sessions.begin(now, "new".into(), "acme");
    assert!(sessions.find(now, "0").is_some());
    assert!(sessions.find(now, "1").is_none());
    // Whoever logs in again and again throws out nobody but himself.
    assert!(sessions.find(now, "globex").is_some());
}

#[test]
fn there_is_an_end_to_how_many_there_are() {
    let mut sessions = Sessions::default();
    for number in 0..SESSIONS_MAX as u64 + 100 {
        let now = START + Duration::from_millis(number);
        sessions.begin(now, number.to_string(), number);
    }
    assert_eq!(sessions.by_name.len(), SESSIONS_MAX);
    assert_eq!(sessions.find(START + Duration::from_secs(9), "99"), None);
    assert_eq!(
        sessions.find(START + Duration::from_secs(9), "100"),
        Some(100)
    );
}
