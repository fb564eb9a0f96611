//! Questions about a range of time.

use std::io;

use super::History;
use super::format::{Resolution, Slot};
use super::rollup::Rollup;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The figures by name; one that nobody knows has nothing but gaps.
    pub names: Vec<String>,
    /// The first second, since the Unix epoch.
    pub from_s: u64,
    /// The last one.
    pub to_s: u64,
    /// At most so many points; at least 1.
    pub points_max: usize,
}

/// What there is, all lines at the same times.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// When the first point begins.
    pub from_s: u64,
    /// From one point to the next.
    pub step_s: u64,
    /// In the order of the question.
    pub lines: Vec<Line>,
}

/// One figure over time; NaN where it is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// Its mean in each step.
    pub means: Vec<f32>,
    /// Its greatest value of any second of the step.
    pub peaks: Vec<f32>,
}

/// Slots that one question may read at its resolution.
const SLOTS_MAX: u64 = 12_000;

impl Query {
    /// The same for what may be there at all.
    fn within_reach(&self, now_s: u64) -> Self {
        let oldest_s = now_s.saturating_sub(Resolution::Hour.reach_s());
        Self {
            from_s: self.from_s.max(oldest_s),
            to_s: self.to_s.min(now_s),
            ..self.clone()
        }
    }

    /// The finest resolution that still has the beginning of the range at `now_s` and does not need
    /// too many slots for it.
    fn resolution(&self, now_s: u64) -> Resolution {
        let len_s = self.to_s.saturating_sub(self.from_s);
        let age_s = now_s.saturating_sub(self.from_s);
        let fits = |resolution: &Resolution| {
            // A minute of grace: who asks for the last hour asks a moment after it began.
            age_s <= resolution.reach_s() + 60 && len_s / resolution.step_s() <= SLOTS_MAX
        };
        let found = Resolution::ALL.into_iter().find(fits);
        found.unwrap_or(Resolution::Hour)
    }
}

impl History {
    /// Answers `query` at `now_s`. Reads at most some 12,000 slots, so it may take a tenth of a
    /// second where there are many tenants: never ask on a loop.
    pub fn query(&self, query: &Query, now_s: u64) -> io::Result<Answer> {
        let query = &query.within_reach(now_s);
        let resolution = query.resolution(now_s);
        let to_s = query.to_s;
        let unit_s = resolution.step_s();
        let slots = to_s.saturating_sub(query.from_s) / unit_s + 1;
        let points_max = query.points_max.max(1) as u64;
        let step_s = slots.div_ceil(points_max) * unit_s;
        let from_s = query.from_s - query.from_s % step_s;
        let places: Vec<Option<(usize, u64)>> = {
            let names = self.names();
            query.names.iter().map(|name| names.find(name)).collect()
        };
        let mut lines = vec![Line::default(); query.names.len()];
        for begin_s in (from_s..=to_s).step_by(step_s as usize) {
            let mut sum = Rollup::new(begin_s);
            for time_s in (begin_s..begin_s + step_s).step_by(unit_s as usize) {
                if time_s > to_s {
                    break;
                }
                if let Some(slot) = self.slot(resolution, time_s, now_s)? {
                    sum.add(&picked(&slot, &places));
                }
            }
            push(&mut lines, sum.into_slot());
        }
        Ok(Answer {
            from_s,
            step_s,
            lines,
        })
    }

    /// A slot, made up from finer ones where its time is not over yet.
    fn slot(&self, resolution: Resolution, time_s: u64, now_s: u64) -> io::Result<Option<Slot>> {
        if time_s + resolution.step_s() > now_s
            && let Some(finer) = resolution.finer()
        {
            let mut sum = Rollup::new(time_s);
            for finer_s in (time_s..=now_s).step_by(finer.step_s() as usize) {
                if let Some(slot) = self.slot(finer, finer_s, now_s)? {
                    sum.add(&slot);
                }
            }
            return Ok(sum.into_slot());
        }
        let width = self.names().len();
        self.ring(resolution).get(time_s, width)
    }
}

/// The wanted figures of a slot, as far as they were theirs then.
fn picked(slot: &Slot, places: &[Option<(usize, u64)>]) -> Slot {
    let pick = |values: &[f32], place: &Option<(usize, u64)>| {
        let (index, since_s) = (*place)?;
        // Of a time in which the place changed hands nobody can tell whose a figure is.
        values
            .get(index)
            .copied()
            .filter(|_| slot.time_s >= since_s)
    };
    let all = |values: &[f32]| -> Vec<f32> {
        let picked = places.iter().map(|place| pick(values, place));
        picked.map(|value| value.unwrap_or(f32::NAN)).collect()
    };
    Slot {
        time_s: slot.time_s,
        seconds: slot.seconds,
        means: all(&slot.means),
        peaks: match slot.peaks.is_empty() {
            true => Vec::new(),
            false => all(&slot.peaks),
        },
    }
}

fn push(lines: &mut [Line], slot: Option<Slot>) {
    let slot = slot.unwrap_or_default();
    for (index, line) in lines.iter_mut().enumerate() {
        let value = |values: &[f32]| values.get(index).copied().unwrap_or(f32::NAN);
        line.means.push(value(&slot.means));
        line.peaks.push(value(&slot.peaks));
    }
}

#[cfg(test)]
#[path = "query_test.rs"]
mod tests;
