//! Slots and incarnations at their bounds.

use super::*;

#[test]
fn every_hash_has_a_slot_and_every_slot_hashes() {
    assert_eq!(Slot::of_hash(0).number(), 0);
    assert_eq!(
        usize::from(Slot::of_hash(u64::MAX).number()),
        SLOT_COUNT - 1
    );
    for slot in Slot::all() {
        assert_eq!(Slot::new(slot.number()), Some(slot));
        assert_eq!(Slot::of_hash((slot.index() as u64) << 52), slot);
        assert_eq!(
            Slot::of_hash(((slot.index() as u64) << 52) | ((1 << 52) - 1)),
            slot
        );
    }
    assert_eq!(Slot::new(SLOT_COUNT as u16), None);
    assert_eq!(Slot::all().len(), SLOT_COUNT);
}

#[test]
fn tokens_of_two_incarnations_never_meet() {
    let last = Incarnation::new((1 << 24) - 1).unwrap();
    assert_eq!(Incarnation::new(1 << 24), None);
    assert_eq!(Incarnation::ALONE.first_cas(), 1);
    for number in [0, 1, 77, (1 << 24) - 2] {
        let (this, next) = (Incarnation::new(number), Incarnation::new(number + 1));
        let end = this.unwrap().first_cas() + Incarnation::CAS_TOKENS;
        assert_eq!(end, next.unwrap().first_cas());
    }
    assert!(
        last.first_cas()
            .checked_add(Incarnation::CAS_TOKENS - 2)
            .is_some()
    );
}

#[test]
fn epochs_grow() {
    assert!(Epoch::ZERO < Epoch::ZERO.next());
    assert_eq!(Epoch(7).next(), Epoch(8));
    assert_eq!(Epoch(7).to_string(), "epoch 7");
    assert_eq!(Epoch(0x05_0403_0201).stamp(), [1, 2, 3, 4, 5]);
    assert_eq!(crate::kv::KEY_LEN_MAX + Epoch(7).stamp().len(), 255);
}
