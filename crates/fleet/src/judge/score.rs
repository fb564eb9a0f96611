//! How surely something is slow, as a number that rises by factors and falls by steps.

use std::time::Duration;

/// From [`Score::CLEAR`], nothing, to [`Score::CERTAIN`], beyond doubt.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Score(f32);

/// A quarter of a second of slowness raises a score by so much …
const RISE: f32 = 1.6;
const RISE_TIME_S: f32 = 0.25;
/// … and one window by no more than this, however long it was open.
const RISE_TIME_MAX_S: f32 = 1.0;
/// A second in which too many were slow raises it by so much.
const RISE_OF_SHARE: f32 = 2.0;
const RISE_OF_SHARE_TIME_MAX_S: f32 = 3.0;
/// A second without slowness takes so much away.
const FALL_PER_S: f32 = 2.0;

impl Default for Score {
    fn default() -> Self {
        Self::CLEAR
    }
}

impl Score {
    /// Nothing speaks for it.
    pub const CLEAR: Self = Self(1.0);
    /// It looks so: after some 1.25 s.
    pub const SUSPECT: Self = Self(10.0);
    /// It is so: after some 2.5 s.
    pub const CERTAIN: Self = Self(100.0);

    /// Its value, from 1 to 100.
    pub const fn value(self) -> f32 {
        self.0
    }

    /// After a window of `length` in which all was slow.
    #[must_use]
    pub fn raised(self, length: Duration) -> Self {
        let rounds = length.as_secs_f32().min(RISE_TIME_MAX_S) / RISE_TIME_S;
        self.times(RISE.powf(rounds.max(1.0)))
    }

    /// After a window of `length` in which too large a part was slow.
    #[must_use]
    pub fn raised_by_share(self, length: Duration) -> Self {
        let seconds = length.as_secs_f32().min(RISE_OF_SHARE_TIME_MAX_S);
        self.times(RISE_OF_SHARE.powf(seconds.max(1.0)))
    }

    fn times(self, factor: f32) -> Self {
        Self((self.0 * factor).min(Self::CERTAIN.0))
    }

    /// After a window of `length` in which nothing was.
    #[must_use]
    pub fn lowered(self, length: Duration) -> Self {
        Self((self.0 - FALL_PER_S * length.as_secs_f32()).max(Self::CLEAR.0))
    }

    /// The higher of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }

    /// For sorting; scores are numbers.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
