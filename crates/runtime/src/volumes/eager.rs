//! Looking for a client's next bytes for a moment before sleeping, where they come that soon.
//!
//! A client with one request under way sends the next as soon as it has its answer, and each in two pieces:
//! its head, then its data. A thread that sleeps between them costs a wake-up each time, which takes longer
//! than all that is done for the request. Whether it pays is found by trying; whoever else wants the
//! processor has it meanwhile.

use std::time::Duration;

/// The moment.
pub(super) const MOMENT: Duration = Duration::from_micros(20);
/// So many moments in vain in a row,
const VAIN_MAX: u32 = 4;
/// and only one wait in so many is tried.
const TRY_EVERY: u32 = 256;

/// What is known of one client's haste.
#[derive(Debug, Default)]
pub(super) struct Eager {
    /// Moments in vain since the last that was not.
    vain: u32,
    /// Waits since the last that was tried.
    since: u32,
}

impl Eager {
    /// Whether to look for the next bytes before sleeping.
    pub(super) fn looks(&mut self) -> bool {
        self.since = self.since.saturating_add(1);
        let looks = self.vain < VAIN_MAX || self.since >= TRY_EVERY;
        if looks {
            self.since = 0;
        }
        looks
    }

    /// Whether looking found any.
    pub(super) fn found(&mut self, any: bool) {
        self.vain = match any {
            true => 0,
            false => self.vain.saturating_add(1),
        };
    }
}

#[cfg(test)]
#[path = "eager_test.rs"]
mod tests;
