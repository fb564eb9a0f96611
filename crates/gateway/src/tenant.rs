//! What a shard keeps of a tenant.

use std::sync::Arc;
use std::time::Duration;

use admission::FlowId;
use base::{TenantId, Timestamp};
use memcache_proto::Limits;

use crate::gather::ConnectionList;
use crate::pause::{Pace, Pause};
use crate::{SessionId, TenantFigures};

/// What a tenant's first turn is taken to cost, in nanoseconds.
pub(crate) const FIRST_TURN_NS: u64 = 10_000;

/// A tenant that has, or had, sessions here.
#[derive(Debug)]
pub(crate) struct Tenant<T> {
    pub(crate) id: TenantId,
    pub(crate) data: T,
    pub(crate) limits: Limits,
    pub(crate) figures: Arc<TenantFigures>,
    pub(crate) connections: ConnectionList,
    pub(crate) pace: Pace,
    pub(crate) flow: FlowId,
    pub(crate) sessions: usize,
    /// What its turns took of late, each.
    pub(crate) turn_ns: u64,
    /// Turns given and not settled yet, and what they were charged.
    pub(crate) open_turns: u32,
    pub(crate) charged_ns: u64,
    /// Requests answered in them, and since when they had waited.
    pub(crate) answered: Vec<(Timestamp, u32)>,
}

/// A tenant's place in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenantSlot(pub(crate) u32);

/// A session whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The session.
    pub session: SessionId,
    /// The driver's name for it.
    pub link: u64,
    /// Whose time its turn is on.
    pub tenant: TenantSlot,
    /// What its turn will take, to judge by its tenant's last ones.
    pub cost: Duration,
}

/// A session that waits for its turn. Its place may be another's by then, which the link tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) session: SessionId,
    pub(crate) link: u64,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl<T> Tenant<T> {
    /// Gives a turn; what it is charged for now.
    pub(crate) fn charge_turn(&mut self) -> u64 {
        self.open_turns += 1;
        self.charged_ns += self.turn_ns;
        self.turn_ns
    }

    /// Learns from the turns that are over; what was charged for them.
    pub(crate) fn settle_turns(&mut self, took_ns: u64) -> u64 {
        let turns = u64::from(std::mem::take(&mut self.open_turns));
        if let Some(each_ns) = took_ns.checked_div(turns) {
            self.turn_ns = (self.turn_ns * 3 + each_ns) / 4;
        }
        std::mem::take(&mut self.charged_ns)
    }

    /// Begins to count a time without service, or goes on with it; whether its end is another now.
    pub(crate) fn begin_pause(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        loop_index: usize,
    ) -> bool {
        if let Some(pause) = self.pace.pause {
            self.count_paused(now, pause, loop_index);
            self.pace.pause = Some(Pause { since: now, until });
            return pause.until != until;
        }
        self.pace.pause = Some(Pause { since: now, until });
        let figures = self.figures.of_loop(loop_index);
        figures.pauses.add(1);
        figures.paused.set(1);
        true
    }

    pub(crate) fn end_pause(&mut self, now: Timestamp, loop_index: usize) {
        if let Some(pause) = self.pace.take_pause(now) {
            self.count_paused(now, pause, loop_index);
            self.figures.of_loop(loop_index).paused.set(0);
        }
    }

    fn count_paused(&self, now: Timestamp, pause: Pause, loop_index: usize) {
        let length = now.min(pause.until).since(pause.since);
        let length_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let figures = self.figures.of_loop(loop_index);
        figures.paused_ns.add(length_ns);
    }
}
