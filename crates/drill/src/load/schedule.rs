//! When the requests of an open loop are due, and how late they leave.

use base::rng::Rng;

use super::plan::Arrivals;

/// The times at which requests are due, in nanoseconds of the run's clock, without end.
///
/// A time is never skipped: a sender that falls behind finds every missed one still waiting.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    arrivals: Arrivals,
    gap_ns: f64,
    next_ns: f64,
    start_ns: u64,
    rng: Rng,
}

impl Schedule {
    /// `rate_per_s` requests a second; `phase` in `[0, 1)` shifts fixed arrivals by that part of a
    /// gap, so that several threads interleave.
    pub(crate) fn new(arrivals: Arrivals, rate_per_s: f64, phase: f64, rng: Rng) -> Self {
        let mut schedule = Self {
            arrivals,
            gap_ns: 1e9 / rate_per_s,
            next_ns: 0.0,
            start_ns: 0,
            rng,
        };
        schedule.next_ns = match arrivals {
            Arrivals::Fixed => phase * schedule.gap_ns,
            Arrivals::Poisson => schedule.gap(),
        };
        schedule
    }

    /// Begins at this time; to be called before anything is sent.
    pub(crate) fn start(&mut self, start_ns: u64) {
        self.start_ns = start_ns;
    }

    /// When the next request is due.
    #[inline]
    pub(crate) fn due_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.next_ns as u64)
    }

    /// Goes on to the request after it.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.next_ns += self.gap();
    }

    fn gap(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Fixed => self.gap_ns,
            // 1 - u is in (0, 1], so the logarithm is finite.
            Arrivals::Poisson => -(1.0 - self.rng.unit_f64()).ln() * self.gap_ns,
        }
    }
}

/// Tells the generator's own lateness from waiting for the server.
///
/// A request that finds every connection full waits for the server; from the moment a place is free
/// again, any further delay is the generator's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lateness {
    full: bool,
    free_since_ns: u64,
}

impl Lateness {
    /// Every connection is full.
    pub(crate) fn set_full(&mut self) {
        self.full = true;
    }

    /// A place became free at `now_ns`.
    #[inline]
    pub(crate) fn set_free(&mut self, now_ns: u64) {
        if self.full {
            self.full = false;
            self.free_since_ns = now_ns;
        }
    }

    /// For a request due at `due_ns` that leaves at `now_ns`: the generator's own lateness in
    /// nanoseconds, and whether it had to wait for a place.
    #[inline]
    pub(crate) fn of(&self, due_ns: u64, now_ns: u64) -> (u64, bool) {
        let waited = due_ns < self.free_since_ns;
        let could_leave_ns = due_ns.max(self.free_since_ns);
        (now_ns.saturating_sub(could_leave_ns), waited)
    }
}

#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;
