//! From single probes to how a component is, with hysteresis both ways.
//!
//! One failure is noise, three in a row are an outage, and one success after an outage is noise
//! again. What fails now and then is judged over the last twenty probes, what is slow over the last
//! twelve. Where no probe has come back for a while the answer is that nobody knows.

use std::collections::VecDeque;
use std::time::Duration;

use base::Timestamp;

use crate::level::Level;

/// The probes that are remembered.
const REMEMBERED: usize = 20;
/// Failures in a row that are an outage.
const FAILURES_FOR_OUTAGE: usize = 3;
/// Successes in a row that end one.
const SUCCESSES_AFTER_OUTAGE: usize = 4;
/// Failures among the remembered probes that are a partial outage.
const FAILURES_FOR_PARTIAL: usize = 6;
/// Successes in a row that end that.
const SUCCESSES_AFTER_PARTIAL: usize = 8;
/// Over how many probes slowness is judged.
const SLOW_WINDOW: usize = 12;
/// Slow ones among them from which on it is slow,
const SLOW_FOR_DEGRADED: usize = 10;
/// and down to which it still is.
const SLOW_AFTER_DEGRADED: usize = 3;
/// Successes after nobody knew.
const SUCCESSES_AFTER_NO_DATA: usize = 2;

/// What is asked of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Longer than this is slow.
    pub slow: Duration,
    /// Without a probe for so long nobody knows.
    pub stale: Duration,
}

impl Default for Standard {
    fn default() -> Self {
        Self {
            slow: Duration::from_millis(100),
            stale: Duration::from_secs(8),
        }
    }
}

/// What one probe says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Slow,
    Failed,
}

/// A step from one level to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it was.
    pub from: Level,
    /// What it is.
    pub to: Level,
    /// When what it was concluded from began.
    pub onset: Timestamp,
}

/// Judges one component.
#[derive(Clone, Debug)]
pub struct Judge {
    standard: Standard,
    /// The latest last, with the time that each probe began.
    recent: VecDeque<(Timestamp, Verdict)>,
    level: Level,
    onset: Timestamp,
    probed: Option<Timestamp>,
}

impl Judge {
    /// A judge who has seen nothing.
    pub fn new(standard: Standard, now: Timestamp) -> Self {
        Self {
            standard,
            recent: VecDeque::with_capacity(REMEMBERED),
            level: Level::NoData,
            onset: now,
            probed: None,
        }
    }

    /// How the component is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Since when.
    pub fn onset(&self) -> Timestamp {
        self.onset
    }

    /// The remembered probes that failed, and all of them.
    pub fn failures(&self) -> (usize, usize) {
        (
            self.count(self.recent.len(), Verdict::Failed),
            self.recent.len(),
        )
    }

    /// Takes in a probe that began at `began` and ended `now`: the time it took, or nothing if it
    /// failed.
    pub fn observe(
        &mut self,
        began: Timestamp,
        now: Timestamp,
        took: Option<Duration>,
    ) -> Option<Step> {
        let silent = self.handle_timeout(now);
        self.probed = Some(now);
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        let verdict = match took {
            None => Verdict::Failed,
            Some(took) if took > self.standard.slow => Verdict::Slow,
            Some(_) => Verdict::Good,
        };
        self.recent.push_back((began, verdict));
        let next = self.next();
        self.step(next).or(silent)
    }

    /// Notices that nobody has looked for too long.
    pub fn handle_timeout(&mut self, now: Timestamp) -> Option<Step> {
        let last = self.probed?;
        if now.since(last) <= self.standard.stale {
            return None;
        }
        // What was before the silence says nothing of what comes after it.
        self.recent.clear();
        self.probed = None;
        let from = self.level;
        self.level = Level::NoData;
        self.onset = last;
        (from != Level::NoData).then_some(Step {
            from,
            to: Level::NoData,
            onset: last,
        })
    }

    fn next(&self) -> Level {
        if self.run(|verdict| verdict == Verdict::Failed) >= FAILURES_FOR_OUTAGE {
            return Level::Major;
        }
        let works = self.run(|verdict| verdict != Verdict::Failed);
        let needed = match self.level {
            Level::Major => SUCCESSES_AFTER_OUTAGE,
            Level::Partial => SUCCESSES_AFTER_PARTIAL,
            Level::NoData => SUCCESSES_AFTER_NO_DATA,
            _ => 0,
        };
        if works < needed {
            return self.level;
        }
        let is_out = matches!(self.level, Level::Major | Level::Partial);
        if !is_out && self.count(REMEMBERED, Verdict::Failed) >= FAILURES_FOR_PARTIAL {
            return Level::Partial;
        }
        let slow = self.count(SLOW_WINDOW, Verdict::Slow);
        match self.level {
            Level::Degraded if slow >= SLOW_AFTER_DEGRADED => Level::Degraded,
            _ if slow >= SLOW_FOR_DEGRADED => Level::Degraded,
            _ => Level::Operational,
        }
    }

    fn step(&mut self, to: Level) -> Option<Step> {
        let from = self.level;
        if from == to {
            return None;
        }
        self.onset = self.onset_of(to);
        self.level = to;
        if matches!(from, Level::Major | Level::Partial)
            && !matches!(to, Level::Major | Level::Partial)
        {
            // Failures that are over are not held against what comes now.
            self.recent
                .retain(|(_, verdict)| *verdict != Verdict::Failed);
        }
        Some(Step {
            from,
            to,
            onset: self.onset,
        })
    }

    /// The first of the probes that a level was concluded from.
    fn onset_of(&self, to: Level) -> Timestamp {
        let is_part = |verdict: Verdict| match to {
            Level::Major | Level::Partial => verdict == Verdict::Failed,
            Level::Degraded => verdict == Verdict::Slow,
            _ => verdict != Verdict::Failed,
        };
        let run = match to {
            // These are not made of an unbroken run.
            Level::Partial => self.recent.len(),
            Level::Degraded => SLOW_WINDOW,
            _ => self.run(is_part),
        };
        let mut of_run = self.latest(run).filter(|(_, verdict)| is_part(*verdict));
        of_run.next_back().map_or(self.onset, |(began, _)| *began)
    }

    /// How many of the latest probes are of a kind, without one between that is not.
    fn run(&self, is_part: impl Fn(Verdict) -> bool) -> usize {
        let latest = self.recent.iter().rev();
        latest.take_while(|(_, verdict)| is_part(*verdict)).count()
    }

    fn count(&self, window: usize, kind: Verdict) -> usize {
        self.latest(window)
            .filter(|(_, verdict)| *verdict == kind)
            .count()
    }

    /// The latest probes, latest first.
    fn latest(&self, window: usize) -> impl DoubleEndedIterator<Item = &(Timestamp, Verdict)> {
        let skipped = self.recent.len().saturating_sub(window);
        self.recent.range(skipped..).rev()
    }
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod tests;
