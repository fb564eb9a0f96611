//! What the journal leaves open, how bad it is, and the words for it.

use super::*;

fn event(id: u64, kind: &str, state: &str, tenant: Option<&str>) -> EventView {
    EventView {
        id,
        at: format!("2026-11-22T00:00:{id:02}.000Z"),
        onset: format!("2026-11-22T00:00:{id:02}.000Z"),
        event: kind.into(),
        cause: "ops".into(),
        state: state.into(),
        tenant: tenant.map(str::to_owned),
        sentence: format!("{kind} {state}."),
        advice: None,
        evidence: Vec::new(),
        held_back: 0,
    }
}

fn kinds(events: &[EventView]) -> Vec<String> {
    let affairs = under_way(events);
    affairs
        .into_iter()
        .map(|affair| affair.event.event)
        .collect()
}

#[test]
fn what_began_goes_on_until_it_ends() {
    let began = event(1, "tenant_throttled", "began", Some("a"));
    let ended = event(3, "tenant_throttled", "ended", Some("a"));
    assert_eq!(kinds(std::slice::from_ref(&began)), ["tenant_throttled"]);
    assert!(kinds(&[began.clone(), ended.clone()]).is_empty());
    let other = event(2, "tenant_throttled", "began", Some("b"));
    assert_eq!(kinds(&[began, other, ended]), ["tenant_throttled"]);
}

#[test]
fn what_happened_is_over_and_a_start_ends_all() {
    let events = [
        event(1, "host_overload", "began", None),
        event(2, "clock_jump", "happened", None),
    ];
    assert_eq!(kinds(&events), ["host_overload"]);
    let started = event(3, "started", "happened", None);
    assert!(kinds(&[events[0].clone(), started]).is_empty());
}

#[test]
fn the_worst_comes_first_then_the_newest() {
    let events = [
        event(1, "tenant_throttled", "began", Some("a")),
        event(2, "door_full", "began", None),
        event(3, "logins_failing", "began", Some("b")),
    ];
    assert_eq!(
        kinds(&events),
        ["door_full", "logins_failing", "tenant_throttled"]
    );
}

#[test]
fn the_verdict_in_words() {
    let of = |events: &[EventView]| Verdict::of(&under_way(events));
    assert_eq!(of(&[]).text, "All is well.");
    let a = event(1, "tenant_throttled", "began", Some("a"));
    let refused = event(2, "tenant_refused", "began", Some("a"));
    let one = of(&[a.clone(), refused]);
    assert_eq!(
        one.text,
        "The service is well; tenant a is held to its limits."
    );
    assert_eq!(one.severity, Severity::Limited);
    let b = event(2, "tenant_refused", "began", Some("b"));
    assert!(of(&[a.clone(), b]).text.contains("2 tenants"));
    let loops = event(3, "loop_stalled", "began", None);
    let bad = of(&[a, loops.clone()]);
    assert_eq!(
        (bad.text.as_str(), bad.severity),
        ("Something is wrong.", Severity::Trouble)
    );
    let unknown = event(4, "from_the_future", "began", None);
    assert_eq!(of(&[loops, unknown]).text, "2 things are wrong.");
}
