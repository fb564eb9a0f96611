//! What was: how long a component was how well on each day, and how quick it was in each minute.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::civil::{DAY_S, day_of};
use crate::level::Level;

/// Days that are kept.
pub const DAYS_KEPT: u64 = 400;
/// Days that a page shows.
pub const DAYS_SHOWN: u64 = 90;
/// Minutes that are kept.
pub const MINUTES_KEPT: u64 = 24 * 60;

/// A longer step than this is time in which nobody looked.
const STEP_MAX: Duration = Duration::from_secs(10);
/// Samples of one minute; more often than that nobody probes.
const SAMPLES_MAX: usize = 240;
/// What a partial outage counts of an outage, as Statuspage has it.
const PARTIAL_PERCENT: u64 = 30;

/// How long a component was how well on one day, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Day {
    /// It worked.
    pub operational_ms: u32,
    /// It was slow.
    pub degraded_ms: u32,
    /// Some of it failed.
    pub partial_ms: u32,
    /// It failed.
    pub major_ms: u32,
    /// It was worked on, as announced.
    pub maintenance_ms: u32,
}

impl Day {
    fn add(&mut self, level: Level, length: Duration) {
        let part = match level {
            Level::Operational => &mut self.operational_ms,
            Level::Degraded => &mut self.degraded_ms,
            Level::Partial => &mut self.partial_ms,
            Level::Major => &mut self.major_ms,
            Level::Maintenance => &mut self.maintenance_ms,
            Level::NoData => return,
        };
        *part = part.saturating_add(u32::try_from(length.as_millis()).unwrap_or(u32::MAX));
    }

    /// The time of which something is known.
    pub fn known(&self) -> Duration {
        let parts = [
            self.operational_ms,
            self.degraded_ms,
            self.partial_ms,
            self.major_ms,
            self.maintenance_ms,
        ];
        Duration::from_millis(parts.into_iter().map(u64::from).sum())
    }

    /// As what the day is shown: as the worst of it that lasted, and without data where most of a
    /// day that is over is not known.
    pub fn level(&self, is_over: bool) -> Level {
        let least = Duration::from_secs(if is_over { DAY_S / 10 } else { 1 });
        let lasted = |ms: u32, least_s: u32| ms >= least_s * 1_000;
        match self {
            day if lasted(day.major_ms, 1_800) => Level::Major,
            day if lasted(day.major_ms, 1) || lasted(day.partial_ms, 1) => Level::Partial,
            day if day.known() < least => Level::NoData,
            day if lasted(day.degraded_ms, 60) => Level::Degraded,
            day if lasted(day.maintenance_ms, 60) => Level::Maintenance,
            _ => Level::Operational,
        }
    }
}

/// The share of the time with data in which a component worked, in millionths; maintenance is not
/// counted, a partial outage with 30 %. None without data.
pub fn uptime_ppm<'a>(days: impl IntoIterator<Item = &'a Day>) -> Option<u32> {
    let (mut known, mut down) = (0u64, 0u64);
    for day in days {
        let works = u64::from(day.operational_ms) + u64::from(day.degraded_ms);
        let (partial, major) = (u64::from(day.partial_ms), u64::from(day.major_ms));
        known += works + partial + major;
        down += major * 100 + partial * PARTIAL_PERCENT;
    }
    // Rounded down, so that nothing that was not whole is shown as whole.
    let up = (known * 100).checked_sub(down)?;
    let ppm = (u128::from(up) * 10_000).checked_div(u128::from(known))?;
    u32::try_from(ppm).ok()
}

/// `99.98 %` of millionths.
pub fn percent(ppm: u32) -> String {
    match ppm {
        1_000_000.. => "100 %".to_owned(),
        _ => format!("{}.{:03} %", ppm / 10_000, ppm % 10_000 / 10),
    }
}

