//! The way in, out and back, and every pair of state and event.

use super::*;

const WEIGHT: u32 = 1000;

const STATES: [State; 8] = [
    State::Quarantined,
    State::Shadow,
    State::Ramping,
    State::Serving,
    State::Suspect,
    State::Ejected,
    State::Probation,
    State::Drained,
];

const EVENTS: [Event; 9] = [
    Event::Passed,
    Event::Refused,
    Event::Held,
    Event::Suspected,
    Event::Relieved,
    Event::Cleared,
    Event::Condemned,
    Event::Drain,
    Event::Readmit,
];

const fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn held(standing: Standing) -> Standing {
    let until = standing.holds_until().unwrap();
    standing.after(Event::Held, until).unwrap()
}

#[test]
fn a_new_node_comes_in_by_the_gate_and_step_by_step() {
    let new = Standing::new(at(0));
    assert_eq!(new.share_of(WEIGHT), 0);
    assert!(
        new.after(Event::Held, at(3600)).is_err(),
        "time alone lets nobody in"
    );
    let mut standing = new.after(Event::Passed, at(1)).unwrap();
    let mut shares = Vec::new();
    while standing.state() != State::Serving {
        shares.push(standing.share_of(WEIGHT));
        standing = held(standing);
    }
    assert_eq!(shares, [0, 10, 50, 250, 500]);
    assert_eq!(standing.share_of(WEIGHT), WEIGHT);
    assert_eq!(standing.since().since(at(0)), Duration::from_secs(51));
}

#[test]
fn what_goes_wrong_on_the_way_in_ends_at_the_gate() {
    let mut standing = Standing::new(at(0)).after(Event::Passed, at(1)).unwrap();
    while standing.state() != State::Serving {
        for fault in [Event::Suspected, Event::Condemned] {
            let back = standing.after(fault, at(90)).unwrap();
            assert_eq!(back.state(), State::Quarantined);
        }
        standing = held(standing);
    }
    let drained = Standing::new(at(0)).after(Event::Drain, at(1)).unwrap();
    let back = drained.after(Event::Readmit, at(2)).unwrap();
    assert_eq!(
        back.state(),
        State::Quarantined,
        "an operator's word is no test"
    );
}

#[test]
fn good_for_too_short_a_time_leads_nowhere() {
    let shadow = Standing::new(at(0)).after(Event::Passed, at(1)).unwrap();
    let early = shadow.holds_until().unwrap() - Duration::from_nanos(1);
    assert_eq!(shadow.after(Event::Held, early), Ok(shadow));
}

#[test]
fn a_slow_node_goes_and_comes_back_within_two_minutes() {
    let serving = Standing::founder(at(0));
    let suspect = serving.after(Event::Suspected, at(100)).unwrap();
    assert_eq!(suspect.share_of(WEIGHT), WEIGHT);
    let mut standing = suspect.after(Event::Condemned, at(103)).unwrap();
    assert_eq!(
        (standing.state(), standing.share_of(WEIGHT)),
        (State::Ejected, 0)
    );
    standing = held(standing);
    assert_eq!(
        (standing.state(), standing.share_of(WEIGHT)),
        (State::Probation, 10)
    );
    while standing.state() != State::Serving {
        standing = held(standing);
    }
    assert!(standing.since().since(at(103)) <= Duration::from_secs(120));
}

#[test]
fn a_suspect_is_relieved_once() {
    let serving = Standing::founder(at(0));
    assert!(serving.after(Event::Relieved, at(1)).is_err());
    let suspect = serving.after(Event::Suspected, at(100)).unwrap();
    assert!(!suspect.is_relieved());
    assert_eq!(suspect.share_of(WEIGHT), WEIGHT);
    let relieved = suspect.after(Event::Relieved, at(102)).unwrap();
    assert_eq!(relieved.share_of(WEIGHT), 500);
    assert_eq!(
        (relieved.state(), relieved.since()),
        (State::Suspect, at(100))
    );
    assert!(relieved.is_relieved());
    assert_eq!(relieved.after(Event::Relieved, at(200)), Ok(relieved));
    let again = relieved.after(Event::Cleared, at(110)).unwrap();
    let again = held(again).after(Event::Suspected, at(130)).unwrap();
    assert_eq!(again.share_of(WEIGHT), WEIGHT);
}

