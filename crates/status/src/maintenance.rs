//! Work that was announced: in its time a component is under maintenance, whatever probes see.

use base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::nanos;

/// Windows that are kept.
pub const WINDOWS_MAX: usize = 200;

/// How far a window has come, in Statuspage's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has yet to begin.
    Scheduled,
    /// It is on.
    InProgress,
    /// It is over.
    Completed,
}

impl Stage {
    /// The word of Statuspage's API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
        }
    }
}

/// A window of maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Maintenance {
    /// Grows by one with each.
    pub id: u64,
    /// What it is, in a few words.
    pub title: String,
    /// What clients have to expect.
    pub text: String,
    /// Keys of the components; none means all.
    pub components: Vec<String>,
    /// When it was announced.
    #[serde(with = "nanos")]
    pub announced: Timestamp,
    /// When it begins.
    #[serde(with = "nanos")]
    pub begins: Timestamp,
    /// When it ends.
    #[serde(with = "nanos")]
    pub ends: Timestamp,
}

impl Maintenance {
    /// How far it has come.
    pub fn stage(&self, now: Timestamp) -> Stage {
        if now < self.begins {
            Stage::Scheduled
        } else if now < self.ends {
            Stage::InProgress
        } else {
            Stage::Completed
        }
    }

    /// Whether a component is worked on.
    pub fn covers(&self, now: Timestamp, key: &str) -> bool {
        let is_meant = self.components.is_empty() || self.components.iter().any(|one| one == key);
        is_meant && self.stage(now) == Stage::InProgress
    }

    /// When it last changed of itself.
    pub fn updated(&self, now: Timestamp) -> Timestamp {
        match self.stage(now) {
            Stage::Scheduled => self.announced,
            Stage::InProgress => self.begins,
            Stage::Completed => self.ends,
        }
    }

    /// The name under which it is linked to.
    pub fn code(&self) -> String {
        format!("m{}", self.id)
    }
}
