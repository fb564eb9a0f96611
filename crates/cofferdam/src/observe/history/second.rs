//! Which second a look belongs to.

use std::time::Duration;

use base::Timestamp;

/// Gives each look a second of its own, though looks are not quite a second apart: one late by a
/// little is not a gap, and one early by a little is not the same second again.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    last: Option<(u64, Timestamp)>,
}

/// Looks closer than this to the one before are the next second.
const NEXT_WITHIN: Duration = Duration::from_millis(1500);

impl Seconds {
    /// The second of a look at `at`: its own, or the one beside it.
    pub(super) fn of(&mut self, at: Timestamp) -> u64 {
        let own = u64::from(at.unix_secs());
        let second = match self.last {
            Some((last, before)) if at.since(before) < NEXT_WITHIN && own.abs_diff(last) <= 2 => {
                last + 1
            }
            Some((last, _)) if own <= last && last - own <= 2 => last + 1,
            _ => own,
        };
        self.last = Some((second, at));
        second
    }
}

#[cfg(test)]
#[path = "second_test.rs"]
mod tests;
