//! One figure of a node beside those of all others.

/// When a figure counts as slow beside its peers'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At so many times the peers' median, and …
    pub ratio: f64,
    /// … so many seconds above it.
    pub excess_s: f64,
    /// A request is slow at so many times the peers' median …
    pub slow_ratio: f64,
    /// … and so many seconds above it …
    pub slow_excess_s: f64,
    /// … and a node is, once this part of its requests are.
    pub slow_share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ratio: 3.0,
            excess_s: 0.0005,
            slow_ratio: 4.0,
            slow_excess_s: 0.001,
            slow_share: 0.05,
        }
    }
}

/// How many deviations above the median are unusual whatever the fleet: where nodes differ from one
/// another by nature, a ratio alone would find the same ones for ever.
const DEVIATIONS: f64 = 6.0;

/// What half of a node's requests of one class take at most, in seconds, beside its peers; infinite
/// where half of them have no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// The node's.
    pub ours_s: f64,
    /// The median of its peers, and from where on it is slow; none where there are no peers.
    pub peers_s: Option<(f64, f64)>,
}

/// The figures of all nodes that may be compared, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    sorted: Vec<f64>,
    deviation: f64,
    scratch: Vec<f64>,
}

/// A figure of a node, what its peers have, and from where on it is slow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    pub(crate) ours: f64,
    pub(crate) peers: f64,
    pub(crate) limit: f64,
}

impl Compared {
    /// Whether the node is slow by it.
    pub(crate) fn is_slow(&self) -> bool {
        self.ours > self.limit
    }

    /// In another unit, of which one is so many of this.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            ours: self.ours * factor,
            peers: self.peers * factor,
            limit: self.limit * factor,
        }
    }
}

impl Field {
    /// Takes in these figures instead of the former ones.
    pub(crate) fn fill(&mut self, figures: impl Iterator<Item = f64>) {
        self.sorted.clear();
        self.sorted.extend(figures);
        self.sorted.sort_unstable_by(f64::total_cmp);
        let median = middle(&self.sorted).unwrap_or(0.0);
        self.scratch.clear();
        let away = self.sorted.iter().map(|it| (it - median).abs());
        self.scratch.extend(away.filter(|it| !it.is_nan()));
        self.scratch.sort_unstable_by(f64::total_cmp);
        self.deviation = match self.sorted.len() {
            // Two differ from their median alike, whichever is the exception.
            0..3 => 0.0,
            _ => middle(&self.scratch).unwrap_or(0.0),
        };
    }

    /// How many figures there are.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The median of all.
    pub(crate) fn median(&self) -> Option<f64> {
        middle(&self.sorted)
    }

    /// What at least half of all have at most.
    pub(crate) fn lower_median(&self) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        self.sorted.get(last / 2).copied()
    }

    /// The median of all but one that has the figure `own`.
    pub(crate) fn median_beside(&self, own: f64) -> Option<f64> {
        let place = self.sorted.partition_point(|it| *it < own);
        if self.sorted.get(place) != Some(&own) {
            return middle(&self.sorted);
        }
        let others = self.sorted.len() - 1;
        let at = |rank: usize| {
            let rank = if rank >= place { rank + 1 } else { rank };
            self.sorted.get(rank).copied()
        };
        match others {
            0 => None,
            _ if others % 2 == 1 => at(others / 2),
            _ => Some(between(at(others / 2 - 1)?, at(others / 2)?)),
        }
    }

    /// One of them, or another one, beside the others; `None` where there are none.
    pub(crate) fn beside(&self, ours: f64, ratio: f64, excess: f64) -> Option<Compared> {
        let peers = self.median_beside(ours)?;
        let limit = self.limit(peers, ratio, excess);
        Some(Compared { ours, peers, limit })
    }

    /// From where on a figure is `ratio` times and `excess` above `peers`, and unusual here.
    pub(crate) fn limit(&self, peers: f64, ratio: f64, excess: f64) -> f64 {
        let unusual = match self.deviation.is_finite() {
            true => peers + DEVIATIONS * self.deviation,
            // Half of them do not answer at all.
            false => f64::INFINITY,
        };
        (peers * ratio).max(peers + excess).max(unusual)
    }
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        len if len % 2 == 1 => sorted.get(half).copied(),
        _ => Some(between(*sorted.get(half - 1)?, *sorted.get(half)?)),
    }
}

/// The mean of two figures of which one may be infinite: then the other, since half of the field
/// is not enough to call the rest the exception.
fn between(low: f64, high: f64) -> f64 {
    if high.is_finite() {
        (low + high) / 2.0
    } else {
        low
    }
}

#[cfg(test)]
#[path = "compare_test.rs"]
mod tests;
