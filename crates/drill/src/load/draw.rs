//! Drawing keys: uniform, by Zipf's law, or one after another.

use base::rng::Rng;

use super::plan::Distribution;

/// Draws key numbers below a count.
#[derive(Clone, Debug)]
pub(crate) enum KeyDraw {
    /// All equally often.
    Uniform { count: u64 },
    /// The lower the number, the more often.
    Zipf(Zipf),
    /// One after another, round and round.
    Sequential { next: u64, count: u64 },
}

impl KeyDraw {
    /// `first` is where a sequential walk begins.
    pub(crate) fn new(distribution: Distribution, count: u64, first: u64) -> Self {
        match distribution {
            Distribution::Uniform => Self::Uniform { count },
            Distribution::Zipf(theta) => Self::Zipf(Zipf::new(count, theta)),
            Distribution::Sequential => Self::Sequential {
                next: first % count.max(1),
                count,
            },
        }
    }

    /// The next key's number.
    #[inline]
    pub(crate) fn next(&mut self, rng: &mut Rng) -> u64 {
        match self {
            Self::Uniform { count } => rng.below(*count),
            Self::Zipf(zipf) => zipf.next(rng),
            Self::Sequential { next, count } => {
                let id = *next;
                *next = if id + 1 >= *count { 0 } else { id + 1 };
                id
            }
        }
    }
}

/// Zipf's law over `0..count` in constant time and memory, by rejection-inversion (Hörmann and
/// Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
/// ACM TOMACS 6(3), 1996).
///
/// The area under x^-theta between k - 1/2 and k + 1/2 is at least k^-theta, since the curve is
/// convex: draw from the curve by inverting its integral, round, and reject the surplus.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    count: f64,
    theta: f64,
    /// The integral at 3/2, less the weight of rank 1: the left end of what is drawn.
    area_first: f64,
    /// The integral at count + 1/2: the right end.
    area_last: f64,
    /// A draw this close to its rank is accepted without computing more.
    sure_within: f64,
}

impl Zipf {
    /// Over `count` ranks, rank k in proportion to 1 / k^theta.
    pub(crate) fn new(count: u64, theta: f64) -> Self {
        let mut zipf = Self {
            count: count as f64,
            theta,
            area_first: 0.0,
            area_last: 0.0,
            sure_within: 0.0,
        };
        zipf.area_first = zipf.area(1.5) - 1.0;
        zipf.area_last = zipf.area(zipf.count + 0.5);
        zipf.sure_within = 2.0 - zipf.position(zipf.area(2.5) - zipf.weight(2.0));
        zipf
    }

    /// A number below `count`; 0 is the most popular.
    pub(crate) fn next(&self, rng: &mut Rng) -> u64 {
        loop {
            let area = self.area_last + rng.unit_f64() * (self.area_first - self.area_last);
            let position = self.position(area);
            let rank = (position + 0.5).floor().clamp(1.0, self.count);
            if rank - position <= self.sure_within
                || area >= self.area(rank + 0.5) - self.weight(rank)
            {
                return rank as u64 - 1;
            }
        }
    }

    fn weight(&self, rank: f64) -> f64 {
        (-self.theta * rank.ln()).exp()
    }

    /// The integral of x^-theta from 1 to `position`, in a form that also holds at theta = 1.
    fn area(&self, position: f64) -> f64 {
        let log = position.ln();
        expm1_over((1.0 - self.theta) * log) * log
    }

    /// The inverse of [`Zipf::area`].
    fn position(&self, area: f64) -> f64 {
        let scaled = (area * (1.0 - self.theta)).max(-1.0);
        (log1p_over(scaled) * area).exp()
    }
}

/// (e^x - 1) / x, and its limit where x is 0.
fn expm1_over(x: f64) -> f64 {
    if x.abs() < 1e-8 {
        1.0 + x / 2.0
    } else {
        x.exp_m1() / x
    }
}

/// ln(1 + x) / x, and its limit where x is 0.
fn log1p_over(x: f64) -> f64 {
    if x.abs() < 1e-8 {
        1.0 - x / 2.0
    } else {
        x.ln_1p() / x
    }
}

#[cfg(test)]
#[path = "draw_test.rs"]
mod tests;
