//! Questions for statistics in a turn, and what its requests count for by prefix.

use base::kv::{Op, Outcome};
use memcache_proto::{Reply, StatsKind};
use node_proto::RequestId;

use super::{Stop, Turn};
use crate::Backend;
use crate::prefixes::{Did, is_hit, kind_of, prefix_of};

impl<B: Backend> Turn<'_, B> {
    /// Answers a question for statistics, or has the shard answer it.
    pub(super) fn stats(&mut self, kind: StatsKind<'_>, reply: Reply<'_>) -> Option<Stop> {
        let kind = match kind {
            StatsKind::General => StatsKind::General,
            StatsKind::Settings => StatsKind::Settings,
            StatsKind::Items => StatsKind::Items,
            StatsKind::Slabs => StatsKind::Slabs,
            StatsKind::Sizes => StatsKind::Sizes,
            StatsKind::Conns => StatsKind::Conns,
            StatsKind::Reset
            | StatsKind::DetailOn
            | StatsKind::DetailOff
            | StatsKind::DetailDump
            | StatsKind::Unknown(_) => {
                self.detail(kind, &reply);
                return None;
            }
        };
        Some(Stop::Stats(kind, reply.into_owned()))
    }

    /// Counts an operation and what became of it, if that is wanted.
    #[inline]
    pub(super) fn note_detail(&mut self, op: &Op<'_>, outcome: Outcome) {
        if self.tenant.figures.prefixes.is_on()
            && let Some((did, prefix)) = self.begin_detail(op)
            && is_hit(did, outcome)
        {
            self.tenant.figures.prefixes.note(prefix, Did::Hit);
        }
    }

    /// Counts an operation whose outcome a node has yet to tell.
    #[inline]
    pub(super) fn await_detail(&mut self, id: RequestId, op: &Op<'_>) {
        if self.tenant.figures.prefixes.is_on()
            && let Some((Did::Get, prefix)) = self.begin_detail(op)
            && let Some(awaited) = self.awaited.get_mut(id.slot as usize)
        {
            awaited.prefix.extend_from_slice(prefix);
        }
    }

    /// Turns counting on or off, or tells what was counted; any other kind is only answered.
    fn detail(&mut self, kind: StatsKind<'_>, reply: &Reply<'_>) {
        let prefixes = &self.tenant.figures.prefixes;
        match kind {
            StatsKind::DetailOn => prefixes.turn(true),
            StatsKind::DetailOff => prefixes.turn(false),
            StatsKind::DetailDump => reply.prefixes(&prefixes.dump(), self.out),
            _ => {}
        }
        reply.answer(self.out);
    }

    fn begin_detail<'k>(&self, op: &Op<'k>) -> Option<(Did, &'k [u8])> {
        let (did, prefix) = (kind_of(op)?, prefix_of(op.key())?);
        self.tenant.figures.prefixes.note(prefix, did);
        Some((did, prefix))
    }
}
