//! When what could not be delivered is tried again, and when it is given up. Pure.

use std::time::Duration;

use base::Timestamp;

/// How long to wait after the first failure, the second, and so on; the last holds from then on.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
];
/// After so long a message is of no use any more.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The failures of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    failures: usize,
    since: Option<Timestamp>,
    next: Timestamp,
}

impl Backoff {
    /// Whether it may be tried now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.next
    }

    /// It has failed once more; false if it is to be given up.
    pub(crate) fn failed(&mut self, now: Timestamp) -> bool {
        let since = *self.since.get_or_insert(now);
        let place = self.failures.min(PAUSES.len() - 1);
        let pause = PAUSES.get(place).copied().unwrap_or(PATIENCE);
        self.failures += 1;
        self.next = now + pause;
        now.since(since) < PATIENCE
    }

    /// The next message begins anew.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
#[path = "backoff_test.rs"]
mod tests;
