//! What a pair of nodes, and a node by itself, showed, in figures that can be compared.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One thing that is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// What half of the round trips take at most while bytes go both ways, in milliseconds.
    RoundTrip,
    /// What 99 of a hundred take at most.
    RoundTripP99,
    /// What 999 of a thousand take at most.
    RoundTripP999,
    /// Of a hundred round trips those without an answer.
    Unanswered,
    /// Towards the node, in Mbit/s.
    Inward,
    /// From the node, in Mbit/s.
    Outward,
    /// Of a hundred segments those that were sent again.
    Resent,
    /// What half of the engine's operations take at most, in microseconds.
    Engine,
    /// Of a hundred parts of the processors' time those that the host took.
    Steal,
    /// Memory that it copies in a second, in MiB.
    Memory,
    /// Words of memory that did not hold what was written to them.
    Pattern,
    /// What half of the small writes take at most until they are on the disk, in milliseconds.
    Disk,
    /// How far its clock is from the caller's, in milliseconds.
    Clock,
}

/// When a figure is bad beside its peers': at so many times theirs, and by so much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Margin {
    pub(super) ratio: f64,
    pub(super) excess: f64,
}

impl Test {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::RoundTrip,
        Self::RoundTripP99,
        Self::RoundTripP999,
        Self::Unanswered,
        Self::Inward,
        Self::Outward,
        Self::Resent,
        Self::Engine,
        Self::Steal,
        Self::Memory,
        Self::Pattern,
        Self::Disk,
        Self::Clock,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundTrip => "round trip, median",
            Self::RoundTripP99 => "round trip, p99",
            Self::RoundTripP999 => "round trip, p99.9",
            Self::Unanswered => "round trips unanswered",
            Self::Inward => "throughput towards it",
            Self::Outward => "throughput from it",
            Self::Resent => "segments sent again",
            Self::Engine => "engine, an operation",
            Self::Steal => "processor taken by the host",
            Self::Memory => "memory, copied",
            Self::Pattern => "memory, patterns lost",
            Self::Disk => "disk, a write",
            Self::Clock => "clock, away",
        }
    }

    /// Of its figures.
    pub fn unit(self) -> &'static str {
        match self {
            Self::RoundTrip | Self::RoundTripP99 | Self::RoundTripP999 => "ms",
            Self::Disk | Self::Clock => "ms",
            Self::Unanswered | Self::Resent | Self::Steal => "%",
            Self::Inward | Self::Outward => "Mbit/s",
            Self::Engine => "us",
            Self::Memory => "MiB/s",
            Self::Pattern => "words",
        }
    }

    /// Whether more of it is better.
    pub fn is_better_high(self) -> bool {
        matches!(self, Self::Inward | Self::Outward | Self::Memory)
    }

    /// The judge's three times, and by how much besides: a tail differs by more from moment to moment
    /// than a median does.
    pub(super) fn margin(self) -> Margin {
        let excess = match self {
            Self::RoundTrip => 0.5,
            Self::RoundTripP99 => 5.0,
            Self::RoundTripP999 => 20.0,
            Self::Unanswered | Self::Resent => 1.0,
            Self::Inward | Self::Outward | Self::Memory => 0.0,
            Self::Engine => 2.0,
            Self::Steal => 5.0,
            Self::Pattern => 0.0,
            Self::Disk => 5.0,
            Self::Clock => 100.0,
        };
        Margin { ratio: 3.0, excess }
    }
}

/// What a pair showed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairFigures {
    /// See [`Test::RoundTrip`] and those that follow it; `None` without any answer.
    pub median_ms: Option<f64>,
    /// See there.
    pub p99_ms: Option<f64>,
    /// See there.
    pub p999_ms: Option<f64>,
    /// Round trips that were made.
    pub asked: u32,
    /// Of them, those without an answer.
    pub unanswered: u32,
    /// From who called to who was called.
    pub to_called_mbit_s: f64,
    /// Back.
    pub to_caller_mbit_s: f64,
    /// Segments that both sent.
    pub segments: u32,
    /// Of them, those that were sent again.
    pub resent: u32,
}

impl PairFigures {
    /// Adds what the round trips took. One without an answer took longer than any other.
    pub fn with_round_trips(self, took: &[Duration], unanswered: u32) -> Self {
        let mut sorted: Vec<f64> = took.iter().map(|it| it.as_secs_f64() * 1e3).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let asked = u32::try_from(took.len())
            .unwrap_or(u32::MAX)
            .saturating_add(unanswered);
        let at = |part: f64| {
            let rank = (f64::from(asked) * part).ceil() as usize;
            sorted.get(rank.max(1) - 1).copied()
        };
        Self {
            median_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            asked,
            unanswered,
            ..self
        }
    }
}

/// What a node found of its own machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnFigures {
    /// See [`Test::Engine`].
    pub engine_us: f64,
    /// See [`Test::Steal`].
    pub steal_percent: f64,
    /// See [`Test::Memory`].
    pub memory_mib_s: f64,
    /// See [`Test::Pattern`]; `None` where it was not tried.
    pub pattern_faults: Option<u32>,
    /// See [`Test::Disk`]; `None` of a node that keeps nothing on its disk.
    pub disk_ms: Option<f64>,
}

/// All that is known of a node, a figure for each test; infinite where there was no answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFigures(pub(super) std::collections::BTreeMap<Test, f64>);

impl NodeFigures {
    /// Of one test.
    pub fn of(&self, test: Test) -> Option<f64> {
        self.0.get(&test).copied()
    }
}

#[cfg(test)]
#[path = "figures_test.rs"]
mod tests;
