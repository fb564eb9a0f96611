//! Who joins is known again, with or without the store, and no run has another's number.

use std::collections::BTreeSet;

use runtime::store::{Entry, LeaseId};

use super::super::testing::{TestStore, candidate};
use super::*;

/// A store that does not answer.
#[derive(Debug)]
struct Away;

impl Store for Away {
    fn range(&self, _: &str, _: Detail) -> Result<Snapshot, StoreError> {
        Err(StoreError::Unavailable("nobody listens".to_owned()))
    }

    fn commit(&self, _: &Change) -> Result<Commit, StoreError> {
        Err(StoreError::Unavailable("nobody listens".to_owned()))
    }

    fn wait(&self, _: &str, _: Revision, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn grant(&self, _: Duration) -> Result<LeaseId, StoreError> {
        Err(StoreError::Unavailable("nobody listens".to_owned()))
    }

    fn keep_alive(&self, _: LeaseId) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn revoke(&self, _: LeaseId) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn the_first_cache_node_founds_the_fleet_and_nobody_after_it() {
    let fleet = TestStore::new();
    fleet.join("gateway1", Role::Gateway);
    assert_eq!(fleet.registry().founded, None);
    fleet.join("node1", Role::Cache);
    let founded = fleet.registry().founded;
    assert!(founded.is_some());
    for name in ["node2", "node1"] {
        fleet.join(name, Role::Cache);
        assert_eq!(fleet.registry().founded, founded);
    }
}

#[test]
fn a_member_keeps_its_number_and_each_run_has_one_of_its_own() {
    let fleet = TestStore::new();
    let first = fleet.join("node1", Role::Cache);
    let other = fleet.join("node2", Role::Cache);
    let again = fleet.join("node1", Role::Cache);
    assert_eq!((first.me, again.me), (MemberId(1), MemberId(1)));
    assert_eq!(other.me, MemberId(2));
    let runs = [&first, &other, &again].map(|joined| joined.incarnation);
    assert_eq!(
        runs.iter()
            .map(|run| run.number())
            .collect::<BTreeSet<_>>()
            .len(),
        3
    );
    let registry = fleet.registry();
    assert_eq!(registry.members.len(), 2);
    assert!(registry.secret.is_some());
}

#[test]
fn without_the_store_a_member_starts_as_often_as_it_has_numbers() {
    let fleet = TestStore::new();
    let mut seen = BTreeSet::from([fleet.join("node1", Role::Cache).incarnation.number()]);
    let (file, node) = (fleet.file("node1"), candidate("node1", Role::Cache));
    let store: Arc<dyn Store> = Arc::new(Away);
    let start = || join(&node, &store, &file, fleet.clock, Duration::ZERO);
    for _ in 0..RUNS_IN_HAND {
        let joined = start().unwrap();
        assert_eq!(joined.me, MemberId(1));
        assert!(seen.insert(joined.incarnation.number()));
        assert!(joined.snapshot.get("members/1").is_some());
    }
    assert!(start().is_err());
    // With the store it has new ones.
    assert!(seen.insert(fleet.join("node1", Role::Cache).incarnation.number()));
    assert!(seen.insert(start().unwrap().incarnation.number()));
}

#[test]
fn who_was_never_a_member_is_told_why_it_cannot_start() {
    let fleet = TestStore::new();
    let store: Arc<dyn Store> = Arc::new(Away);
    let new = candidate("node9", Role::Cache);
    let error = join(
        &new,
        &store,
        &fleet.file("node9"),
        fleet.clock,
        Duration::ZERO,
    );
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("nobody listens") && text.contains("store.endpoints"),
        "{text}"
    );
}

#[test]
fn a_name_is_of_one_role() {
    let fleet = TestStore::new();
    fleet.join("one", Role::Cache);
    let other = candidate("one", Role::Gateway);
    let (store, file) = (&fleet.store, fleet.file("one"));
    let error = join(&other, store, &file, fleet.clock, Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("another role"), "{error}");
}

#[test]
fn a_gateway_that_had_ended_counts_again() {
    let fleet = TestStore::new();
    let me = fleet.join("gateway1", Role::Gateway).me;
    let record = fleet.registry().members[&me].clone();
    let ended = after_event(&record, Event::Drain, fleet.clock.now()).unwrap();
    let change = Change::default().put(&member_key(me), json(&ended));
    fleet.store.commit(&change).unwrap();
    assert!(fleet.registry().heard().gateways.is_empty());
    fleet.join("gateway1", Role::Gateway);
    assert!(fleet.registry().heard().gateways.contains_key(&me));
}

#[test]
fn a_number_that_is_none_is_not_taken_for_the_first() {
    let entry = |value: &str| Snapshot {
        revision: Revision(1),
        entries: vec![Entry {
            key: NEXT_RUN.to_owned(),
            value: value.into(),
            revision: Revision(1),
        }],
    };
    assert_eq!(number(&Snapshot::default(), NEXT_RUN).unwrap(), 1);
    assert_eq!(number(&entry("7"), NEXT_RUN).unwrap(), 7);
    assert!(number(&entry("seven"), NEXT_RUN).is_err());
}
