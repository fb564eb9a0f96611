//! Events as people read them.

use super::*;
use crate::observe::event_view::FigureView;

fn event() -> EventView {
    let figure = |name: &str, value, unit: &str| FigureView {
        name: name.into(),
        value,
        unit: unit.into(),
    };
    EventView {
        id: 3,
        at: "2026-11-22T01:38:24.250Z".into(),
        onset: "2026-11-22T01:38:20.000Z".into(),
        event: "tenant_throttled".into(),
        cause: "ops".into(),
        state: "began".into(),
        tenant: Some("acme".into()),
        sentence: "Tenant acme waits.".into(),
        advice: Some("Raise its limit.".into()),
        evidence: vec![
            figure("used", 998.0, "per_second"),
            figure("paused", 45.25, "percent"),
            figure("queue", 3.0, "count"),
            figure("out", 1e6, "bytes_per_second"),
            figure("delay", 2.5, "ms"),
        ],
        held_back: 0,
    }
}

#[test]
fn the_sentence_comes_first() {
    assert_eq!(
        told(&event(), false),
        "2026-11-22T01:38:24.250Z  began     Tenant acme waits.\n\
         \x20   Raise its limit.\n\
         \x20   [tenant_throttled] used 998/s, paused 45.2 %, queue 3, out 1000000 bytes/s, delay 2.5 ms\n"
    );
}

#[test]
fn what_is_not_there_takes_no_line() {
    let mut event = event();
    event.advice = None;
    event.evidence.clear();
    assert_eq!(told(&event, false).lines().count(), 1);
    event.held_back = 7;
    assert!(told(&event, false).ends_with("(7 events before this one were not written)\n"));
}

#[test]
fn only_a_terminal_gets_colour() {
    assert!(!told(&event(), false).contains('\x1b'));
    assert!(told(&event(), true).contains("\x1b[1mTenant acme waits.\x1b[0m"));
}
