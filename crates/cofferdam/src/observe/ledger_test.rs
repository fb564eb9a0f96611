//! Affairs in virtual time: told once, merged, limited, ended.

use super::*;

const START: Timestamp = Timestamp::from_secs(1000);

fn at(secs: u64) -> Timestamp {
    START + Duration::from_secs(secs)
}

fn throttled(tenant: &str, now: Timestamp) -> Signal {
    Signal::lasting(
        EventKind::TenantThrottled,
        now,
        format!("Tenant {tenant} waits."),
        format!("Tenant {tenant} waits no more"),
    )
    .tenant(Some(&Arc::from(tenant)))
    .advice("Raise its limit.")
}

fn moment(now: Timestamp) -> Signal {
    Signal::moment(EventKind::ClockJump, now, "The clock jumped.".into())
}

fn states(events: &[Event]) -> Vec<EventState> {
    events.iter().map(|event| event.state).collect()
}

#[test]
fn an_affair_is_told_when_it_begins_and_when_it_is_over() {
    let mut ledger = Ledger::new(7);
    let begun = ledger.handle(at(0), vec![throttled("acme", at(0))]);
    assert_eq!(states(&begun), [EventState::Began]);
    assert_eq!((begun[0].id, begun[0].onset), (7, at(0)));
    for secs in 1..=30 {
        let told = ledger.handle(at(secs), vec![throttled("acme", at(secs))]);
        assert_eq!(told, [], "{secs}");
    }
    for secs in 31..40 {
        assert_eq!(ledger.handle(at(secs), vec![]), [], "{secs}");
    }
    let ended = ledger.handle(at(40), vec![]);
    assert_eq!(states(&ended), [EventState::Ended]);
    assert_eq!(ended[0].sentence, "Tenant acme waits no more after 30 s.");
    assert_eq!((ended[0].id, ended[0].onset), (8, at(0)));
    assert_eq!(ended[0].advice, None);
    assert_eq!(ledger.under_way(), 0);
}

#[test]
fn what_is_decided_anew_is_told_at_once() {
    let mut ledger = Ledger::new(1);
    let refused = |at_secs: u64, why: &str| {
        let onset = at(at_secs);
        let sentence = format!("Node mc6 is refused: {why}.");
        let signal = Signal::lasting(EventKind::NodeRefused, onset, sentence, "It is no more");
        vec![signal.cause("mc6").decided(onset)]
    };
    let told = ledger.handle(at(0), refused(0, "its line"));
    assert_eq!(states(&told), [EventState::Began]);
    assert_eq!(ledger.handle(at(1), refused(0, "its line")), []);
    // It was tested again meanwhile.
    let told = ledger.handle(at(8), refused(7, "its clock"));
    assert_eq!(states(&told), [EventState::Ongoing]);
    assert_eq!(told[0].sentence, "Node mc6 is refused: its clock.");
    assert_eq!(told[0].onset, at(0));
    assert_eq!(ledger.handle(at(9), refused(7, "its clock")), []);
}

#[test]
fn a_short_lull_belongs_to_it() {
    let mut ledger = Ledger::new(1);
    let mut told = Vec::new();
    for secs in 0..50 {
        let signals = match secs % 9 {
            0 => vec![throttled("acme", at(secs))],
            _ => vec![],
        };
        told.extend(ledger.handle(at(secs), signals));
    }
    assert_eq!(states(&told), [EventState::Began]);
}

#[test]
fn tenants_and_causes_are_told_apart() {
    let mut ledger = Ledger::new(1);
    let signals = vec![
        throttled("acme", at(0)),
        throttled("zeta", at(0)),
        throttled("acme", at(0)).cause("ops"),
        throttled("acme", at(0)),
    ];
    assert_eq!(ledger.handle(at(0), signals).len(), 3);
}

