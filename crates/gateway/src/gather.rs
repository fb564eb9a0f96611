//! `stats conns` over all loops: a list goes round and comes back to the session that asked.

use base::{TenantId, Timestamp};
use memcache_proto::OwnedReply;

use crate::session::{Peer, Session, SessionId, Transfer};
use crate::{Backend, Shard, TurnEnd};

/// The connections of one tenant, as far as the list has come.
#[derive(Debug)]
pub struct Gather {
    tenant: TenantId,
    asked_by: SessionId,
    link: u64,
    loop_index: usize,
    lines: Vec<ConnectionLine>,
}

/// What `stats conns` tells of a connection.
#[derive(Debug)]
pub(crate) struct ConnectionLine {
    pub(crate) peer: Peer,
    pub(crate) state: &'static str,
    pub(crate) idle_s: u32,
}

impl Gather {
    /// The loop that the list comes back to, once it has been to all others.
    pub fn loop_index(&self) -> usize {
        self.loop_index
    }
}

impl<B: Backend> Shard<B> {
    /// The list that a session began in the turn that ended with [`TurnEnd::Waiting`]: let every
    /// other shard [`list`](Self::list) its connections, then hand it back to this one's
    /// [`answer`](Self::answer).
    pub fn take_gather(&mut self) -> Option<Gather> {
        self.gather.take()
    }

    /// Adds this shard's connections of the tenant.
    pub fn list(&self, now: Timestamp, gather: &mut Gather) {
        let lines = self
            .sessions
            .iter()
            .filter(|(_, session)| {
                self.tenants
                    .get(session.tenant as usize)
                    .is_some_and(|tenant| tenant.id == gather.tenant)
            })
            .map(|(_, session)| ConnectionLine {
                peer: session.peer,
                state: session.state_name(),
                idle_s: now.unix_secs().saturating_sub(session.active_s),
            });
        gather.lines.extend(lines);
    }

    /// Answers the session that asked, if it is still there: its reply is
    /// [`unsent`](Self::unsent) and it is ready for its turn.
    pub fn answer(&mut self, gather: &Gather) {
        let id = gather.asked_by;
        let Some(session) = self.waiting_session(id, gather.link) else {
            return;
        };
        let Some(Transfer::Gathering { reply }) = session.transfer.take().map(|transfer| *transfer)
        else {
            return;
        };
        let mut out = Vec::new();
        crate::stats::write_connections(&gather.lines, reply.borrow(), &mut out);
        session.unsent.append(&out);
        self.make_ready(id);
    }

    /// Begins a list for a session that waits for it.
    pub(crate) fn begin_gather(
        &mut self,
        now: Timestamp,
        id: SessionId,
        reply: OwnedReply,
    ) -> TurnEnd {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return TurnEnd::Close;
        };
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return TurnEnd::Close;
        };
        session.transfer = Some(Box::new(Transfer::Gathering { reply }));
        let mut gather = Gather {
            tenant: tenant.id,
            asked_by: id,
            link: session.link,
            loop_index: self.config.loop_index,
            lines: Vec::new(),
        };
        self.list(now, &mut gather);
        self.gather = Some(gather);
        TurnEnd::Waiting
    }

    /// The session, unless its place is another's by now or it waits for nothing.
    fn waiting_session(&mut self, id: SessionId, link: u64) -> Option<&mut Session> {
        self.sessions
            .get_mut(id.0 as usize)
            .filter(|session| session.link == link)
            .filter(|session| {
                matches!(
                    session.transfer.as_deref(),
                    Some(Transfer::Gathering { .. })
                )
            })
    }
}
