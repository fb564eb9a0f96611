//! Changes in two steps; epochs only grow, and only where something changed.

use super::*;
use crate::testing::{changed, ring, weights};

#[test]
fn a_change_is_announced_then_made() {
    let before = ring(&[1, 1]);
    let announced = before.propose(&weights(&[1, 1, 1])).unwrap().unwrap();
    assert_eq!(announced.version(), before.version());
    assert_eq!(announced.announced(), Epoch(2));
    assert_eq!(announced.holdings(), before.holdings());
    let after = announced.commit().unwrap();
    assert_eq!((after.version(), after.announced()), (Epoch(2), Epoch(2)));
    for Move { slot, to } in announced.moving() {
        let epoch = Epoch(2);
        assert_eq!(after.holding(*slot), Holding { owner: *to, epoch });
    }
    let stayed = Slot::all().filter(|slot| after.holding(*slot).epoch == Epoch(1));
    assert_eq!(stayed.count(), SLOT_COUNT - announced.moving().len());
}

#[test]
fn changes_follow_each_other() {
    let announced = ring(&[1]).propose(&weights(&[1, 1])).unwrap().unwrap();
    let again = announced.propose(&weights(&[1, 1, 1]));
    assert_eq!(again, Err(ChangeError::UnderWay));
    assert_eq!(
        announced.propose_void(MemberId(1)),
        Err(ChangeError::UnderWay)
    );
    assert_eq!(ring(&[1]).commit(), Err(ChangeError::Idle));
    assert_eq!(ring(&[1, 1]).propose(&weights(&[2, 2])), Ok(None));
}

#[test]
fn epochs_never_fall_and_grow_with_every_change_of_owner() {
    let mut before = Ring::empty();
    for step in 0..40_u32 {
        let of = [step % 3, step % 5, 1 + step % 7, (step / 2) % 4];
        let after = changed(&before, &weights(&of));
        for slot in Slot::all() {
            let (old, new) = (before.holding(slot), after.holding(slot));
            assert!(new.epoch >= old.epoch && new.epoch <= after.version());
            assert_eq!(new.owner != old.owner, new.epoch != old.epoch, "{slot}");
        }
        before = after;
    }
    assert!(before.version() > Epoch(20));
}

#[test]
fn what_a_node_holds_can_be_declared_void() {
    let before = ring(&[1, 3]);
    let after = before.propose_void(MemberId(1)).unwrap().unwrap();
    let after = after.commit().unwrap();
    for slot in Slot::all() {
        let (old, new) = (before.holding(slot), after.holding(slot));
        assert_eq!(old.owner, new.owner);
        assert_eq!(new.epoch == Epoch(2), old.owner == Some(MemberId(1)));
    }
    assert_eq!(before.propose_void(MemberId(9)), Ok(None));
}

#[test]
fn a_ring_out_of_a_backup_reuses_no_epoch() {
    let old = ring(&[1, 1]).propose(&weights(&[1])).unwrap().unwrap();
    for newest in [Epoch(0), Epoch(2), Epoch(70)] {
        let restored = old.restored(newest);
        assert!(restored.version() > newest && restored.version() > old.announced());
        assert!(restored.moving().is_empty());
        for slot in Slot::all() {
            let held = restored.holding(slot);
            assert_eq!(held.owner, old.holding(slot).owner);
            assert_eq!(held.epoch, restored.version());
        }
    }
}

#[test]
fn parts_that_contradict_each_other_make_no_ring() {
    let slots = || ring(&[1]).slots;
    let slot = Slot::new(7).unwrap();
    let to = Some(MemberId(2));
    let step = Move { slot, to };
    assert!(Ring::from_parts(Epoch(1), slots(), vec![step]).is_some());
    assert!(Ring::from_parts(Epoch(1), slots(), vec![step, step]).is_none());
    assert!(Ring::from_parts(Epoch(0), slots(), vec![]).is_none());
}
