//! Whether a flow has its loop to itself, as far as the last tenths of a second tell.
//!
//! Who waits long because others want the loop too is to be relieved of his queue before his clients
//! give up; who waits for nobody but himself is not.

use std::time::Duration;

use base::Timestamp;

/// Time taken is added up over this one and the one before.
const WINDOW_NS: u64 = 100_000_000;
/// Others want the loop if they take this part of the time; below it a flow is as good as alone.
const OTHERS_PART: u64 = 20;

/// What all flows of a loop took of late.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contention {
    all: Recent,
}

/// What one flow took of late, and since when others have wanted the loop, too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    own: Recent,
    contended_since: Option<Timestamp>,
}

/// Time taken in the present window and in the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    window: u64,
    now_ns: u64,
    before_ns: u64,
}

impl Contention {
    /// Notes that a flow took so long, until `now`.
    pub fn charge(&mut self, now: Timestamp, usage: &mut Usage, took: Duration) {
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.all.add(now, took_ns);
        usage.own.add(now, took_ns);
        let others_ns = self.all.sum_ns().saturating_sub(usage.own.sum_ns());
        let time_ns = WINDOW_NS + now.as_nanos() % WINDOW_NS;
        usage.contended_since = match others_ns >= time_ns / OTHERS_PART {
            true => usage.contended_since.or(Some(now)),
            false => None,
        };
    }
}

impl Usage {
    /// Since when others have wanted the loop, too; `None` while the flow is as good as alone. It is
    /// as of the flow's last turn.
    pub fn contended_since(&self) -> Option<Timestamp> {
        self.contended_since
    }
}

impl Recent {
    fn add(&mut self, now: Timestamp, took_ns: u64) {
        let window = now.as_nanos() / WINDOW_NS;
        if window != self.window {
            self.before_ns = match window == self.window + 1 {
                true => self.now_ns,
                false => 0,
            };
            (self.window, self.now_ns) = (window, 0);
        }
        self.now_ns = self.now_ns.saturating_add(took_ns);
    }

    fn sum_ns(&self) -> u64 {
        self.before_ns.saturating_add(self.now_ns)
    }
}

#[cfg(test)]
#[path = "contention_test.rs"]
mod tests;
