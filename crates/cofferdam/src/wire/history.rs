//! Figures over a range of time.

use std::collections::BTreeMap;

use runtime::history::{self, History, Line};
use serde::{Deserialize, Serialize};

/// Where nothing else is asked for.
const RANGE_S: u64 = 15 * 60;
const POINTS: usize = 600;
const POINTS_MAX: usize = 2000;
/// Figures in one answer.
const NAMES_MAX: usize = 64;

/// A question about the past; times are seconds since the Unix epoch.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct HistoryQuery {
    /// Names joined by commas; without any, those that there are are told.
    pub(crate) names: Option<String>,
    pub(crate) from: Option<u64>,
    pub(crate) to: Option<u64>,
    pub(crate) points: Option<usize>,
}

/// Names, or figures at `from_s`, `from_s + step_s` and so on; `null` where nothing is known.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct HistoryView {
    pub(crate) from_s: u64,
    pub(crate) step_s: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    pub(crate) figures: BTreeMap<String, LineView>,
}

/// One figure over time.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct LineView {
    pub(crate) mean: Vec<Option<f32>>,
    /// The greatest second of each step.
    pub(crate) peak: Vec<Option<f32>>,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        let known = |values: Vec<f32>| {
            let values = values.into_iter();
            values
                .map(|value| Some(value).filter(|v| v.is_finite()))
                .collect()
        };
        Self {
            mean: known(line.means),
            peak: known(line.peaks),
        }
    }
}

impl HistoryQuery {
    /// Why it cannot be answered, if so.
    pub(crate) fn check(&self) -> Result<(), String> {
        let names = self.names.iter().flat_map(|names| names.split(','));
        match names.count() {
            0..=NAMES_MAX => Ok(()),
            count => Err(format!(
                "{count} names: ask for at most {NAMES_MAX} at once"
            )),
        }
    }

    /// Answers from `history` at `now_s`.
    pub(crate) fn answer(&self, history: &History, now_s: u64) -> std::io::Result<HistoryView> {
        let Some(names) = &self.names else {
            return Ok(HistoryView {
                names: history.series(),
                ..HistoryView::default()
            });
        };
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        let to_s = self.to.unwrap_or(now_s).min(now_s);
        let query = history::Query {
            names: names.clone(),
            from_s: self.from.unwrap_or(to_s.saturating_sub(RANGE_S)),
            to_s,
            points_max: self.points.unwrap_or(POINTS).clamp(1, POINTS_MAX),
        };
        let answer = history.query(&query, now_s)?;
        let lines = answer.lines.into_iter().map(LineView::from);
        Ok(HistoryView {
            from_s: answer.from_s,
            step_s: answer.step_s,
            names: Vec::new(),
            figures: names.into_iter().zip(lines).collect(),
        })
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
