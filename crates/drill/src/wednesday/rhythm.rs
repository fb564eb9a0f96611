//! When a client's requests are due, and how much of their being late is the client's own.

use std::time::Duration;

/// When clients give up, as common ones do.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
const PATIENCE_NS: u64 = PATIENCE.as_nanos() as u64;
/// How often each asks.
pub(crate) const PERIOD_NS: u64 = 20_000_000;
/// A client that is further behind asks no more for what it has missed.
const BEHIND_MAX_NS: u64 = 200_000_000;

/// A client's timetable. What waits for the answers of requests before it is late because of them, and its
/// time runs; only what the client lets pass after both, its lag, is nobody's but its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rhythm {
    /// When the next request of the timetable is to be sent.
    due_ns: u64,
    /// Since when nothing is waited for.
    free_ns: u64,
    /// Of the requests since the last one of the timetable.
    lag_ns: u64,
}

/// A request that is on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sent {
    /// When it was to be sent.
    pub(crate) due_ns: u64,
    pub(crate) lag_ns: u64,
}

impl Rhythm {
    pub(crate) fn new(due_ns: u64) -> Self {
        Self {
            due_ns,
            free_ns: due_ns,
            lag_ns: 0,
        }
    }

    pub(crate) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// The timetable's request is sent now.
    pub(crate) fn send(&mut self, now_ns: u64) -> Sent {
        self.lag_ns = 0;
        self.sent(self.due_ns, now_ns)
    }

    /// Another is sent now, which became due with the last answer.
    pub(crate) fn send_more(&mut self, now_ns: u64) -> Sent {
        self.sent(self.free_ns, now_ns)
    }

    fn sent(&mut self, due_ns: u64, now_ns: u64) -> Sent {
        let lag_ns = now_ns.saturating_sub(due_ns.max(self.free_ns));
        self.lag_ns += lag_ns;
        Sent { due_ns, lag_ns }
    }

    /// The answer came, or was given up; how long it took.
    pub(crate) fn end(&mut self, sent: Sent, now_ns: u64) -> u64 {
        self.free_ns = now_ns;
        now_ns.saturating_sub(sent.due_ns + sent.lag_ns)
    }

    /// Goes on to the next request; when those were to be sent that nobody sends any more, after they waited
    /// for others' answers as long as anybody waits.
    pub(crate) fn turn(&mut self, now_ns: u64) -> Vec<u64> {
        self.due_ns += PERIOD_NS;
        if now_ns.saturating_sub(self.due_ns) <= BEHIND_MAX_NS {
            return Vec::new();
        }
        let given_up_ns = now_ns.saturating_sub(self.lag_ns + PATIENCE_NS);
        let given_up = (self.due_ns..=given_up_ns).step_by(PERIOD_NS as usize);
        let given_up = given_up.collect();
        self.due_ns = now_ns;
        given_up
    }
}

impl Sent {
    /// When its answer is waited for no more.
    pub(crate) fn until_ns(&self) -> u64 {
        self.due_ns + self.lag_ns + PATIENCE_NS
    }
}

#[cfg(test)]
#[path = "rhythm_test.rs"]
mod tests;
