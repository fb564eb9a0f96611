//! What every kind of late operation comes to.

use base::Timestamp;
use base::kv::{Arith, Expiry, Get, Op, Outcome, Store, StoreMode};

use super::{Late, answer, of, remove};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

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
fn a_read_finds_nothing() {
    let get = Get::plain(b"k");
    assert_eq!(
        of(&Op::Get(get.clone()), NOW),
        Some(Late::Answer(Outcome::Miss))
    );
    let later = Get {
        touch: Some(Expiry::at_unix_secs(NOW.unix_secs() + 1)),
        vivify: Some(Expiry::NEVER),
        ..get
    };
    assert_eq!(of(&Op::Get(later), NOW), Some(Late::Answer(Outcome::Miss)));
}

#[test]
fn what_removes_an_item_is_carried_out() {
    assert_eq!(of(&Op::Delete(remove(b"k", None)), NOW), None);
    let ending = Get {
        touch: Some(Expiry::PAST),
        ..Get::plain(b"k")
    };
    assert_eq!(of(&Op::Get(ending), NOW), None);
}

#[test]
fn a_change_that_does_not_take_place_leaves_no_old_value() {
    use StoreMode::{Add, Append, Prepend, Replace, Set};
    for mode in [Set, Replace, Append, Prepend] {
        let removal = Some(Late::Remove(remove(b"k", None), Outcome::NotStored));
        assert_eq!(of(&store(mode, None), NOW), removal, "{mode:?}");
    }
    let removal = Some(Late::Remove(remove(b"k", Some(7)), Outcome::NotFound));
    assert_eq!(of(&store(Set, Some(7)), NOW), removal);
    assert_eq!(
        of(&store(Add, None), NOW),
        Some(Late::Answer(Outcome::NotStored))
    );
    let arith = Op::Arith(Arith {
        key: b"k",
        delta: 1,
        decrement: false,
        initial: Some((1, Expiry::NEVER)),
        touch: None,
        expiry_before: false,
        compare_cas: None,
        new_cas: None,
    });
    let removal = Some(Late::Remove(remove(b"k", None), Outcome::NotFound));
    assert_eq!(of(&arith, NOW), removal);
}

#[test]
fn another_cas_is_told_as_such() {
    assert_eq!(answer(Outcome::Exists, Outcome::NotFound), Outcome::Exists);
    assert_eq!(
        answer(Outcome::Deleted, Outcome::NotStored),
        Outcome::NotStored
    );
    assert_eq!(
        answer(Outcome::NotFound, Outcome::NotStored),
        Outcome::NotStored
    );
}
