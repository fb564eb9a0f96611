//! Points in time at which a connection is to be looked at, earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::Timestamp;

/// Room for so many deadlines is kept in any case.
const ROOM_KEPT: usize = 64;

/// Deadlines by the link of their connection. One that no longer holds is left in and passed over
/// by the caller when it comes due.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BinaryHeap<Reverse<(Timestamp, u64)>>);

impl Deadlines {
    pub(super) fn add(&mut self, at: Timestamp, link: u64) {
        self.0.push(Reverse((at, link)));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, u64)> {
        if self.next()? > now {
            return None;
        }
        let due = self.0.pop().map(|Reverse(due)| due);
        let room = self.0.capacity();
        if room > ROOM_KEPT && self.0.len() < room / 4 {
            // A crowd that came once would else keep its room for ever.
            self.0.shrink_to(room / 2);
        }
        due
    }
}

#[cfg(test)]
#[path = "deadlines_test.rs"]
mod tests;
