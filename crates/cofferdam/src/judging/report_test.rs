//! What is told of decisions and notices, and that it survives the store.

use std::time::Duration;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn fleet() -> Fleet {
    Fleet {
        names: BTreeMap::from([
            (MemberId(3), "node3".to_owned()),
            (MemberId(101), "gateway1".to_owned()),
        ]),
        standings: BTreeMap::from([(MemberId(3), Standing::founder(START))]),
        alive: BTreeSet::new(),
    }
}

fn noted(times: usize) -> (Docket, JudgingReport) {
    let (mut docket, fleet) = (Docket::new(MemberId(101)), fleet());
    for number in 0..times {
        let now = START + Duration::from_secs(number as u64);
        let next = Standing::founder(now);
        docket.note(
            now,
            &fleet,
            MemberId(3),
            Event::Cleared,
            &next,
            &Why::default(),
        );
    }
    let report = docket.report(START, JudgeMode::On, None, &fleet);
    (docket, report)
}

#[test]
fn decisions_are_remembered_but_not_for_ever() {
    let (_, report) = noted(PAST_MAX + 5);
    let past = &report.nodes[0].past;
    assert_eq!(past.len(), PAST_MAX);
    assert_eq!(past[0].at_unix_ms, unix_ms(START) + 5000);
}

#[test]
fn another_gateway_goes_on_from_what_was_told() {
    let (_, report) = noted(2);
    let json = serde_json::to_vec(&report).unwrap();
    let read: JudgingReport = serde_json::from_slice(&json).unwrap();
    assert_eq!(read, report);
    let mut other = Docket::new(MemberId(101));
    other.take_over(&read);
    let told = other.report(START, JudgeMode::On, None, &fleet());
    assert_eq!(told.nodes, report.nodes);
}

#[test]
fn notices_name_members() {
    let both = told(
        &Notice::CapHolds(vec![MemberId(3), MemberId(5)]),
        &fleet(),
        START,
    );
    assert_eq!(both.members, ["node3", "member 5"]);
    assert!(both.sentence.ends_with("at once: node3, member 5."));
    let all = told(&Notice::FleetSlow(Vec::new()), &fleet(), START);
    assert!(all.sentence.starts_with("All nodes"), "{all:?}");
    let slow = told(&Notice::ObserversSlow(vec![MemberId(101)]), &fleet(), START);
    assert_eq!(
        (slow.kind.as_str(), slow.members.len()),
        ("gateway_slow", 1)
    );
}

#[test]
fn what_others_have_done_stands_among_the_decisions_by_its_time() {
    let (_, report) = noted(2);
    let at = |ms: u64| START + Duration::from_millis(ms);
    let deed = |ms, event, state, by| Deed::new(at(ms), event, state, by, "gateway2");
    let deeds = vec![
        deed(500, Event::Condemned, State::Ejected, By::Steward),
        deed(1500, Event::Drain, State::Drained, By::Operator)
            .because(Some("a new disk".to_owned())),
    ];
    let told = report.with_deeds(&BTreeMap::from([(MemberId(3), deeds)]));
    let past = &told.nodes[0].past;
    let doers: Vec<String> = past.iter().map(PastReport::doer).collect();
    let wanted = [
        "the judge at gateway1",
        "the steward at gateway2",
        "the judge at gateway1",
        "an operator at gateway2",
    ];
    assert_eq!(doers, wanted);
    assert_eq!(past[3].why.as_deref(), Some("a new disk"));
    assert_eq!(told.nodes[0].taken_out().unwrap().by, By::Steward);
    let many = vec![deed(9000, Event::Drain, State::Drained, By::Operator); PAST_MAX];
    let told = told.with_deeds(&BTreeMap::from([(MemberId(3), many)]));
    assert_eq!(told.nodes[0].past.len(), PAST_MAX);
    assert!(told.nodes[0].past.iter().all(|it| it.state == "drained"));
}

#[test]
fn a_decision_that_an_earlier_release_told_is_the_judges() {
    let json = serde_json::json!({ "at_unix_ms": 1, "event": "held", "state": "ramping", "score": 1.0,
        "blaming": [] });
    let past: PastReport = serde_json::from_value(json).unwrap();
    assert_eq!(past.doer(), "the judge");
}
