//! Many slots as one: the mean by the seconds that are known, and the peak.

use super::format::Slot;

/// Adds slots up.
#[derive(Debug)]
pub(super) struct Rollup {
    time_s: u64,
    seconds: u32,
    sums: Vec<Sum>,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    weighted: f64,
    seconds: f64,
    peak: f32,
}

const NOTHING: Sum = Sum {
    weighted: 0.0,
    seconds: 0.0,
    peak: f32::NAN,
};

impl Rollup {
    /// Of the slots of a longer one that begins at `time_s`.
    pub(super) fn new(time_s: u64) -> Self {
        Self {
            time_s,
            seconds: 0,
            sums: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, slot: &Slot) {
        self.seconds = self.seconds.saturating_add(slot.seconds);
        if self.sums.len() < slot.means.len() {
            self.sums.resize(slot.means.len(), NOTHING);
        }
        let peaks = match slot.peaks.is_empty() {
            true => &slot.means,
            false => &slot.peaks,
        };
        let values = slot.means.iter().zip(peaks);
        for (sum, (mean, peak)) in self.sums.iter_mut().zip(values) {
            if !mean.is_nan() {
                sum.weighted += f64::from(*mean) * f64::from(slot.seconds);
                sum.seconds += f64::from(slot.seconds);
            }
            // Of a number and none it is the number.
            sum.peak = sum.peak.max(*peak);
        }
    }

    /// The long slot; none if nothing was added.
    pub(super) fn into_slot(self) -> Option<Slot> {
        (self.seconds > 0).then(|| Slot {
            time_s: self.time_s,
            seconds: self.seconds,
            means: self.sums.iter().map(|sum| sum.mean()).collect(),
            peaks: self.sums.iter().map(|sum| sum.peak).collect(),
        })
    }
}

impl Sum {
    fn mean(&self) -> f32 {
        match self.seconds > 0.0 {
            true => (self.weighted / self.seconds) as f32,
            false => f32::NAN,
        }
    }
}

#[cfg(test)]
#[path = "rollup_test.rs"]
mod tests;
