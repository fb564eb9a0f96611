//! What becomes of an operation that has waited too long.
//!
//! Its client is about to give up, and would connect anew: so it is answered at once, in a way that
//! is no error, at little cost, and such that nobody reads what the client thinks replaced. A read
//! finds nothing. A change does not take place, and the old value is gone: what the answer says of
//! it is true. A removal is always carried out, since it costs no more than refusing it, and the
//! item would be stale.

use base::Timestamp;
use base::kv::{Arith, Delete, Item, Op, Outcome, Sink, Store, StoreMode};
use memcache_proto::{Reply, Step};

use super::Turn;
use crate::pause::Mode;
use crate::{Backend, Execution};

/// To store a value of this length takes no longer than to remove the old one, in bytes.
const SMALL_VALUE_LEN: usize = 1024;

impl<B: Backend> Turn<'_, B> {
    /// If a list of keys is next, lets all that is here of it find nothing.
    pub(super) fn miss_keys<'a>(&mut self, input: &'a [u8]) -> Option<Step<'a>> {
        if !self.session.rights.read {
            return None;
        }
        let missed = self.session.decoder.miss_keys(input)?;
        self.tally.reads_refused += u32::try_from(missed.keys).unwrap_or(u32::MAX);
        Some(missed.step)
    }

    /// Whether an operation is late, and carrying it out costs more than its refusal if that matters.
    pub(super) fn is_refused(&self, op: &Op<'_>) -> bool {
        match self.session.mode {
            Mode::Refuse => true,
            Mode::Relieve => saves_work(op),
            Mode::Serve | Mode::Flush => false,
        }
    }

    /// Answers a late operation; false if it is to be carried out all the same.
    pub(super) fn refuse_late(&mut self, op: &Op<'_>, reply: &Reply<'_>) -> bool {
        let Some(late) = of(op, self.now) else {
            return false;
        };
        let outcome = self.late_outcome(late);
        match op {
            Op::Get(_) => self.tally.reads_refused += 1,
            _ => self.tally.writes_refused += 1,
        }
        reply.outcome(outcome, self.out);
        true
    }

    /// What to answer once a late value that is still to come has come.
    pub(super) fn refuse_late_store(&mut self, store: &Store<'_>) -> Outcome {
        self.tally.writes_refused += 1;
        self.late_outcome(of_store(store))
    }

    /// Removes a key's item, without an answer.
    pub(super) fn remove(&mut self, delete: Delete<'_>) -> Outcome {
        let (backend, tenant) = (self.backend, self.tenant);
        match backend.execute(&tenant.data, self.now, &Op::Delete(delete), &mut Nowhere) {
            Execution::Done(outcome) => outcome,
            Execution::Pending(id) => {
                self.await_nothing(id);
                Outcome::Deleted
            }
        }
    }

    fn late_outcome(&mut self, late: Late<'_>) -> Outcome {
        match late {
            Late::Answer(outcome) => outcome,
            Late::Remove(delete, otherwise) => answer(self.remove(delete), otherwise),
        }
    }
}

/// Where a removal's item goes, of which there is none.
struct Nowhere;

impl Sink for Nowhere {
    fn item(&mut self, _: &Item<'_>) {}
}

/// Whether an operation costs less if it is refused: a change that is would have to remove the item.
fn saves_work(op: &Op<'_>) -> bool {
    match op {
        Op::Get(_) => true,
        Op::Store(store) => store.value.len() > SMALL_VALUE_LEN,
        Op::Delete(_) | Op::Arith(_) => false,
    }
}

/// What to do with a late operation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Late<'a> {
    /// Answer so, and leave the item alone.
    Answer(Outcome),
    /// Remove the item, then answer so; unless its CAS was another one, which is the answer then.
    Remove(Delete<'a>, Outcome),
}

/// Decides about an operation on one key; `None` if it is to be carried out all the same.
fn of<'a>(op: &Op<'a>, now: Timestamp) -> Option<Late<'a>> {
    match op {
        // A touch with a time that is past is a removal in disguise.
        Op::Get(get) if get.touch.is_some_and(|end| end.is_past(now)) => None,
        Op::Get(_) => Some(Late::Answer(Outcome::Miss)),
        Op::Delete(_) => None,
        Op::Store(store) => Some(of_store(store)),
        Op::Arith(arith) => Some(of_arith(arith)),
    }
}

/// Decides about a store.
///
/// Clients know `NOT_STORED` as an answer to all but a store that compares a CAS: to that they
/// know that the item is gone.
fn of_store<'a>(store: &Store<'a>) -> Late<'a> {
    match store.mode {
        // That it is there already is what another client would have seen.
        StoreMode::Add => Late::Answer(Outcome::NotStored),
        StoreMode::Set if store.compare_cas.is_some() => {
            Late::Remove(remove(store.key, store.compare_cas), Outcome::NotFound)
        }
        _ => Late::Remove(remove(store.key, store.compare_cas), Outcome::NotStored),
    }
}

/// A number that is not counted on is gone: else whoever counts generations by it would take old
/// data for new.
fn of_arith<'a>(arith: &Arith<'a>) -> Late<'a> {
    Late::Remove(remove(arith.key, arith.compare_cas), Outcome::NotFound)
}

/// The removal of a key's item.
pub(super) fn remove(key: &[u8], compare_cas: Option<u64>) -> Delete<'_> {
    Delete {
        key,
        compare_cas,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    }
}

/// The answer to a change whose item was to be removed, by what the removal met.
fn answer(removal: Outcome, otherwise: Outcome) -> Outcome {
    match removal {
        Outcome::Exists => Outcome::Exists,
        _ => otherwise,
    }
}

#[cfg(test)]
#[path = "refusal_test.rs"]
mod tests;
