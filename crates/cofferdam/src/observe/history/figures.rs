//! Named figures of a second, most of them the growth of a count since the second before.

use std::time::Duration;

/// Collects figures.
#[derive(Debug)]
pub(super) struct Figures {
    /// From the reading before to this one, in seconds; 0 if there was none.
    pub(super) seconds: f64,
    pub(super) all: Vec<(String, f32)>,
}

impl Figures {
    /// Between two readings.
    pub(super) fn over(time: Duration) -> Self {
        Self {
            seconds: time.as_secs_f64(),
            all: Vec::new(),
        }
    }

    /// What is so much now.
    pub(super) fn gauge(&mut self, name: impl Into<String>, value: Option<f64>) {
        let value = value.map_or(f32::NAN, |value| value as f32);
        self.all.push((name.into(), value));
    }

    /// What only grows, as its growth a second.
    pub(super) fn rate(&mut self, name: impl Into<String>, before: Option<u64>, now: Option<u64>) {
        let growth = before.zip(now);
        let rate = growth.and_then(|(before, now)| self.per_second(before, now));
        self.gauge(name, rate);
    }

    /// Time that passed in some way, as its share of the second; of several at once it may be more
    /// than 1.
    pub(super) fn share(&mut self, name: impl Into<String>, before: Duration, now: Duration) {
        let passed = now.saturating_sub(before).as_secs_f64();
        let share = (self.seconds > 0.0).then(|| passed / self.seconds);
        self.gauge(name, share);
    }

    /// Growth a second; a count that fell was begun anew and has grown by all that it has.
    pub(super) fn per_second(&self, before: u64, now: u64) -> Option<f64> {
        let growth = now.checked_sub(before).unwrap_or(now);
        (self.seconds > 0.0).then(|| growth as f64 / self.seconds)
    }
}

#[cfg(test)]
#[path = "figures_test.rs"]
mod tests;
