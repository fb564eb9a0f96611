//! Where the generator's threads wait for each other between phases, and learn that one gave up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::clock;

/// A meeting point for a fixed number of threads.
#[derive(Debug)]
pub(crate) struct Gate {
    parties: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    round: u64,
    /// When the last round was complete.
    opened_ns: u64,
    abandoned: bool,
}

/// Another thread gave up; its own error says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abandoned;

impl Gate {
    /// For `parties` threads.
    pub(crate) fn new(parties: usize) -> Self {
        Self {
            parties,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until all threads are here; all get the same time, that of the last one's arrival.
    pub(crate) fn wait(&self) -> Result<u64, Abandoned> {
        let mut state = self.lock();
        if state.abandoned {
            return Err(Abandoned);
        }
        let round = state.round;
        state.waiting += 1;
        if state.waiting == self.parties {
            state.waiting = 0;
            state.round += 1;
            state.opened_ns = clock::now_ns();
            self.changed.notify_all();
        }
        while state.round == round && !state.abandoned {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // A complete round counts even if a thread went away right after it.
        if state.round == round {
            return Err(Abandoned);
        }
        Ok(state.opened_ns)
    }

    /// Tells all others, now or when they come, that there is nothing to wait for.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// Whether a thread gave up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Abandons the gate when dropped, by whatever way a thread ends; harmless once the run is over.
#[derive(Debug)]
pub(crate) struct AbandonOnDrop<'a>(pub(crate) &'a Gate);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
