//! What was seen of a fleet before, during and after what was done to it.

use std::collections::BTreeSet;

use super::network::Stack;
use super::samples::Stretch;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) before: Stretch,
    /// From the fault on until the end.
    pub(crate) since: Stretch,
    pub(crate) after: Stretch,
    pub(crate) hit_ratio_min: f64,
    /// By name, in milliseconds after the fault.
    pub(crate) suspected: Vec<(String, u64)>,
    pub(crate) ejected: Vec<(String, u64)>,
    /// Kind, when, and whom it names.
    pub(crate) notices: Vec<(String, u64, Vec<String>)>,
    /// Nodes that the gate refused, in milliseconds after the fault.
    pub(crate) refused: Vec<(String, u64)>,
    /// The bad nodes that had any keys at any moment.
    pub(crate) served: BTreeSet<String>,
    /// Nodes that were out before anything was done, and for how many milliseconds.
    pub(crate) out_before: Vec<(String, u64)>,
    /// The node that what was done made busier than all others.
    pub(crate) busy: Option<String>,
    /// The most that were out at once.
    pub(crate) out_max: usize,
    /// After the end of the fault.
    pub(crate) back_ms: Option<u64>,
    /// The bad nodes' names.
    pub(crate) targets: Vec<String>,
    /// Of the machine's time, what its host took away.
    pub(crate) steal: f64,
    pub(crate) stack: Stack,
}

impl Seen {
    /// When the first of the bad nodes was there, or of any where none is bad.
    pub(crate) fn first(&self, times: &[(String, u64)]) -> Option<u64> {
        let is_meant = |name: &String| self.targets.is_empty() || self.targets.contains(name);
        let meant = times.iter().filter(|(name, _)| is_meant(name));
        meant.map(|it| it.1).min()
    }

    /// When the first of them was a suspect, or else out.
    pub(crate) fn detected(&self) -> Option<u64> {
        self.first(&self.suspected).or(self.first(&self.ejected))
    }

    /// Whether one of the bad nodes was taken out.
    pub(crate) fn is_target_out(&self) -> bool {
        let mut out = self.ejected.iter();
        out.any(|(name, _)| self.targets.contains(name))
    }
}
