//! Events there and back.

use base::event::{EventKind, EventState, Unit};
use std::sync::Arc;

use super::*;

#[test]
fn an_event_survives_the_journal() {
    let event = Event {
        id: 12,
        at: Timestamp::from_secs(1_795_311_504) + Duration::from_millis(250),
        onset: Timestamp::from_secs(1_795_311_500),
        kind: EventKind::TenantThrottled,
        cause: "ops".into(),
        state: EventState::Began,
        tenant: Some(Arc::from("acme")),
        sentence: "Tenant \"acme\"\nwaits.".into(),
        advice: None,
        evidence: vec![
            Figure::new("requests", 3100.5, Unit::PerSecond),
            Figure::new("ratio", f64::NAN, Unit::Count),
        ],
        held_back: 3,
    };
    let view = EventView::from(&event);
    assert_eq!(view.at, "2026-11-22T01:38:24.250Z");
    assert_eq!(view.evidence[1].value, 0.0);
    let line = serde_json::to_string(&view).unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(serde_json::from_str::<EventView>(&line).unwrap(), view);
}

#[test]
fn a_line_of_another_release_is_read_as_far_as_it_is_known() {
    let line = r#"{"id":1,"at":"a","onset":"b","event":"new_kind","cause":"","state":"began",
        "sentence":"Something new.","unheard_of":[1,2]}"#;
    let view: EventView = serde_json::from_str(line).unwrap();
    assert_eq!((view.event.as_str(), view.tenant), ("new_kind", None));
}

#[test]
fn times_beyond_any_calendar_are_written_all_the_same() {
    assert!(rfc3339(Timestamp::MAX).starts_with("2554-"));
    assert!(rfc3339(Timestamp::ZERO).starts_with("1970-"));
}

#[test]
fn what_is_to_be_typed_is_told_from_the_words_around_it() {
    let line = r#"{"id":1,"at":"2026-11-22T01:38:24.250Z","onset":"2026-11-22T01:38:20.000Z","event":"e","cause":"c",
        "state":"began","sentence":"s","advice":"raise it (`tenant limit`), or not"}"#;
    let view: EventView = serde_json::from_str(line).unwrap();
    let parts = view.advice_parts();
    assert_eq!(
        parts,
        [
            (false, "raise it ("),
            (true, "tenant limit"),
            (false, "), or not")
        ]
    );
    assert_eq!((view.day(), view.time()), ("2026-11-22", "01:38:24"));
    assert_eq!(view.since(), "01:38:20");
}