/// How quick probes were in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Minute {
    /// Minutes since the epoch.
    pub minute: u64,
    /// Probes that were answered.
    pub answered: u32,
    /// Probes that failed.
    pub failed: u32,
    /// The median of the answered ones, in microseconds.
    pub median_us: u32,
    /// The longest of them, in microseconds.
    pub longest_us: u32,
}

/// One component's past.
#[derive(Clone, Debug, Default)]
pub struct History {
    days: BTreeMap<u64, Day>,
    minutes: VecDeque<Minute>,
    /// Of the minute that is not over.
    samples_us: Vec<u32>,
    open: Minute,
    accounted: Option<Timestamp>,
}

impl History {
    /// A past that was kept.
    pub fn restored(
        days: impl IntoIterator<Item = (u64, Day)>,
        minutes: impl IntoIterator<Item = Minute>,
    ) -> Self {
        let mut minutes: Vec<Minute> = minutes.into_iter().collect();
        minutes.sort_by_key(|minute| minute.minute);
        Self {
            days: days.into_iter().collect(),
            minutes: minutes.into(),
            ..Self::default()
        }
    }

    /// Accounts for the time since the last call, in which the component was at `level`. Tells the
    /// days that have changed.
    pub fn account(&mut self, now: Timestamp, level: Level) -> Vec<(u64, Day)> {
        let before = self.accounted.replace(now);
        let Some(before) = before.filter(|before| now.since(*before) <= STEP_MAX) else {
            return Vec::new();
        };
        let (first, last) = (day_of(before), day_of(now));
        let midnight = Timestamp::from_secs(last * DAY_S);
        let pieces = match first == last {
            true => vec![(first, now.since(before))],
            false => vec![(first, midnight.since(before)), (last, now.since(midnight))],
        };
        for (day, length) in &pieces {
            self.days.entry(*day).or_default().add(level, *length);
        }
        let oldest = last.saturating_sub(DAYS_KEPT);
        self.days = self.days.split_off(&oldest);
        let changed = pieces.into_iter();
        changed
            .filter_map(|(day, _)| Some((day, *self.days.get(&day)?)))
            .collect()
    }

    /// Counts a probe. Tells the minute before, if a new one has begun.
    pub fn probed(&mut self, now: Timestamp, took: Option<Duration>) -> Option<Minute> {
        let minute = now.as_nanos() / 60_000_000_000;
        let closed = (minute != self.open.minute)
            .then(|| self.close(minute))
            .flatten();
        match took {
            None => self.open.failed += 1,
            Some(took) => {
                self.open.answered += 1;
                if self.samples_us.len() < SAMPLES_MAX {
                    let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
                    self.samples_us.push(us);
                }
            }
        }
        closed
    }

    fn close(&mut self, next: u64) -> Option<Minute> {
        let mut closed = std::mem::replace(
            &mut self.open,
            Minute {
                minute: next,
                ..Minute::default()
            },
        );
        let mut samples = std::mem::take(&mut self.samples_us);
        if closed.answered + closed.failed == 0 {
            return None;
        }
        samples.sort_unstable();
        closed.median_us = samples.get(samples.len() / 2).copied().unwrap_or(0);
        closed.longest_us = samples.last().copied().unwrap_or(0);
        self.minutes.push_back(closed);
        let oldest = next.saturating_sub(MINUTES_KEPT);
        while self.minutes.front().is_some_and(|m| m.minute < oldest) {
            self.minutes.pop_front();
        }
        Some(closed)
    }

    /// The day of this number since the epoch.
    pub fn day(&self, day: u64) -> Option<&Day> {
        self.days.get(&day)
    }

    /// The days that a page shows, oldest first, the last of them the day of `now`.
    pub fn shown(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = (u64, Day)> {
        let today = day_of(now);
        let first = today.saturating_sub(DAYS_SHOWN - 1);
        (first..=today).map(|day| (day, self.day(day).copied().unwrap_or_default()))
    }

    /// Minutes that are over, oldest first.
    pub fn minutes(&self) -> impl Iterator<Item = &Minute> {
        self.minutes.iter()
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
