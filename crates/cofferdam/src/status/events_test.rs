//! Views of events become what the board takes in.

use super::*;

fn view() -> EventView {
    EventView {
        id: 7,
        at: "2026-11-22T08:00:05.250Z".into(),
        onset: "2026-11-22T08:00:01.000Z".into(),
        event: "door_full".into(),
        cause: "memcache_auth".into(),
        state: "began".into(),
        tenant: Some("acme".into()),
        sentence: String::new(),
        advice: None,
        evidence: Vec::new(),
        held_back: 0,
    }
}

#[test]
fn an_event_is_taken_in_with_its_times() {
    let event = service_event(&view()).unwrap();
    assert_eq!(
        (event.kind, event.state),
        (EventKind::DoorFull, EventState::Began)
    );
    assert_eq!(event.at.since(event.onset).as_millis(), 4_250);
    assert_eq!(event.tenant.as_deref(), Some("acme"));
}

#[test]
fn what_another_release_says_is_passed_over() {
    for change in [
        |view: &mut EventView| view.event = "meteor".into(),
        |view: &mut EventView| view.state = "paused".into(),
        |view: &mut EventView| view.at = "yesterday".into(),
    ] {
        let mut other = view();
        change(&mut other);
        assert_eq!(service_event(&other), None);
    }
}

#[test]
fn an_admin_api_that_is_not_there_is_an_error_and_no_silence() {
    let endpoint = Endpoint::Port {
        origin: "127.0.0.1:1".parse().unwrap(),
        token: "t".into(),
    };
    assert!(of_admin(endpoint)().is_err());
}
