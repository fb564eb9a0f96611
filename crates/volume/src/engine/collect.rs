//! Collection: what is live in the segments with most garbage is moved together.
//!
//! Moved blocks have survived once and go into segments of their own, which keep the age of their blocks:
//! that keeps cold apart from hot. The victim is deleted when nothing that recovery starts from needs it.

use std::sync::Arc;

use super::{Engine, Task};
use crate::buffers::Buffer;
use crate::command::{Command, IoError, Reply};
use crate::draft::Moved;
use crate::leaf::Place;
use crate::name::{ObjectName, SegmentId};
use crate::segment::{Change, Summary};
use crate::table::Row;

/// For more of a root than its whole part.
const AGE_SHIFT: u32 = 16;

/// One segment at a time.
#[derive(Debug, Default)]
pub(super) struct Collector {
    state: State,
    /// Segments whose object is damaged: left alone.
    damaged: Vec<SegmentId>,
    pub(super) count: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Reading,
    /// What was live is on its way in this segment.
    Moving(u64),
}

impl Collector {
    /// A segment has taken effect.
    pub(super) fn moved(&mut self, number: u64) {
        if self.state == State::Moving(number) {
            self.state = State::Idle;
            self.count += 1;
        }
    }
}

/// What moving a segment's live blocks gains for what it costs, the more the longer its blocks have
/// lasted: cost-benefit selection of Rosenblum and Ousterhout, The Design and Implementation of a
/// Log-Structured File System, 1992. Theirs goes by the age and not by its square root, which moves old segments
/// too early: 1.64 bytes stored for each of a client instead of 1.54 where writes are skewed, 1.91 instead of
/// 1.83 where they are not (`measure write_amp` with 2 GiB).
fn worth(row: &Row, head: u64) -> u64 {
    let (live, frames) = (u64::from(row.live), u64::from(row.frames));
    let age = head.saturating_sub(row.born).saturating_add(1);
    let free = frames.saturating_sub(live) << 10;
    free.saturating_mul((age << AGE_SHIFT).isqrt()) / (frames + live).max(1)
}

impl Engine {
    pub(super) fn maybe_collect(&mut self) {
        let usage = self.table.usage();
        let lean = usage.live * 1000 >= usage.frames * self.config.live_min_permille;
        if lean || self.collector.state != State::Idle || self.stopped.is_some() {
            return;
        }
        let damaged = &self.collector.damaged;
        let possible = self.table.victims();
        let possible = possible.filter(|row| !damaged.contains(&row.id));
        let head = self.packer.head().number;
        let victim = possible.max_by_key(|row| worth(row, head));
        let Some(row) = victim else {
            return;
        };
        self.collector.state = State::Reading;
        let name = ObjectName::segment(self.config.volume, row.id);
        let token = self.begin(Task::Victim(row.id));
        self.commands.push_back(Command::Get {
            token,
            name,
            offset: 0,
            len: u64::from(row.len),
        });
    }

    pub(super) fn victim_ended(&mut self, id: SegmentId, result: Result<Buffer, IoError>) {
        self.collector.state = State::Idle;
        // Nothing of it may be live any more, and a checkpoint may have deleted it.
        let Some(number) = self.table.number_of(id) else {
            return;
        };
        let object = match result {
            Ok(bytes) => Arc::new(bytes),
            // Tried again when the next segment has taken effect.
            Err(IoError::Failed | IoError::NoSpace) => return,
            Err(IoError::NotFound) => Arc::default(),
        };
        let summary = Summary::parse(&object).filter(|summary| summary.id == id);
        let Some(summary) = summary else {
            return self.leave_alone(id);
        };
        let live = self.live_of(number, &summary);
        if live.is_empty() || self.stopped.is_some() {
            return;
        }
        let born = self.table.get(number).map_or(id.number, |row| row.born);
        let from = id;
        self.start_moving(Moved { from, object, live }, born);
        self.collector.state = State::Moving(self.packer.last_number());
    }

    /// What is live in a segment and damaged stays where it is.
    pub(super) fn leave_alone(&mut self, id: SegmentId) {
        self.collector.damaged.push(id);
        let name = ObjectName::segment(self.config.volume, id);
        self.replies.push_back(Reply::Damaged(name));
    }

    /// The live blocks of a segment, and the units at which their frames begin.
    fn live_of(&self, number: u32, summary: &Summary) -> Vec<(u64, u32)> {
        let framed = summary
            .entries
            .iter()
            .filter_map(|entry| match entry.change {
                Change::Written { unit } | Change::Moved { unit, .. } => Some((entry.block, unit)),
                Change::Zero { .. } | Change::Adopted { .. } => None,
            });
        let is_live = |(block, unit): &(u64, u32)| {
            let here = Place {
                row: number,
                unit: *unit,
            };
            self.map.get(*block) == Some(here)
        };
        framed.filter(is_live).collect()
    }
}
