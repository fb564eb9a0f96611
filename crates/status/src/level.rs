//! How a component is: one vocabulary for the judge, the pages and the feeds.

use serde::{Deserialize, Serialize};

/// How well something works, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It works.
    Operational,
    /// It is worked on, as announced.
    Maintenance,
    /// Nobody has looked of late.
    NoData,
    /// It works slowly.
    Degraded,
    /// Some of it fails.
    Partial,
    /// It fails.
    Major,
}

impl Level {
    /// The word of Statuspage's API. It has none for "no data": then not all is known to be well,
    /// which is what its mildest bad word says.
    pub const fn statuspage(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Maintenance => "under_maintenance",
            Self::NoData | Self::Degraded => "degraded_performance",
            Self::Partial => "partial_outage",
            Self::Major => "major_outage",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Operational => "Operational",
            Self::Maintenance => "Under maintenance",
            Self::NoData => "No data",
            Self::Degraded => "Slow",
            Self::Partial => "Partial outage",
            Self::Major => "Outage",
        }
    }

    /// The class of what shows it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Operational => "ok",
            Self::Maintenance => "mnt",
            Self::NoData => "nod",
            Self::Degraded => "deg",
            Self::Partial => "par",
            Self::Major => "maj",
        }
    }

    /// Whether clients notice.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::Partial | Self::Major)
    }

    /// What a group of these is: out only if all of it is.
    pub fn of_group(members: impl IntoIterator<Item = Self>) -> Self {
        let members: Vec<Self> = members.into_iter().collect();
        let worst = members.iter().copied().max().unwrap_or(Self::NoData);
        let all_are_out = members.iter().all(|level| *level == Self::Major);
        match worst {
            Self::Major if !all_are_out => Self::Partial,
            worst => worst,
        }
    }
}

#[cfg(test)]
#[path = "level_test.rs"]
mod tests;
