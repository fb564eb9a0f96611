//! What was done to a node other than by its judge, who has figures to tell: by whom, when and why.

use base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::membership::{Event, State};

/// Deeds of a node that are remembered.
pub const DEEDS_MAX: usize = 16;

/// Who did it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Whoever decides by what gateways see.
    #[default]
    Judge,
    /// Whoever carries changes through: the node was gone, or its time had come where nobody judges.
    Steward,
    /// A person.
    Operator,
}

/// Something that was done to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When, in milliseconds of Unix time.
    pub at_unix_ms: u64,
    /// What.
    pub event: Event,
    /// Where that led.
    pub state: State,
    /// By whom.
    pub by: By,
    /// The name of the gateway that did it, or that was told to.
    pub through: String,
    /// For what reason, in words, as far as one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Deed {
    /// What was done at `now`.
    pub fn new(now: Timestamp, event: Event, state: State, by: By, through: &str) -> Self {
        Self {
            at_unix_ms: now.as_nanos() / 1_000_000,
            event,
            state,
            by,
            through: through.to_owned(),
            why: None,
        }
    }

    /// With the reason for it.
    #[must_use]
    pub fn because(mut self, why: Option<String>) -> Self {
        self.why = why;
        self
    }

    /// The deeds to be remembered after this one, the latest last.
    pub fn after(self, before: &[Self]) -> Vec<Self> {
        let forgotten = (before.len() + 1).saturating_sub(DEEDS_MAX);
        let mut deeds: Vec<Self> = before.iter().skip(forgotten).cloned().collect();
        deeds.push(self);
        deeds
    }
}

#[cfg(test)]
#[path = "deeds_test.rs"]
mod tests;
