//! Tells whose time it is: what each party to a batch took.

use std::time::Duration;

use base::Timestamp;

/// Asks for the time only when another party's work begins.
#[derive(Debug)]
pub(super) struct Meter<T> {
    since: Timestamp,
    spent: Vec<(T, Duration)>,
    /// Whose time it is, by its place in `spent`.
    current: Option<usize>,
}

impl<T: Copy + PartialEq> Meter<T> {
    /// Begins a batch.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.since = now;
        self.spent.clear();
        self.current = None;
    }

    /// From here on it is this party's time; until now it was the last one's, and what came before
    /// anybody's is the first one's.
    pub(super) fn switch(&mut self, to: T, now: impl FnOnce() -> Timestamp) {
        if let Some(current) = self.current {
            if self.spent[current].0 == to {
                return;
            }
            self.lap(now());
        }
        let place = self.spent.iter().position(|(party, _)| *party == to);
        self.current = Some(place.unwrap_or_else(|| {
            self.spent.push((to, Duration::ZERO));
            self.spent.len() - 1
        }));
    }

    /// Ends the batch.
    pub(super) fn stop(&mut self, now: Timestamp) {
        self.lap(now);
    }

    /// What each party took.
    pub(super) fn spent(&self) -> &[(T, Duration)] {
        &self.spent
    }

    fn lap(&mut self, now: Timestamp) {
        if let Some(current) = self.current {
            self.spent[current].1 += now.since(self.since);
        }
        self.since = now;
    }
}

impl<T> Default for Meter<T> {
    fn default() -> Self {
        Self {
            since: Timestamp::ZERO,
            spent: Vec::new(),
            current: None,
        }
    }
}

#[cfg(test)]
#[path = "meter_test.rs"]
mod tests;
