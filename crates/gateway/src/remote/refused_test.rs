//! Tests of the answers to what was not carried out.

use base::Timestamp;
use base::kv::{Arith, Delete, Expiry, Get, Op, Outcome, Store, StoreMode};

use super::refused;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn of(op: Op<'_>) -> (Outcome, bool) {
    let refused = refused(&op, NOW);
    (refused.outcome, refused.drops_item)
}

fn store(mode: StoreMode, compare_cas: Option<u64>) -> Op<'static> {
    Op::Store(Store {
        key: b"k",
        value: b"v",
        flags: 0,
        expiry: Expiry::NEVER,
        mode,
        compare_cas,
        new_cas: None,
        invalidate: false,
        vivify: None,
    })
}

#[test]
fn a_read_finds_nothing_and_leaves_the_item() {
    assert_eq!(of(Op::Get(Get::plain(b"k"))), (Outcome::Miss, false));
    let touch = |end| {
        of(Op::Get(Get {
            touch: Some(end),
            ..Get::plain(b"k")
        }))
    };
    assert!(!touch(Expiry::at_unix_secs(2_000_000_000)).1);
    assert_eq!(touch(Expiry::PAST), (Outcome::Miss, true));
}

#[test]
fn a_change_was_not_made_and_the_item_goes() {
    assert_eq!(of(store(StoreMode::Set, None)), (Outcome::NotStored, true));
    assert_eq!(
        of(store(StoreMode::Append, None)),
        (Outcome::NotStored, true)
    );
    assert_eq!(
        of(store(StoreMode::Set, Some(3))),
        (Outcome::NotFound, true)
    );
    assert_eq!(of(store(StoreMode::Add, None)), (Outcome::NotStored, false));
    let delete = Op::Delete(Delete {
        key: b"k",
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    });
    assert_eq!(of(delete), (Outcome::NotFound, true));
    let arith = Op::Arith(Arith {
        key: b"k",
        delta: 1,
        decrement: false,
        initial: None,
        touch: None,
        expiry_before: false,
        compare_cas: None,
        new_cas: None,
    });
    assert_eq!(of(arith), (Outcome::NotFound, true));
}
