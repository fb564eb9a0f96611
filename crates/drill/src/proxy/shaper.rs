//! When bytes may go on, by what is bad about their way.

use std::time::Duration;

use base::rng::Rng;

use super::Faults;

/// One direction of a way, over all its connections.
#[derive(Debug)]
pub(super) struct Shaper {
    is_reply: bool,
    rng: Rng,
    /// When the line has carried all that it was given.
    line_free_ns: u64,
    /// The present moment, and how late replies are in it.
    moment: u64,
    moment_delay_ns: u64,
}

impl Shaper {
    pub(super) fn new(is_reply: bool, seed: u64) -> Self {
        Self {
            is_reply,
            rng: Rng::new(seed),
            line_free_ns: 0,
            moment: u64::MAX,
            moment_delay_ns: 0,
        }
    }

    /// When `len` bytes that have come at `now_ns` may go on.
    pub(super) fn due_ns(&mut self, now_ns: u64, len: usize, faults: &Faults) -> u64 {
        let mut due_ns = now_ns;
        if self.is_reply {
            due_ns += nanos(faults.reply_delay) + self.bad_moment_ns(now_ns, faults);
        }
        let Some(bits_per_s) = faults.bits_per_s else {
            return due_ns;
        };
        let bits = len as u128 * 8 * 1_000_000_000;
        let takes_ns = bits / u128::from(bits_per_s.max(1));
        self.line_free_ns = due_ns.max(self.line_free_ns) + takes_ns as u64;
        self.line_free_ns
    }

    fn bad_moment_ns(&mut self, now_ns: u64, faults: &Faults) -> u64 {
        let Some(bad) = &faults.bad_moments else {
            return 0;
        };
        let moment = now_ns / nanos(bad.length).max(1);
        if moment != self.moment {
            self.moment = moment;
            let (least, most) = (nanos(bad.delay.start), nanos(bad.delay.end));
            let is_bad = self.rng.unit_f64() < bad.share;
            let late = (most.saturating_sub(least)) as f64 * self.rng.unit_f64();
            self.moment_delay_ns = if is_bad { least + late as u64 } else { 0 };
        }
        self.moment_delay_ns
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "shaper_test.rs"]
mod tests;
