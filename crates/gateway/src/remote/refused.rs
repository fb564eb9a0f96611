//! What is answered to an operation that no node carries out in time, and what must become of its key.

use base::Timestamp;
use base::kv::{Op, Outcome, Store, StoreMode};

/// An answer that is true although nobody knows what the node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the client is told.
    pub outcome: Outcome,
    /// Whether the item must be removed before anybody reads it again, since the client takes it to
    /// be replaced or gone.
    pub drops_item: bool,
}

/// The answer to an operation that was not carried out, or may not have been.
///
/// A read finds nothing. A change was not made, and the old item is to go; what the client is told
/// is a word that it knows for the operation. An `add` that failed leaves what is there.
pub fn refused(op: &Op<'_>, now: Timestamp) -> Refused {
    let (outcome, drops_item) = match op {
        // A touch with a time that is past is a removal in disguise.
        Op::Get(get) => (Outcome::Miss, get.touch.is_some_and(|end| end.is_past(now))),
        Op::Delete(_) | Op::Arith(_) => (Outcome::NotFound, true),
        Op::Store(store) => refused_store(store),
    };
    Refused {
        outcome,
        drops_item,
    }
}

fn refused_store(store: &Store<'_>) -> (Outcome, bool) {
    match store.mode {
        StoreMode::Add => (Outcome::NotStored, false),
        // To a store that compares a CAS clients know that the item is gone.
        StoreMode::Set if store.compare_cas.is_some() => (Outcome::NotFound, true),
        _ => (Outcome::NotStored, true),
    }
}

#[cfg(test)]
#[path = "refused_test.rs"]
mod tests;
