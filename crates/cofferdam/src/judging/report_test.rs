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
    let (mut docket, fleet) = (Docket::default(), fleet());
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
    let mut other = Docket::default();
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
