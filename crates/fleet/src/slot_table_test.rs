//! Every order in which a node and a gateway can learn of a change.

use super::*;
use crate::testing::{changed, ring, weights};

const ME: MemberId = MemberId(1);
const UNSURE: Admission = Admission::Refuse(Refusal::Unsure);
const OLDER: Admission = Admission::Refuse(Refusal::Older);
const NOT_OWNER: Admission = Admission::Refuse(Refusal::NotOwner);

fn claim(slot: Slot, epoch: u64) -> Claim {
    Claim {
        slot,
        epoch: Epoch(epoch),
        vouched: true,
    }
}

/// Node 1 in a ring of one, and the rings as the slot given moves to node 2 and comes back.
fn there_and_back() -> (SlotTable, Slot, [Ring; 5]) {
    let first = ring(&[1]);
    let leaving = first.propose(&weights(&[1, 1])).unwrap().unwrap();
    let slot = leaving.moving()[0].slot;
    let gone = leaving.commit().unwrap();
    let coming = gone.propose(&weights(&[1])).unwrap().unwrap();
    let back = coming.commit().unwrap();
    let mut table = SlotTable::new(ME);
    table.learn(&first);
    (table, slot, [first, leaving, gone, coming, back])
}

#[test]
fn the_owner_serves_at_its_epoch() {
    let (mut table, slot, _) = there_and_back();
    assert_eq!(
        table.admit(claim(slot, 1), Standing::Assured),
        Admission::Serve
    );
    assert_eq!(table.admit(claim(slot, 0), Standing::Assured), OLDER);
    assert_eq!(table.epoch(slot), Epoch(1));
}

#[test]
fn a_slot_that_moves_is_served_by_nobody_until_it_has() {
    let (mut table, slot, [_, leaving, gone, coming, back]) = there_and_back();
    table.learn(&leaving);
    assert_eq!(table.admit(claim(slot, 1), Standing::Assured), OLDER);
    assert_eq!(
        table.epoch(slot),
        Epoch(2),
        "the reply says that there is news"
    );
    table.learn(&gone);
    assert_eq!(table.admit(claim(slot, 1), Standing::Assured), OLDER);
    assert_eq!(table.admit(claim(slot, 2), Standing::Assured), NOT_OWNER);
    table.learn(&coming);
    assert_eq!(table.admit(claim(slot, 2), Standing::Assured), OLDER);
    table.learn(&back);
    assert_eq!(table.admit(claim(slot, 2), Standing::Assured), OLDER);
    assert_eq!(
        table.admit(claim(slot, 3), Standing::Assured),
        Admission::Serve
    );
    assert_eq!(table.version(), Epoch(3));
}

#[test]
fn a_gateway_that_knows_more_is_believed() {
    let (mut table, slot, [first, _, gone, coming, back]) = there_and_back();
    assert_eq!(
        table.admit(claim(slot, 3), Standing::Assured),
        Admission::Serve
    );
    assert_eq!(
        table.admit(claim(slot, 1), Standing::Assured),
        OLDER,
        "and what it knew is past"
    );
    for ring in [first, gone, coming, back] {
        table.learn(&ring);
        assert_eq!(
            table.admit(claim(slot, 3), Standing::Assured),
            Admission::Serve
        );
    }
    assert_eq!(table.admit(claim(slot, 2), Standing::Assured), OLDER);
}

#[test]
fn a_gateway_ahead_of_the_announcement_is_believed_too() {
    let (mut table, slot, [_, _, gone, coming, _]) = there_and_back();
    table.learn(&gone);
    table.learn(&coming);
    // The change is made; the gateway has heard, the node has not.
    assert_eq!(
        table.admit(claim(slot, 3), Standing::Assured),
        Admission::Serve
    );
    table.learn(&coming);
    assert_eq!(
        table.admit(claim(slot, 3), Standing::Assured),
        Admission::Serve
    );
}

#[test]
fn rings_learned_out_of_order_take_nothing_back() {
    let (mut table, slot, [first, leaving, gone, ..]) = there_and_back();
    table.learn(&gone);
    for ring in [&first, &leaving] {
        table.learn(ring);
        assert_eq!(table.admit(claim(slot, 1), Standing::Assured), OLDER);
        assert_eq!(table.admit(claim(slot, 2), Standing::Assured), NOT_OWNER);
    }
}

#[test]
fn what_is_declared_void_has_another_stamp_at_the_same_node() {
    let (mut table, slot, [first, ..]) = there_and_back();
    let voiding = first.propose_void(ME).unwrap().unwrap();
    table.learn(&voiding);
    assert_eq!(table.admit(claim(slot, 1), Standing::Assured), OLDER);
    table.learn(&voiding.commit().unwrap());
    assert_eq!(
        table.admit(claim(slot, 2), Standing::Assured),
        Admission::Serve
    );
}

#[test]
fn one_of_the_two_must_be_sure() {
    let (mut table, slot, _) = there_and_back();
    let unsure = Claim {
        vouched: false,
        ..claim(slot, 1)
    };
    let mut admit = |claim, standing| table.admit(claim, standing);
    assert_eq!(admit(unsure, Standing::Assured), Admission::Serve);
    assert_eq!(admit(unsure, Standing::Unsure), UNSURE);
    assert_eq!(admit(claim(slot, 1), Standing::Unsure), Admission::Serve);
    assert_eq!(admit(claim(slot, 1), Standing::Starting), UNSURE);
}

#[test]
fn a_node_out_of_the_ring_serves_nothing() {
    let mut table = SlotTable::new(MemberId(9));
    let mut now = ring(&[1, 1]);
    for of in [[2, 1], [1, 2], [0, 1]] {
        now = changed(&now, &weights(&of));
        table.learn(&now);
        for slot in Slot::all() {
            let epoch = now.holding(slot).epoch.0;
            assert_eq!(
                table.admit(claim(slot, epoch), Standing::Assured),
                NOT_OWNER
            );
        }
    }
}
