//! Tests of wishes: each is answered, by whichever test of its node ends next.

use std::sync::Arc;

use fleet::membership::{Event, Standing};
use fleet::registry::Role;
use runtime::Clock;
use runtime::state;
use runtime::store::LocalStore;

use super::*;

const T0: Timestamp = Timestamp::from_secs(1_000_000);
const NODE5: MemberId = MemberId(5);
const NODE6: MemberId = MemberId(6);

fn member(standing: Standing) -> MemberRecord {
    MemberRecord {
        name: "node".to_owned(),
        role: Role::Cache,
        address: "127.0.0.1:1".to_owned(),
        weight: 100,
        standing,
        memory_bytes: 0,
    }
}

/// Both wait to be tested.
fn registry() -> Registry {
    let mut registry = Registry::default();
    for id in [NODE5, NODE6] {
        registry.members.insert(id, member(Standing::new(T0)));
        registry.alive.insert(id);
    }
    registry
}

fn record(id: MemberId, outcome: &str) -> NodeRecord {
    NodeRecord {
        member: id.0,
        outcome: outcome.to_owned(),
        ..NodeRecord::default()
    }
}

fn wishes(after: u64) -> Vec<GateRequest> {
    let of = |id: MemberId| GateRequest {
        member: id.0,
        at_unix_ms: 1,
        after,
    };
    vec![of(NODE5), of(NODE6)]
}

/// What came of a wish for the first of the two, which now stands like this.
fn answer(registry: &Registry, report: &mut GateReport) -> Option<NodeRecord> {
    let before = report.last_test(NODE5);
    let over = settle(report, &wishes(before)[..1], registry, 77);
    let record = report.nodes.iter().find(|it| it.member == NODE5.0);
    assert_eq!(over.is_empty(), report.last_test(NODE5) == before);
    record.filter(|it| it.test > before).cloned()
}

#[test]
fn each_node_has_a_wish_of_its_own_and_a_second_one_for_it_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let state = state::State::open(&dir.path().join("store")).unwrap();
    let store = LocalStore::new(Arc::new(state), Clock::new()).unwrap();
    let later = |seconds: u64| T0 + std::time::Duration::from_secs(seconds);
    assert_eq!(wish(&store, NODE6, T0).unwrap(), 0);
    assert_eq!(wish(&store, NODE5, later(1)).unwrap(), 0);
    assert_eq!(wish(&store, NODE5, later(2)).unwrap(), 0);
    let known = || read(&store.range("gate/", Detail::Values).unwrap());
    let members = |wishes: Vec<GateRequest>| wishes.iter().map(|it| it.member).collect::<Vec<_>>();
    assert_eq!(members(known()), [6, 5]);
    let mut report = GateReport::default();
    report.note(record(NODE5, "refused"));
    let json = serde_json::to_vec(&report).unwrap();
    let change = without(Change::default().put(REPORT, json), &[NODE5]);
    store.commit(&change).unwrap();
    assert_eq!(members(known()), [6]);
    assert_eq!(wish(&store, NODE5, later(3)).unwrap(), 1);
}

#[test]
fn a_wish_is_over_once_a_test_has_ended_that_nobody_asked_for() {
    let mut report = GateReport::default();
    report.note(record(NODE6, "refused"));
    let over = settle(&mut report, &wishes(0), &registry(), 77);
    assert_eq!(over, [NODE6]);
    assert_eq!(report.tests, 1, "there is nothing new to tell");
}

#[test]
fn what_a_steward_was_doing_when_it_died_answers_nobody() {
    let mut report = GateReport {
        candidate: Some("node5".to_owned()),
        doing: Some("round 1 of 4".to_owned()),
        ..GateReport::default()
    };
    let over = settle(&mut report, &wishes(0), &registry(), 77);
    assert!(over.is_empty(), "{over:?}");
}

#[test]
fn who_cannot_be_tested_any_more_is_answered_as_well() {
    let mut fleet = registry();
    let mut report = GateReport::default();
    assert_eq!(answer(&fleet, &mut report), None);
    let mut stands = |event: Event| {
        let standing = Standing::new(T0).after(event, T0).unwrap();
        fleet.members.insert(NODE5, member(standing));
        answer(&fleet, &mut report).unwrap()
    };
    assert_eq!(stands(Event::Drain).outcome, "failed");
    let passed = stands(Event::Passed);
    assert_eq!(passed.outcome, "admitted");
    assert!(passed.lines()[0].contains("node is admitted: it is on its way in"));
    fleet.members.insert(NODE5, member(Standing::new(T0)));
    fleet.alive.remove(&NODE5);
    let gone = answer(&fleet, &mut report).unwrap();
    assert_eq!(
        gone.lines(),
        ["node could not be tested: it does not run any more"]
    );
}

#[test]
fn who_has_passed_by_a_test_is_told_its_figures() {
    let mut fleet = registry();
    let passed = Standing::new(T0).after(Event::Passed, T0).unwrap();
    fleet.members.insert(NODE5, member(passed));
    let mut report = GateReport::default();
    report.note(NodeRecord {
        at_unix_ms: 33,
        ..record(NODE5, "admitted")
    });
    let again = answer(&fleet, &mut report).unwrap();
    assert_eq!((again.at_unix_ms, again.test), (33, 2));
}

#[test]
fn a_wish_for_a_member_that_was_removed_is_forgotten() {
    let mut report = GateReport::default();
    let over = settle(&mut report, &wishes(0), &Registry::default(), 77);
    assert_eq!(over, [NODE5, NODE6]);
}
