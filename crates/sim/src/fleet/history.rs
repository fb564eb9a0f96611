//! Every write and read of a run, and whether a read may have seen what it saw.
//!
//! A value is *superseded* once a write that began after its own had ended is acknowledged. A write
//! ends when its client is answered, whatever the answer: one that was refused and shows up after
//! a later write was acknowledged is stale too.

use std::collections::HashMap;
use std::time::Duration;

use base::Timestamp;

/// One write, by its number in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct WriteId(usize);

#[derive(Clone, Debug)]
struct Write {
    key: usize,
    started: Timestamp,
    ended: Option<Timestamp>,
    acknowledged: bool,
}

/// A read of a value that had been superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// The key, by number.
    pub key: usize,
    /// When the read began.
    pub read_at: Timestamp,
    /// For how long the value had been superseded then.
    pub age: Duration,
}

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A stale read through a gateway or a node that was not cut off, or through two that had been
    /// for longer than they may serve on.
    Stale(Staleness),
    /// One CAS token for two values of a key.
    TokenTwice {
        /// The key, by number.
        key: usize,
        /// The token.
        token: u64,
    },
    /// With all healed, less than half of what was asked was served.
    NotServing,
}

/// What clients did, and what they saw.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    writes: Vec<Write>,
    of_key: HashMap<usize, Vec<WriteId>>,
    tokens: HashMap<(usize, u64), WriteId>,
}

impl History {
    pub(super) fn begin(&mut self, key: usize, now: Timestamp) -> WriteId {
        let id = WriteId(self.writes.len());
        self.writes.push(Write {
            key,
            started: now,
            ended: None,
            acknowledged: false,
        });
        self.of_key.entry(key).or_default().push(id);
        id
    }

    pub(super) fn end(&mut self, id: WriteId, now: Timestamp, acknowledged: bool) {
        let write = &mut self.writes[id.0];
        write.ended = Some(now);
        write.acknowledged = acknowledged;
    }

    /// Whether a read that began at `read_at` and saw what `seen` wrote saw something stale.
    pub(super) fn staleness(&self, seen: WriteId, read_at: Timestamp) -> Option<Staleness> {
        let (key, ended) = (self.writes[seen.0].key, self.writes[seen.0].ended?);
        let later = self.of_key.get(&key)?.iter().map(|id| &self.writes[id.0]);
        let superseding = later.filter(|write| write.acknowledged && write.started > ended);
        let since = superseding.filter_map(|write| write.ended).min()?;
        (since < read_at).then(|| Staleness {
            key,
            read_at,
            age: read_at.since(since),
        })
    }

    /// Takes note that what `write` wrote got `token`.
    pub(super) fn token(&mut self, write: WriteId, token: u64) -> Result<(), Violation> {
        let key = self.writes[write.0].key;
        match self.tokens.insert((key, token), write) {
            Some(other) if other != write => Err(Violation::TokenTwice { key, token }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
