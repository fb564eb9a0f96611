//! A decision of the past, whoever made it.

use fleet::deeds::{By, Deed};
use fleet::membership::Event;
use serde::{Deserialize, Serialize};

use super::report::{BlameReport, word};

/// A decision of the past.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct PastReport {
    pub(crate) at_unix_ms: u64,
    pub(crate) event: Event,
    /// Where that led.
    pub(crate) state: String,
    /// Who did it.
    #[serde(default)]
    pub(crate) by: By,
    /// The gateway that did it, or that was told to.
    #[serde(default)]
    pub(crate) through: Option<String>,
    /// Why, in words; of the judge's decisions `blaming` tells it.
    #[serde(default)]
    pub(crate) why: Option<String>,
    /// 0 where it was not for that.
    pub(crate) score: f32,
    /// What it had answered well by then, and how much it would have taken to go on.
    #[serde(default)]
    pub(crate) proven: u32,
    #[serde(default)]
    pub(crate) proof: u32,
    pub(crate) blaming: Vec<BlameReport>,
}

impl PastReport {
    /// What another than the judge has done.
    pub(super) fn of(deed: &Deed) -> Self {
        Self {
            at_unix_ms: deed.at_unix_ms,
            event: deed.event,
            state: word(&deed.state),
            by: deed.by,
            through: Some(deed.through.clone()),
            why: deed.why.clone(),
            score: 0.0,
            proven: 0,
            proof: 0,
            blaming: Vec::new(),
        }
    }

    /// By whom, and where, for people.
    pub(crate) fn doer(&self) -> String {
        let who = match self.by {
            By::Judge => "the judge",
            By::Steward => "the steward",
            By::Operator => "an operator",
        };
        match &self.through {
            Some(gateway) => format!("{who} at {gateway}"),
            None => who.to_owned(),
        }
    }
}
