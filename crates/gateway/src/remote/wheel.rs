//! Deadlines of requests, in a ring of ticks: nothing is sorted, and what was answered is passed over.

use std::time::Duration;

use base::Timestamp;
use node_proto::RequestId;

/// How exactly deadlines are kept.
const TICK: Duration = Duration::from_millis(2);
const TICK_NS: u64 = TICK.as_nanos() as u64;
/// Ticks that the ring has.
const TICKS: usize = 4096;

/// Which requests are due at each tick.
#[derive(Debug)]
pub(super) struct Wheel {
    ticks: Vec<Vec<RequestId>>,
    /// All ticks before this one have been.
    next: u64,
    count: usize,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            ticks: vec![Vec::new(); TICKS],
            next: 0,
            count: 0,
        }
    }

    /// Notes a request that is due at `deadline`, or at the end of the ring's span if that is nearer.
    #[inline]
    pub(super) fn add(&mut self, now: Timestamp, deadline: Timestamp, id: RequestId) {
        if self.count == 0 {
            self.next = now.as_nanos() / TICK_NS;
        }
        // Due no earlier than the deadline.
        let tick = (deadline.as_nanos() / TICK_NS + 1).max(self.next);
        let tick = tick.min(self.next + TICKS as u64 - 1);
        if let Some(due) = self.ticks.get_mut(tick as usize % TICKS) {
            due.push(id);
            self.count += 1;
        }
    }

    /// The next request whose time has come; it may have been answered long ago.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<RequestId> {
        let now_tick = now.as_nanos() / TICK_NS;
        while self.count > 0 && self.next <= now_tick {
            if let Some(due) = self.ticks.get_mut(self.next as usize % TICKS)
                && let Some(id) = due.pop()
            {
                self.count -= 1;
                return Some(id);
            }
            self.next += 1;
        }
        None
    }

    /// When to look again.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let away = self.next_tick()?.saturating_mul(TICK_NS);
        Some(Timestamp::from_nanos(away))
    }

    fn next_tick(&self) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        (self.next..self.next + TICKS as u64)
            .find(|tick| !self.ticks[*tick as usize % TICKS].is_empty())
    }
}

#[cfg(test)]
#[path = "wheel_test.rs"]
mod tests;
