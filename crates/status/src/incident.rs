//! An incident: what the public is told of one affair, from its draft to its end.

use std::time::Duration;

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Updates of one incident; more than that nobody reads.
pub const UPDATES_MAX: usize = 100;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nobody notices.
    None,
    /// Answers are slow.
    Minor,
    /// Some clients are not served.
    Major,
    /// No client is served.
    Critical,
}

impl Impact {
    /// The word of Statuspage's API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// How far it has come, in Statuspage's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is there.
    Investigating,
    /// Its cause is known.
    Identified,
    /// It seems to be over.
    Monitoring,
    /// It is over.
    Resolved,
}

impl Phase {
    /// The word of Statuspage's API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Investigating => "Investigating",
            Self::Identified => "Cause identified",
            Self::Monitoring => "Monitoring",
            Self::Resolved => "Resolved",
        }
    }

    /// The phase of this word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::Investigating,
            Self::Identified,
            Self::Monitoring,
            Self::Resolved,
        ];
        all.into_iter().find(|phase| phase.word() == word)
    }
}

/// Who sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only operators, until one of them publishes it.
    Held,
    /// Everybody.
    Published,
    /// Nobody any more.
    Discarded,
}

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Drafted from what probes saw.
    Probes,
    /// Drafted from what the service said of itself.
    Events,
    /// A person.
    Operator,
}

/// One entry of its timeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Update {
    /// When it was written.
    #[serde(with = "nanos")]
    pub at: Timestamp,
    /// How far the incident had come.
    pub phase: Phase,
    /// What was to be said.
    pub text: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Incident {
    /// Grows by one with each.
    pub id: u64,
    /// What it is, in a few words.
    pub title: String,
    /// Who wrote it.
    pub origin: Origin,
    /// How bad it was at its worst.
    pub impact: Impact,
    /// How sure it is that clients notice, in percent.
    pub confidence_percent: u8,
    /// How far it has come.
    pub phase: Phase,
    /// Who sees it.
    pub visibility: Visibility,
    /// Keys of the components that it touched.
    pub components: Vec<String>,
    /// Kinds of the events that explain it.
    #[serde(default)]
    pub causes: Vec<String>,
    /// When it began.
    #[serde(with = "nanos")]
    pub began: Timestamp,
    /// When it was drafted.
    #[serde(with = "nanos")]
    pub drafted: Timestamp,
    /// When it was published.
    #[serde(with = "nanos_or_none", default)]
    pub published: Option<Timestamp>,
    /// When it seemed to be over.
    #[serde(with = "nanos_or_none", default)]
    pub recovered: Option<Timestamp>,
    /// When it was over.
    #[serde(with = "nanos_or_none", default)]
    pub resolved: Option<Timestamp>,
    /// Its timeline, the oldest first; never empty.
    pub updates: Vec<Update>,
}

impl Incident {
    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Resolved && self.visibility != Visibility::Discarded
    }

    /// Whether everybody sees it.
    pub fn is_public(&self) -> bool {
        self.visibility == Visibility::Published
    }

    /// When it was last written about.
    pub fn updated(&self) -> Timestamp {
        self.updates.last().map_or(self.drafted, |update| update.at)
    }

    /// From its beginning to when it seemed to be over, or to `now`.
    pub fn length(&self, now: Timestamp) -> Duration {
        let end = self.recovered.or(self.resolved).unwrap_or(now);
        end.since(self.began)
    }

    /// Writes about it. An update of the same phase and text as the last is none.
    pub fn tell(&mut self, now: Timestamp, phase: Phase, text: String) {
        let is_said = |last: &Update| last.phase == phase && last.text == text;
        if self.updates.last().is_some_and(is_said) {
            return;
        }
        if self.updates.len() >= UPDATES_MAX && self.updates.len() > 1 {
            // The first says what it is; what came next is least missed.
            self.updates.remove(1);
        }
        self.phase = phase;
        match phase {
            Phase::Monitoring => self.recovered = self.recovered.or(Some(now)),
            Phase::Resolved => self.resolved = Some(now),
            Phase::Investigating | Phase::Identified => {
                self.recovered = None;
                self.resolved = None;
            }
        }
        self.updates.push(Update {
            at: now,
            phase,
            text,
        });
    }

    /// The name under which it is linked to.
    pub fn code(&self) -> String {
        format!("i{}", self.id)
    }
}

/// A timestamp as nanoseconds since the epoch.
pub(crate) mod nanos {
    use base::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        at.as_nanos().serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        u64::deserialize(d).map(Timestamp::from_nanos)
    }
}

/// The same where there may be none.
mod nanos_or_none {
    use base::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::as_nanos).serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<u64>::deserialize(d)?.map(Timestamp::from_nanos))
    }
}

#[cfg(test)]
#[path = "incident_test.rs"]
mod tests;