#[test]
fn reminders_come_ever_more_rarely_with_the_figures_of_the_day() {
    let mut ledger = Ledger::new(1);
    let mut told = Vec::new();
    for secs in 0..10_000 {
        let mut signal = throttled("acme", at(0));
        signal.sentence = format!("It is {secs}.");
        told.extend(ledger.handle(at(secs), vec![signal]));
    }
    let times: Vec<u64> = told
        .iter()
        .map(|event| event.at.since(START).as_secs())
        .collect();
    assert_eq!(times, [0, 60, 660, 4260, 7860]);
    assert_eq!(told[1].sentence, "It is 60.");
    assert_eq!(told[1].state, EventState::Ongoing);
}

#[test]
fn never_more_than_ten_in_any_second() {
    let mut ledger = Ledger::new(1);
    let mut told: Vec<Event> = Vec::new();
    for tenths in 0..100u64 {
        let now = START + Duration::from_millis(100 * tenths);
        let signals = (0..50).map(|n| throttled(&format!("t{n}"), now));
        told.extend(ledger.handle(now, signals.collect()));
    }
    for window in told.windows(11) {
        assert!(window[10].at.since(window[0].at) >= WINDOW);
    }
    // Those that go on are all told in the end, and none is lost.
    assert_eq!(told.len(), 50);
    assert_eq!(ledger.held_back_total(), 0);
}

#[test]
fn what_never_gets_its_turn_is_counted_on_the_next_line() {
    let mut ledger = Ledger::new(1);
    let many: Vec<Signal> = (0..25).map(|_| moment(at(0))).collect();
    assert_eq!(ledger.handle(at(0), many).len(), 10);
    let next = ledger.handle(at(1), vec![moment(at(1)), moment(at(1))]);
    assert_eq!((next[0].held_back, next[1].held_back), (15, 0));
    assert_eq!(ledger.held_back_total(), 15);
}

#[test]
fn an_affair_that_was_over_before_its_turn_ends_untold() {
    let mut ledger = Ledger::new(1);
    let now = at(0);
    let mut signals: Vec<Signal> = (0..10).map(|_| moment(now)).collect();
    signals.push(throttled("acme", now));
    assert_eq!(ledger.handle(now, signals).len(), 10);
    let told = ledger.handle(at(20), vec![]);
    assert_eq!(told, []);
    assert_eq!(ledger.held_back_total(), 2);
}

#[test]
fn an_end_waits_for_its_turn() {
    let mut ledger = Ledger::new(1);
    ledger.handle(at(0), vec![throttled("acme", at(0))]);
    let many: Vec<Signal> = (0..10).map(|_| moment(at(10))).collect();
    let full = ledger.handle(at(10), many);
    assert!(full.iter().all(|event| event.state == EventState::Happened));
    let next = ledger.handle(at(11), vec![]);
    assert_eq!(states(&next), [EventState::Ended]);
}

#[test]
fn affairs_without_end_do_not_take_memory_without_end() {
    let mut ledger = Ledger::new(1);
    let signals = (0..5000).map(|n| throttled(&format!("t{n}"), at(0)));
    ledger.handle(at(0), signals.collect());
    assert_eq!(ledger.under_way(), AFFAIRS_MAX);
    assert_eq!(ledger.held_back_total(), 4000);
}

#[test]
fn the_earliest_onset_counts() {
    let mut ledger = Ledger::new(1);
    let now = at(0);
    let mut signals: Vec<Signal> = (0..10).map(|_| moment(now)).collect();
    signals.push(throttled("acme", now));
    ledger.handle(now, signals);
    let told = ledger.handle(at(1), vec![throttled("acme", at(1))]);
    assert_eq!((told[0].onset, told[0].at), (at(0), at(1)));
}

#[test]
fn times_in_words() {
    let words = |millis| in_words(Duration::from_millis(millis));
    assert_eq!(words(800), "800 ms");
    assert_eq!(words(59_999), "59 s");
    assert_eq!(words(120_000), "2 min");
    assert_eq!(words(200_000), "3 min 20 s");
    assert_eq!(words(7_500_000), "2 h 5 min");
}
