//! What operators and the judge do to nodes in the store, and what two at once cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fleet::registry::Role;
use runtime::store::{LeaseId, Revision};

use super::super::testing::TestStore;
use super::*;

const EJECT: Act = Act::Eject { force: false };

/// So many nodes that serve and run.
fn fleet_of(nodes: u32) -> TestStore {
    let fleet = TestStore::new();
    for number in 1..=nodes {
        let joined = fleet.join(&format!("node{number}"), Role::Cache);
        let alive = Change::default().put(&alive_key(joined.me), "");
        fleet.store.commit(&alive).unwrap();
    }
    fleet
}

fn order(act: Act) -> Order {
    Order {
        act,
        through: "gateway1".to_owned(),
        why: Some("a new disk".to_owned()),
    }
}

fn done(store: &dyn Store, name: &str, act: Act) -> Result<State, String> {
    let record = operate(store, name, &order(act), Timestamp::from_secs(1_000_000));
    record
        .map(|it| it.standing.state())
        .map_err(|why| why.to_string())
}

fn out(fleet: &TestStore) -> usize {
    fleet.registry().cap().out.len()
}

#[test]
fn what_an_operator_does_is_remembered_with_his_reason() {
    let fleet = fleet_of(3);
    let store = &*fleet.store;
    assert_eq!(done(store, "node1", EJECT), Ok(State::Ejected));
    assert_eq!(done(store, "node1", Act::Readmit), Ok(State::Probation));
    let registry = fleet.registry();
    let deeds = registry.deeds.values().next().unwrap();
    let told: Vec<_> = deeds.iter().map(|it| (it.event, it.by, it.state)).collect();
    let wanted = [
        (Event::Condemned, By::Operator, State::Ejected),
        (Event::Readmit, By::Operator, State::Probation),
    ];
    assert_eq!(told, wanted);
    assert_eq!(deeds[0].why.as_deref(), Some("a new disk"));
    assert_eq!(deeds[0].through, "gateway1");
}

#[test]
fn what_is_refused_changes_nothing() {
    let fleet = fleet_of(4);
    let store = &*fleet.store;
    fleet.join("gateway1", Role::Gateway);
    assert_eq!(done(store, "node1", EJECT), Ok(State::Ejected));
    let before = store.range("", Detail::Keys).unwrap();
    for (name, act, why) in [
        ("node2", EJECT, "no more than 1"),
        ("gateway1", EJECT, "gateway1 is a gateway"),
        ("gateway1", Act::Drain, "gateway1 is a gateway"),
        ("gateway1", Act::Readmit, "gateway1 is a gateway"),
        ("node9", Act::Drain, "there is no member \"node9\""),
        ("node1", EJECT, "a node that is ejected cannot be ejected"),
    ] {
        let said = done(store, name, act).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(store.range("", Detail::Keys).unwrap(), before);
    assert_eq!(
        done(store, "node2", Act::Eject { force: true }),
        Ok(State::Ejected)
    );
}

#[test]
fn a_member_of_a_kind_that_is_not_known_is_said_to_be_one() {
    let fleet = fleet_of(2);
    let strange = r#"{"name":"witness1","role":"witness"}"#;
    let change = Change::default().put(&member_key(MemberId(9)), strange);
    fleet.store.commit(&change).unwrap();
    let said = done(&*fleet.store, "witness1", Act::Drain).unwrap_err();
    assert!(said.contains("this release cannot read"), "{said}");
}

/// A store in which somebody else does something between the reading and the writing of the first who
/// comes.
#[derive(Debug)]
struct Contested {
    store: Arc<dyn Store>,
    other: (&'static str, Act),
    is_over: AtomicBool,
}

impl Store for Contested {
    fn range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StoreError> {
        self.store.range(prefix, detail)
    }

    fn commit(&self, change: &Change) -> Result<Commit, StoreError> {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            let (name, act) = self.other;
            done(&*self.store, name, act).unwrap();
        }
        self.store.commit(change)
    }

    fn wait(&self, prefix: &str, after: Revision, most: Duration) -> Result<bool, StoreError> {
        self.store.wait(prefix, after, most)
    }

    fn grant(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<bool, StoreError> {
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease)
    }
}

fn contested(fleet: &TestStore, name: &'static str, act: Act) -> Contested {
    Contested {
        store: Arc::clone(&fleet.store),
        other: (name, act),
        is_over: AtomicBool::new(false),
    }
}

#[test]
fn of_two_operators_at_once_only_one_takes_the_last_place() {
    let fleet = fleet_of(4);
    let said = done(&contested(&fleet, "node1", EJECT), "node2", EJECT).unwrap_err();
    assert!(said.contains("node1 is ejected"), "{said}");
    assert_eq!(out(&fleet), 1);
}

#[test]
fn two_operators_at_once_do_not_drain_the_last_two() {
    let fleet = fleet_of(2);
    let said = done(&contested(&fleet, "node1", Act::Drain), "node2", Act::Drain).unwrap_err();
    assert!(said.contains("the last node that serves"), "{said}");
}

#[test]
fn what_does_not_take_the_last_place_is_done_at_the_second_try() {
    let fleet = fleet_of(4);
    let store = contested(&fleet, "node1", Act::Drain);
    assert_eq!(done(&store, "node2", EJECT), Ok(State::Ejected));
}

#[test]
fn the_judge_and_an_operator_at_once_keep_to_the_cap() {
    let fleet = fleet_of(4);
    let store = contested(&fleet, "node1", EJECT);
    let now = Timestamp::from_secs(1_000_000);
    let judged = judge_member(&store, "node2", Event::Condemned, now);
    assert!(matches!(judged, Err(ChangeError::CapHolds)), "{judged:?}");
    assert_eq!(out(&fleet), 1);
    // The rule that drills are controlled with knows no cap.
    change_member(&*fleet.store, "node2", Event::Condemned, now).unwrap();
    assert_eq!(out(&fleet), 2);
}
