//! Whether a store is allowed: by its mode, its CAS, and what is there.

use base::kv::{Outcome, Store, StoreMode};

use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{Header, STALE, TOKEN_SENT};

/// What is to become of a store.
pub(super) enum Verdict {
    Refuse(Outcome),
    Write(Terms),
    /// Behind or before the value that is there.
    Join(Found),
}

/// With which marks a value is written.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) flags: u32,
    pub(super) expiry: u32,
    pub(super) state: u8,
}

/// What a store is judged by: the item that is there, or was until it was evicted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    cas: u64,
    pub(super) expiry: u32,
    state: u8,
    found: Option<Found>,
}

impl Known {
    /// What an item's bytes say; where it is does not matter.
    pub(super) fn of(header: &Header, item: &[u8]) -> Self {
        Self {
            cas: header.cas(item),
            expiry: header.expiry,
            state: header.state,
            found: None,
        }
    }
}

impl Shard {
    pub(super) fn known(&self, found: &Found) -> Known {
        Known {
            found: Some(*found),
            ..Known::of(&found.header, self.segs.at(found.loc))
        }
    }

    /// Decides about a store and counts what came of its CAS.
    pub(super) fn judge(&mut self, op: &Store<'_>, known: Option<&Known>) -> Verdict {
        let verdict = verdict(op, known);
        let replaces = matches!(op.mode, StoreMode::Set | StoreMode::Replace);
        match (&verdict, known) {
            (Verdict::Refuse(Outcome::NotFound), _) => self.stats.cas_misses += 1,
            (Verdict::Refuse(Outcome::Exists), _) if replaces => self.stats.cas_badval += 1,
            (Verdict::Write(_), Some(known)) if replaces && op.compare_cas == Some(known.cas) => {
                self.stats.cas_hits += 1;
            }
            (Verdict::Refuse(_), Some(known)) if op.mode == StoreMode::Add => {
                if let Some(found) = known.found {
                    self.note_access(&found, false);
                }
            }
            _ => {}
        }
        verdict
    }

    /// Refuses a value before it arrives, if it would be refused now: then nothing need make room
    /// for it. A client cannot tell, since its request is under way all the while.
    ///
    /// # Errors
    /// The outcome of the refusal; else the item that the value is to join, if it is to.
    pub(super) fn refuse_early(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        len: u32,
    ) -> Result<Option<Found>, Outcome> {
        let found = self.peek(hash, op.key);
        let known = found.map(|found| self.known(&found));
        let refused = match verdict(op, known.as_ref()) {
            Verdict::Write(_) => return Ok(None),
            Verdict::Join(found) => {
                let flags = found.header.flags(self.segs.at(found.loc));
                let sum = u64::from(found.header.value_len) + u64::from(len);
                if !self.is_too_large(op.key.len(), flags, sum) {
                    return Ok(Some(found));
                }
                Outcome::NotStored
            }
            Verdict::Refuse(outcome) => {
                self.judge(op, known.as_ref());
                outcome
            }
        };
        self.stats.cmd_set += 1;
        if found.is_none() {
            self.forget_gone(hash, op.key);
        }
        Err(refused)
    }

    /// The item of this key, if it is there and has not ended, and nothing else.
    fn peek(&mut self, hash: KeyHash, key: &[u8]) -> Option<Found> {
        let loc = self.find(hash, key)?;
        let header = Header::read(self.segs.at(loc));
        let ended = header.expiry != 0 && header.expiry <= self.now_s();
        (!ended).then_some(Found { loc, header })
    }
}

/// Decides as memcached's `do_store_item` does.
fn verdict(op: &Store<'_>, known: Option<&Known>) -> Verdict {
    let fresh = Terms {
        flags: op.flags,
        expiry: op.expiry.unix_secs(),
        state: 0,
    };
    let Some(Known {
        cas,
        expiry,
        state,
        found,
    }) = known.copied()
    else {
        return verdict_on_absent(op, fresh);
    };
    match op.mode {
        StoreMode::Add => Verdict::Refuse(Outcome::NotStored),
        StoreMode::Append | StoreMode::Prepend => match op.compare_cas {
            Some(given) if given != 0 && given != cas => Verdict::Refuse(Outcome::Exists),
            _ => found.map_or(Verdict::Refuse(Outcome::NotStored), Verdict::Join),
        },
        StoreMode::Set | StoreMode::Replace => match op.compare_cas {
            Some(given) if given == cas => Verdict::Write(fresh),
            None => Verdict::Write(fresh),
            Some(given) if op.invalidate && given != 0 && given < cas => Verdict::Write(Terms {
                expiry,
                state: STALE | state & TOKEN_SENT,
                ..fresh
            }),
            Some(_) => Verdict::Refuse(Outcome::Exists),
        },
    }
}

fn verdict_on_absent(op: &Store<'_>, fresh: Terms) -> Verdict {
    match op.mode {
        StoreMode::Set | StoreMode::Replace if op.compare_cas.is_some() => {
            Verdict::Refuse(Outcome::NotFound)
        }
        StoreMode::Set | StoreMode::Add => Verdict::Write(fresh),
        StoreMode::Replace => Verdict::Refuse(Outcome::NotStored),
        StoreMode::Append | StoreMode::Prepend => match op.vivify {
            Some(expiry) => Verdict::Write(Terms {
                expiry: expiry.unix_secs(),
                ..fresh
            }),
            None => Verdict::Refuse(Outcome::NotStored),
        },
    }
}