#[test]
fn who_keeps_failing_stays_out_twice_as_long_each_time() {
    let mut standing = Standing::founder(at(0))
        .after(Event::Condemned, at(1))
        .unwrap();
    let mut out = Vec::new();
    for _ in 0..9 {
        let until = standing.holds_until().unwrap();
        out.push(until.since(standing.since()).as_secs());
        standing = held(standing).after(Event::Suspected, until).unwrap();
    }
    assert_eq!(out, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
}

#[test]
fn ejections_are_forgiven_after_a_good_while() {
    let again = |serving_s| {
        let mut standing = Standing::founder(at(0))
            .after(Event::Condemned, at(1))
            .unwrap();
        while standing.state() != State::Serving {
            standing = held(standing);
        }
        let later = standing.since() + Duration::from_secs(serving_s);
        let standing = standing.after(Event::Condemned, later).unwrap();
        standing.holds_until().unwrap().since(later).as_secs()
    };
    assert_eq!(again(599), 20);
    assert_eq!(again(600), 10);
}

#[test]
fn a_cleared_suspect_goes_on_where_it_was() {
    let suspect = Standing::founder(at(0))
        .after(Event::Suspected, at(1))
        .unwrap();
    let cleared = suspect.after(Event::Cleared, at(2)).unwrap();
    assert_eq!(cleared.share_of(WEIGHT), 500);
    assert_eq!(held(cleared).state(), State::Serving);
}

#[test]
fn every_pair_leads_where_the_table_says_or_is_refused() {
    for state in STATES {
        for event in EVENTS {
            let standing = Standing {
                state,
                ..Standing::founder(at(0))
            };
            let rows = TRANSITIONS.iter();
            let to: Vec<State> = rows
                .filter(|row| (row.0, row.1) == (state, event))
                .map(|row| row.2)
                .collect();
            assert!(to.len() <= 1, "{state:?} {event:?} is there twice");
            let after = standing.after(event, at(100_000));
            match (to.first(), after) {
                (None, Err(refused)) => assert_eq!(refused, NotPossible { state, event }),
                // One step of the ramp at a time.
                (Some(State::Serving), Ok(next)) => assert_eq!(next.state(), State::Ramping),
                (Some(to), Ok(next)) => assert_eq!(next.state(), *to),
                (to, after) => panic!("{state:?} {event:?}: {to:?}, but {after:?}"),
            }
        }
        let out = TRANSITIONS.iter().any(|row| row.0 == state);
        let into = TRANSITIONS.iter().any(|row| row.2 == state);
        assert!(out && (into || state == State::Quarantined), "{state:?}");
    }
}

#[test]
fn what_cannot_be_is_said_in_words() {
    let said = |standing: Standing, event| standing.after(event, at(1)).unwrap_err().to_string();
    let serving = Standing::founder(at(0));
    assert_eq!(
        said(serving, Event::Readmit),
        "a node that is serving cannot be readmitted"
    );
    assert_eq!(
        said(Standing::new(at(0)), Event::Condemned),
        "a node that is quarantined cannot be ejected",
        "and not what that would be to it"
    );
}

#[test]
fn whoever_may_serve_gets_at_least_a_little() {
    let probation = Standing {
        state: State::Probation,
        ..Standing::founder(at(0))
    };
    assert_eq!((probation.share_of(5), probation.share_of(0)), (1, 0));
    assert_eq!(probation.share_of(u32::MAX), u32::MAX / 100);
}

#[test]
fn a_standing_is_what_it_was_after_a_way_through_the_store() {
    let standing = Standing::founder(at(7))
        .after(Event::Suspected, at(9))
        .unwrap();
    let json = serde_json::to_string(&standing).unwrap();
    assert!(json.contains(r#""state":"suspect""#), "{json}");
    assert_eq!(serde_json::from_str::<Standing>(&json).unwrap(), standing);
}
