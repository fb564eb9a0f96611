//! What a tenant's clients do by what their keys begin with, while `stats detail` is on.
//!
//! As memcached counts: a prefix is what stands before the first colon, and a key without one has
//! none.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::kv::{Op, Outcome};

/// Prefixes that are counted at once; those that come later are not counted.
const PREFIXES_MAX: usize = 1000;
/// What ends a prefix.
const DELIMITER: u8 = b':';

/// One tenant's counts. Loops note into them, `stats detail dump` reads them.
#[derive(Debug, Default)]
pub(crate) struct PrefixCounts {
    is_on: AtomicBool,
    counts: Mutex<BTreeMap<Box<[u8]>, Counts>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    gets: u64,
    hits: u64,
    sets: u64,
    deletes: u64,
}

/// What is counted of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// A retrieval that found nothing, or not yet.
    Get,
    /// What a retrieval found, which [`Did::Get`] has counted.
    Hit,
    /// A change, whatever became of it.
    Set,
    /// A removal, whatever became of it.
    Delete,
}

impl PrefixCounts {
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    pub(crate) fn turn(&self, on: bool) {
        self.is_on.store(on, Ordering::Relaxed);
    }

    /// Begins again from nothing.
    pub(crate) fn clear(&self) {
        self.counts().clear();
    }

    pub(crate) fn note(&self, prefix: &[u8], did: Did) {
        let mut counts = self.counts();
        if !counts.contains_key(prefix) {
            if counts.len() >= PREFIXES_MAX {
                return;
            }
            counts.insert(prefix.into(), Counts::default());
        }
        if let Some(counts) = counts.get_mut(prefix) {
            match did {
                Did::Get => counts.gets += 1,
                Did::Hit => counts.hits += 1,
                Did::Set => counts.sets += 1,
                Did::Delete => counts.deletes += 1,
            }
        }
    }

    /// A line for each prefix, as memcached writes them.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (prefix, counts) in self.counts().iter() {
            lines.extend_from_slice(b"PREFIX ");
            lines.extend_from_slice(prefix);
            // Writing to a Vec does not fail.
            let _ = write!(
                lines,
                " get {} hit {} set {} del {}\r\n",
                counts.gets, counts.hits, counts.sets, counts.deletes
            );
        }
        lines
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Box<[u8]>, Counts>> {
        // A count too few is no harm.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a key is counted under; `None` if it has no prefix, or one that no line of text can name.
pub(crate) fn prefix_of(key: &[u8]) -> Option<&[u8]> {
    let end = key.iter().position(|byte| *byte == DELIMITER)?;
    let prefix = key.get(..end)?;
    let is_plain = |byte: &u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control();
    prefix.iter().all(is_plain).then_some(prefix)
}

/// What an operation counts as; `None` for those that memcached does not count.
pub(crate) fn kind_of(op: &Op<'_>) -> Option<Did> {
    match op {
        Op::Get(get) if get.peek || get.touch.is_some() && !get.value => None,
        Op::Get(_) => Some(Did::Get),
        Op::Store(_) => Some(Did::Set),
        Op::Delete(_) => Some(Did::Delete),
        Op::Arith(_) => None,
    }
}

/// Whether what an operation came to is a hit to be counted.
pub(crate) fn is_hit(did: Did, outcome: Outcome) -> bool {
    did == Did::Get && outcome == Outcome::Hit
}

#[cfg(test)]
#[path = "prefixes_test.rs"]
mod tests;
