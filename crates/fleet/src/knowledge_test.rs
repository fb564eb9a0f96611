//! Assurance comes from the store or from enough nodes, runs out, and never from hearsay alone.

use super::*;
use crate::testing::{changed, ring, weights};

const fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

/// Knows version 1 of a ring with four nodes, confirmed by the store at 0.
fn member() -> Knowledge {
    let mut member = Knowledge::new(None, Leases::default(), at(0));
    assert_eq!(
        member.learn(&Arc::new(ring(&[1; 4])), at(0)),
        Learned::Newer
    );
    member
}

#[test]
fn the_store_assures_for_a_lease() {
    let mut member = member();
    assert_eq!(member.standing(Errand::Read, at(30)), Standing::Assured);
    assert_eq!(member.standing(Errand::Read, at(31)), Standing::Unsure);
    assert_eq!(member.standing(Errand::Change, at(4)), Standing::Assured);
    assert_eq!(member.standing(Errand::Change, at(5)), Standing::Unsure);
    let same = Arc::clone(member.ring());
    assert_eq!(member.learn(&same, at(40)), Learned::Same);
    assert_eq!(member.standing(Errand::Read, at(70)), Standing::Assured);
    // An answer that took long to come makes nothing younger, one out of order nothing older.
    assert_eq!(member.learn(&same, at(20)), Learned::Same);
    assert_eq!(member.assured_at(), Some(at(40)));
}

#[test]
fn a_ring_kept_from_an_earlier_run_assures_of_nothing() {
    let member = Knowledge::new(Some(Arc::new(ring(&[1; 4]))), Leases::default(), at(0));
    assert_eq!(member.ring().version(), Epoch(1));
    assert_eq!(member.standing(Errand::Read, at(30)), Standing::Starting);
    assert_eq!(member.standing(Errand::Read, at(31)), Standing::Unsure);
    assert_eq!(member.announced(), None, "it may have said more before");
    assert_eq!(self::member().announced(), Some(Epoch(1)));
}

#[test]
fn enough_nodes_that_know_of_nothing_newer_stand_in_for_the_store() {
    let mut member = member();
    let mut report = |id, secs| {
        member.report(MemberId(id), Some(Epoch(1)), at(secs));
        member.assured_at()
    };
    assert_eq!(report(1, 100), Some(at(0)));
    assert_eq!(report(1, 101), Some(at(0)), "one node does not vote twice");
    assert_eq!(report(2, 102), Some(at(0)));
    assert_eq!(report(77, 103), Some(at(0)), "it owns nothing");
    assert_eq!(report(3, 104), Some(at(101)), "the oldest of the three");
    assert_eq!(
        report(4, 105),
        Some(at(102)),
        "the oldest of the newest three"
    );
}

#[test]
fn a_node_that_has_just_started_is_no_witness() {
    let mut member = member();
    for id in 1..=4 {
        member.report(MemberId(id), None, at(100));
    }
    assert_eq!(member.assured_at(), Some(at(0)));
}

#[test]
fn who_knows_of_something_newer_is_no_witness_but_news() {
    let mut member = member();
    for id in 1..=2 {
        member.report(MemberId(id), Some(Epoch(1)), at(100));
    }
    assert!(!member.is_behind());
    for id in 3..=4 {
        member.report(MemberId(id), Some(Epoch(2)), at(100));
    }
    assert!(member.is_behind());
    assert_eq!(member.assured_at(), Some(at(0)));
    let newer = changed(member.ring(), &weights(&[1; 3]));
    assert_eq!(member.learn(&Arc::new(newer), at(101)), Learned::Newer);
    assert!(!member.is_behind());
    assert_eq!(member.assured_at(), Some(at(101)));
}

#[test]
fn an_older_ring_is_not_believed() {
    let mut member = member();
    let old = Arc::clone(member.ring());
    let announced = old.propose(&weights(&[1; 3])).unwrap().unwrap();
    let announced = Arc::new(announced);
    let made = Arc::new(announced.commit().unwrap());
    assert_eq!(member.learn(&announced, at(1)), Learned::Newer);
    assert_eq!(member.learn(&old, at(2)), Learned::Older);
    assert_eq!(member.learn(&made, at(3)), Learned::Newer);
    assert_eq!(member.learn(&announced, at(4)), Learned::Older);
    assert_eq!(member.assured_at(), Some(at(3)));
    assert_eq!(member.announced(), Some(Epoch(2)));
}

#[test]
fn with_a_change_under_way_those_vote_who_will_own() {
    let mut member = member();
    // All of nodes 1 to 4 hand over to 5 to 8, who alone decide on what comes after.
    let next = (5..=8).map(|id| (MemberId(id), 1)).collect();
    let announced = member.ring().propose(&next).unwrap().unwrap();
    member.learn(&Arc::new(announced), at(1));
    for id in 1..=4 {
        member.report(MemberId(id), Some(Epoch(2)), at(100));
    }
    assert_eq!(member.assured_at(), Some(at(1)));
    for id in 5..=7 {
        member.report(MemberId(id), Some(Epoch(2)), at(100));
    }
    assert_eq!(member.assured_at(), Some(at(100)));
}

#[test]
fn an_empty_ring_needs_the_store() {
    let mut member = Knowledge::new(None, Leases::default(), at(0));
    member.report(MemberId(1), Some(Epoch(0)), at(1));
    assert_eq!(member.assured_at(), None);
    member.learn(&Arc::new(Ring::empty()), at(2));
    assert_eq!(member.assured_at(), Some(at(2)));
}

#[test]
fn changes_end_before_another_can_have_taken_over() {
    let leases = Leases::default();
    assert!(leases.change + Duration::from_secs(1) <= crate::change::GRACE);
    assert!(leases.change < leases.read);
}
