//! Which keys a tenant's clients ask for most: a sample, taken only while somebody looks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Timestamp;
use base::top::{Counted, TopKeys};

use crate::figures::Counter;

/// How long keys are still sampled after somebody has looked last.
const WATCHED: Duration = Duration::from_secs(60);
/// One request in so many is looked at: a power of two.
const SAMPLE_EVERY: u64 = 64;
/// How often the past comes to count half.
const HALVED_EVERY: Duration = Duration::from_secs(30);
/// Keys, and beginnings of keys, that are counted at once.
const KEYS: usize = 128;
/// What ends the first words of a key, as people build them.
const SEPARATORS: &[u8] = b":/|.#";
/// Beginnings are told up to the first and up to the second separator.
const DEPTH: usize = 2;

/// One tenant's sample. Loops note into it, whoever looks reads it.
#[derive(Debug)]
pub(crate) struct KeyWatch {
    /// Until when keys are sampled, in nanoseconds; 0 is not at all.
    until_ns: AtomicU64,
    sketches: Mutex<Sketches>,
}

#[derive(Debug)]
struct Sketches {
    keys: TopKeys,
    prefixes: TopKeys,
    halved: Timestamp,
}

/// What was asked for most of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusiestKeys {
    /// Requests that were looked at, those of half a minute ago counted half.
    pub samples: u64,
    /// Keys, the busiest first, by samples.
    pub keys: Vec<Counted>,
    /// What keys begin with, up to the first or the second of `: / | . #`.
    pub prefixes: Vec<Counted>,
}

impl Default for KeyWatch {
    fn default() -> Self {
        Self {
            until_ns: AtomicU64::new(0),
            sketches: Mutex::new(Sketches::new(Timestamp::ZERO)),
        }
    }
}

impl Sketches {
    fn new(now: Timestamp) -> Self {
        Self {
            keys: TopKeys::new(KEYS),
            prefixes: TopKeys::new(KEYS),
            halved: now,
        }
    }
}

impl KeyWatch {
    /// Notes a request for `key`, if it is one of those that are looked at. `dice` is the loop's own.
    ///
    /// Whoever looks, or another loop that notes, is not waited for: that sample is lost.
    #[inline]
    pub(crate) fn note(&self, now: Timestamp, dice: &Counter, key: &[u8]) {
        let until_ns = self.until_ns.load(Ordering::Relaxed);
        if until_ns == 0 {
            return;
        }
        // Every so-and-so-manieth would miss what clients ask for in step; this is no secret.
        let rolled = dice
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        dice.set(rolled);
        if rolled >> (u64::BITS - SAMPLE_EVERY.ilog2()) == 0 {
            self.sample(now, until_ns, key);
        }
    }

    #[cold]
    fn sample(&self, now: Timestamp, until_ns: u64, key: &[u8]) {
        if now.as_nanos() > until_ns {
            self.until_ns.store(0, Ordering::Relaxed);
            return;
        }
        if let Ok(mut sketches) = self.sketches.try_lock() {
            sketches.keys.note(key);
            for prefix in prefixes(key) {
                sketches.prefixes.note(prefix);
            }
        }
    }

    /// What was asked for most, at most `count` of each; from now on, and for a minute, keys are
    /// sampled.
    pub(crate) fn look(&self, now: Timestamp, count: usize) -> BusiestKeys {
        let mut sketches = self.sketches();
        if self.until_ns.load(Ordering::Relaxed) < now.as_nanos() {
            *sketches = Sketches::new(now);
        }
        let until = now + WATCHED;
        self.until_ns.store(until.as_nanos(), Ordering::Relaxed);
        if now.since(sketches.halved) >= HALVED_EVERY {
            sketches.keys.halve();
            sketches.prefixes.halve();
            sketches.halved = now;
        }
        BusiestKeys {
            samples: sketches.keys.total(),
            keys: sketches.keys.top(count),
            prefixes: sketches.prefixes.top(count),
        }
    }

    fn sketches(&self) -> MutexGuard<'_, Sketches> {
        // A count too few is no harm.
        self.sketches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `key` begins with, separator included, unless that is all of it.
fn prefixes(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = key.iter().enumerate();
    let ends = bytes.filter(|(_, byte)| SEPARATORS.contains(byte));
    let ends = ends.map(|(place, _)| place + 1);
    let shorter = ends.filter(move |end| *end < key.len());
    shorter.take(DEPTH).filter_map(|end| key.get(..end))
}

#[cfg(test)]
#[path = "busiest_test.rs"]
mod tests;
