//! A counter's growth over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

use base::Timestamp;

/// Successive values of counters, as far back as a span reaches.
#[derive(Clone, Debug)]
pub(super) struct Window<T> {
    span: Duration,
    samples: VecDeque<(Timestamp, T)>,
}

impl<T> Window<T> {
    pub(super) fn new(span: Duration) -> Self {
        Self {
            span,
            samples: VecDeque::new(),
        }
    }

    /// Adds the values of now; of those before the span the newest is kept.
    pub(super) fn push(&mut self, now: Timestamp, value: T) {
        self.samples.push_back((now, value));
        while let Some((second, _)) = self.samples.get(1)
            && now.since(*second) >= self.span
        {
            self.samples.pop_front();
        }
    }

    /// How much a counter has grown over the window, and how long that is. A counter that was set
    /// back has grown by what it is now.
    pub(super) fn growth(&self, counter: impl Fn(&T) -> u64) -> (u64, Duration) {
        let (Some((from, first)), Some((to, last))) = (self.samples.front(), self.samples.back())
        else {
            return (0, Duration::ZERO);
        };
        (grown(counter(first), counter(last)), to.since(*from))
    }

    /// How much a counter has grown since the look before.
    pub(super) fn last_growth(&self, counter: impl Fn(&T) -> u64) -> (u64, Duration) {
        let Some(before) = self.samples.len().checked_sub(2) else {
            return (0, Duration::ZERO);
        };
        match (self.samples.get(before), self.samples.back()) {
            (Some((from, first)), Some((to, last))) => {
                (grown(counter(first), counter(last)), to.since(*from))
            }
            _ => (0, Duration::ZERO),
        }
    }

    /// When the window begins.
    pub(super) fn start(&self) -> Option<Timestamp> {
        self.samples.front().map(|(at, _)| *at)
    }

    /// Whether it reaches as far back as it may.
    pub(super) fn is_full(&self) -> bool {
        self.growth(|_| 0).1 >= self.span
    }
}

/// From one value of a counter to a later one.
fn grown(before: u64, after: u64) -> u64 {
    after.checked_sub(before).unwrap_or(after)
}

#[cfg(test)]
#[path = "window_test.rs"]
mod tests;
