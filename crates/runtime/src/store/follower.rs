//! A thread that keeps what the store last said at hand, so that nobody else waits for the store.
//!
//! It asks at least once a second, and at once when the store says that something has changed; what
//! it hands on carries the time of the question, from which its age counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Timestamp;

use super::{Detail, Snapshot, Store, StoreError};
use crate::{Clock, Published};

/// How often the store is asked at least: a quarter of the lease of changes.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long to leave a store alone that did not answer, at first and at most.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Who stands behind what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nobody: the store has not answered yet.
    Nobody,
    /// The store, when it was asked at this time.
    Store(Timestamp),
}

/// What is known of the store.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it held when it last answered; empty before.
    pub snapshot: Arc<Snapshot>,
    /// When that was asked.
    pub source: Source,
    /// What is wrong, and since when, if it does not answer now.
    pub trouble: Option<(Timestamp, String)>,
}

impl Known {
    /// How old it is; `None` if the store never answered.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        match self.source {
            Source::Nobody => None,
            Source::Store(asked_at) => Some(now.since(asked_at)),
        }
    }
}

/// Follows all keys with a prefix, until it is dropped.
#[derive(Debug)]
pub struct Follower {
    known: Arc<Published<Known>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to follow `prefix`; `woken` is called, on the follower's thread, whenever what is
    /// known has changed in any way.
    pub fn start(
        store: Arc<dyn Store>,
        prefix: &str,
        clock: Clock,
        woken: impl Fn(&Known) + Send + 'static,
    ) -> std::io::Result<Self> {
        let known = Arc::new(Published::new(Known {
            snapshot: Arc::new(Snapshot::default()),
            source: Source::Nobody,
            trouble: None,
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let mut follow = Follow {
            store,
            prefix: prefix.to_owned(),
            clock,
            known: Arc::clone(&known),
            pause: PAUSE_MIN,
        };
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("follower".into())
            .spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    follow.ask();
                    woken(&follow.known.get());
                    follow.rest();
                }
            })?;
        Ok(Self {
            known,
            stop,
            thread: Some(thread),
        })
    }

    /// What is known now; never waits.
    pub fn known(&self) -> Arc<Known> {
        self.known.get()
    }

    /// Where it is published, for loops that look whether it is newer.
    pub fn published(&self) -> &Arc<Published<Known>> {
        &self.known
    }
}

impl Drop for Follower {
    /// Waits for the answer that is under way, a few seconds at most.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

struct Follow {
    store: Arc<dyn Store>,
    prefix: String,
    clock: Clock,
    known: Arc<Published<Known>>,
    pause: Duration,
}

impl Follow {
    fn ask(&mut self) {
        let asked_at = self.clock.now();
        let before = self.known.get();
        let next = match self.answer(&before) {
            Ok(snapshot) => {
                self.pause = PAUSE_MIN;
                Known {
                    snapshot,
                    source: Source::Store(asked_at),
                    trouble: None,
                }
            }
            Err(error) => {
                let since = before
                    .trouble
                    .as_ref()
                    .map_or(asked_at, |(since, _)| *since);
                Known {
                    trouble: Some((since, error.to_string())),
                    ..Known::clone(&before)
                }
            }
        };
        self.known.publish(next);
    }

    /// What the store holds; values are only fetched if a key was written or removed since.
    fn answer(&self, before: &Known) -> Result<Arc<Snapshot>, StoreError> {
        let keys = self.store.range(&self.prefix, Detail::Keys)?;
        let written = |snapshot: &Snapshot| {
            let entries = snapshot.entries.iter();
            let written = entries.map(|entry| (entry.key.clone(), entry.revision));
            written.collect::<Vec<_>>()
        };
        let known = before.source != Source::Nobody;
        if known && written(&keys) == written(&before.snapshot) {
            return Ok(Arc::new(Snapshot {
                revision: keys.revision,
                ..Snapshot::clone(&before.snapshot)
            }));
        }
        let snapshot = self.store.range(&self.prefix, Detail::Values)?;
        Ok(Arc::new(snapshot))
    }

    /// Until something has changed or it is time to ask again.
    fn rest(&mut self) {
        let known = self.known.get();
        let waited = match known.trouble {
            None => self
                .store
                .wait(&self.prefix, known.snapshot.revision, ASK_EVERY),
            Some(_) => Ok(false),
        };
        if known.trouble.is_some() || waited.is_err() {
            // Nobody is waiting for this thread but one who ends it.
            thread::park_timeout(self.pause);
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
    }
}

#[cfg(test)]
#[path = "follower_test.rs"]
mod tests;
