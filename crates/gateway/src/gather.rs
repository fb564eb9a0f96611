//! `stats conns` over all loops: a list goes round and comes back to those who asked.
//!
//! However many sessions of a tenant ask, one list of it is under way from each loop at a time,
//! none is begun within 100 ms of the last, and none is longer than an ordinary turn's output.

use std::time::Duration;

use base::{TenantId, Timestamp};
use memcache_proto::OwnedReply;

use crate::session::{Peer, SessionId, Transfer};
use crate::{Backend, Shard, TurnEnd, stats};

/// Connections that one answer tells of at most.
const LINES_MAX: usize = 500;
/// How long a list serves those who ask again.
const FRESH: Duration = Duration::from_millis(100);

/// The connections of one tenant, as far as the list has come.
#[derive(Debug)]
pub struct Gather {
    tenant: TenantId,
    loop_index: usize,
    lines: Vec<ConnectionLine>,
}

/// What `stats conns` tells of a connection.
#[derive(Debug)]
pub(crate) struct ConnectionLine {
    pub(crate) peer: Peer,
    /// Where it came in.
    pub(crate) local: Peer,
    pub(crate) state: &'static str,
    pub(crate) idle_s: u32,
}

/// A tenant's last list on this loop, and who waits for the next.
#[derive(Debug, Default)]
pub(crate) struct ConnectionList {
    last: Option<(Timestamp, Vec<ConnectionLine>)>,
    waiting: Vec<SessionId>,
}

impl Gather {
    /// The loop that the list comes back to, once it has been to all others.
    pub fn loop_index(&self) -> usize {
        self.loop_index
    }
}

impl<B: Backend> Shard<B> {
    /// The list that a session began in the turn that ended with [`TurnEnd::Waiting`], if none was
    /// under way: let every shard [`list`](Self::list) its connections, this one first, then hand it
    /// back to this one's [`answer`](Self::answer).
    pub fn take_gather(&mut self) -> Option<Gather> {
        self.gather.take()
    }

    /// Adds this shard's connections of the tenant, as far as there is room; `local_of` tells at
    /// which address of ours a connection came in.
    pub fn list(&self, now: Timestamp, gather: &mut Gather, local_of: impl Fn(u64) -> Peer) {
        let room = LINES_MAX.saturating_sub(gather.lines.len());
        let lines = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                self.tenants
                    .get(session.tenant as usize)
                    .is_some_and(|tenant| tenant.id == gather.tenant)
            })
            .take(room)
            .map(|(_, session)| ConnectionLine {
                peer: session.peer,
                local: local_of(session.link),
                state: session.state_name(),
                idle_s: now.unix_secs().saturating_sub(session.active_s),
            });
        gather.lines.extend(lines);
    }

    /// Keeps a list that has come back, and has those who wait for it take their turns: each writes
    /// its answer then, on its tenant's time.
    pub fn answer(&mut self, now: Timestamp, gather: Gather) {
        let Some((_, tenant)) = self
            .tenants
            .iter_mut()
            .find(|(_, tenant)| tenant.id == gather.tenant)
        else {
            return;
        };
        tenant.connections.last = Some((now, gather.lines));
        let waiting = std::mem::take(&mut tenant.connections.waiting);
        waiting.into_iter().for_each(|id| self.make_ready(now, id));
    }

    /// Answers a session that waits for a list, if that has come.
    pub(crate) fn resume_gathering(&mut self, id: SessionId, out: &mut Vec<u8>) -> TurnEnd {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return TurnEnd::Close;
        };
        let list = self
            .tenants
            .get(session.tenant as usize)
            .and_then(|tenant| tenant.connections.last.as_ref());
        match (session.transfer.as_deref(), list) {
            (Some(Transfer::Gathering { reply, since }), Some((at, lines))) if at >= since => {
                stats::write_connections(lines, reply.borrow(), out);
                session.transfer = None;
                TurnEnd::MoreToDo
            }
            _ => TurnEnd::Waiting,
        }
    }

    /// Answers a session at once if a list is fresh; else lets it wait for the one under way, or
    /// for one that this begins.
    pub(crate) fn gather_connections(
        &mut self,
        now: Timestamp,
        id: SessionId,
        reply: OwnedReply,
        out: &mut Vec<u8>,
    ) -> TurnEnd {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return TurnEnd::Close;
        };
        let Some(tenant) = self.tenants.get_mut(session.tenant as usize) else {
            return TurnEnd::Close;
        };
        if let Some((at, lines)) = &tenant.connections.last
            && now.since(*at) < FRESH
        {
            stats::write_connections(lines, reply.borrow(), out);
            return TurnEnd::MoreToDo;
        }
        let is_first = tenant.connections.waiting.is_empty();
        tenant.connections.waiting.push(id);
        session.transfer = Some(Box::new(Transfer::Gathering { reply, since: now }));
        if is_first {
            self.gather = Some(Gather {
                tenant: tenant.id,
                loop_index: self.config.loop_index,
                lines: Vec::new(),
            });
        }
        TurnEnd::Waiting
    }
}
