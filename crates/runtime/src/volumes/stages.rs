//! How long each stage of a volume takes, and which of them stands still.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;

/// Where the time of an operation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sending replies to clients.
    Network,
    /// Waiting for room in the journal, or for the volume's own limits.
    Queue,
    /// Writing to the journal.
    JournalWrite,
    /// Making the journal durable.
    JournalSync,
    /// Reading from the journal.
    JournalRead,
    /// Building segments.
    Pack,
    /// Storing objects.
    Put,
    /// Reading objects.
    Get,
}

impl Stage {
    /// All of them, in the order of a write's way and then a read's.
    pub const ALL: [Self; 8] = [
        Self::Network,
        Self::Queue,
        Self::JournalWrite,
        Self::JournalSync,
        Self::JournalRead,
        Self::Pack,
        Self::Put,
        Self::Get,
    ];

    /// The word for it, in metrics and events.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Queue => "queue",
            Self::JournalWrite => "journal_write",
            Self::JournalSync => "fsync",
            Self::JournalRead => "journal_read",
            Self::Pack => "pack",
            Self::Put => "object_write",
            Self::Get => "object_read",
        }
    }
}

/// The bounds up to which it is counted how often a stage took how long; there is no last one.
pub const STAGE_BOUNDS: [Duration; 7] = [
    Duration::from_micros(50),
    Duration::from_micros(250),
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
];

/// What one stage has done, and whether it moves.
#[derive(Debug, Default)]
struct Meter {
    /// By the first bound that it kept, and behind them what kept none.
    counts: [AtomicU64; STAGE_BOUNDS.len() + 1],
    nanos: AtomicU64,
    under_way: AtomicU64,
    /// When something was begun while nothing was under way, or last ended.
    moved_at: AtomicU64,
}

/// The stages of one volume.
#[derive(Debug, Default)]
pub struct Stages([Meter; Stage::ALL.len()]);

/// One stage's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageFigures {
    /// Which.
    pub stage: Stage,
    /// How often it was gone through.
    pub count: u64,
    /// How often within each of [`STAGE_BOUNDS`] and none before it; the last is beyond all.
    pub counts: [u64; STAGE_BOUNDS.len() + 1],
    /// How long that took in all.
    pub time: Duration,
    /// How many are in it now.
    pub under_way: u64,
    /// For how long none of those has ended.
    pub still: Duration,
}

impl Stages {
    /// Something enters a stage.
    pub(super) fn enter(&self, stage: Stage, now: Timestamp) {
        let meter = self.meter(stage);
        if meter.under_way.fetch_add(1, Ordering::Relaxed) == 0 {
            meter.moved_at.store(now.as_nanos(), Ordering::Relaxed);
        }
    }

    /// It leaves the stage again.
    pub(super) fn leave(&self, stage: Stage, entered: Timestamp, now: Timestamp) {
        let meter = self.meter(stage);
        let took = now.since(entered);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        meter.count(took);
        meter.nanos.fetch_add(nanos, Ordering::Relaxed);
        meter.moved_at.store(now.as_nanos(), Ordering::Relaxed);
        meter.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// Something went through a stage at once.
    pub(super) fn count(&self, stage: Stage) {
        self.meter(stage).count(Duration::ZERO);
    }

    /// The figures of all stages.
    pub fn figures(&self, now: Timestamp) -> Vec<StageFigures> {
        let figures = |stage: Stage| {
            let meter = self.meter(stage);
            let under_way = meter.under_way.load(Ordering::Relaxed);
            let counts = std::array::from_fn(|at| meter.counts[at].load(Ordering::Relaxed));
            let moved_at = Timestamp::from_nanos(meter.moved_at.load(Ordering::Relaxed));
            StageFigures {
                stage,
                count: counts.iter().sum(),
                counts,
                time: Duration::from_nanos(meter.nanos.load(Ordering::Relaxed)),
                under_way,
                still: match under_way {
                    0 => Duration::ZERO,
                    _ => now.since(moved_at),
                },
            }
        };
        Stage::ALL.into_iter().map(figures).collect()
    }

    fn meter(&self, stage: Stage) -> &Meter {
        // One for each: the array has the enumeration's length.
        &self.0[stage as usize]
    }
}

impl Meter {
    fn count(&self, took: Duration) {
        let bound = STAGE_BOUNDS.iter().position(|bound| took <= *bound);
        // One more than there are bounds.
        self.counts[bound.unwrap_or(STAGE_BOUNDS.len())].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "stages_test.rs"]
mod tests;
