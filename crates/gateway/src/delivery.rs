//! Answers from nodes, on their way to the sessions that asked.

use std::ops::Range;

use base::Timestamp;
use base::kv::Sink;
use base::kv::{Item, Outcome};
use memcache_proto::{OwnedReply, ReplySink};
use node_proto::Malformed;

use crate::prefixes::Did;
use crate::remote::{Event, LinkId};
use crate::session::{SessionId, Transfer};
use crate::tenant::TenantSlot;
use crate::{Backend, Shard};

/// Room that the answers of one batch have kept, in bytes.
const KEPT_LEN: usize = 256 * 1024;

/// Who waits for the answer to a request, by the request's place.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) session: SessionId,
    pub(crate) link: u64,
    /// Its place in the order of the session's replies.
    pub(crate) number: u32,
    /// Since when the request waits.
    pub(crate) since: Timestamp,
    pub(crate) reply: OwnedReply,
    /// What its hit is counted under by `stats detail`; empty if it is not.
    pub(crate) prefix: Vec<u8>,
}

impl Default for Awaited {
    fn default() -> Self {
        Self {
            session: SessionId(u32::MAX),
            link: u64::MAX,
            number: 0,
            since: Timestamp::ZERO,
            reply: OwnedReply::default(),
            prefix: Vec::new(),
        }
    }
}

/// Replies that have become due since the last batch was written, session by session.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// All bytes.
    pub out: Vec<u8>,
    /// Whose they are, in order; a session may come up more than once.
    pub runs: Vec<Delivery>,
}

/// Bytes for one session.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The session.
    pub session: SessionId,
    /// The driver's name for it.
    pub link: u64,
    /// Whose time it is on.
    pub tenant: TenantSlot,
    /// Where they are.
    pub bytes: Range<usize>,
}

impl<B: Backend> Shard<B> {
    /// Takes in what a node has sent; replies that become due by it are among the
    /// [`deliveries`](Self::take_deliveries).
    ///
    /// # Errors
    /// It is not of the protocol: the connection is to be closed, and
    /// [`Remote::closed`](crate::remote::Remote::closed) told.
    pub fn receive(&mut self, now: Timestamp, link: LinkId, bytes: &[u8]) -> Result<(), Malformed> {
        self.with_remote(now, |remote, each| remote.receive(now, link, bytes, each))
            .unwrap_or(Ok(()))
    }

    /// Notes that the connection to a node is no more.
    pub fn node_closed(&mut self, now: Timestamp, link: LinkId) {
        self.with_remote(now, |remote, each| remote.closed(now, link, each));
    }

    /// Notes that the connection to a node took so many bytes.
    pub fn node_sent(&mut self, now: Timestamp, link: LinkId, count: usize) {
        self.with_remote(now, |remote, each| remote.sent(now, link, count, each));
    }

    /// Answers requests whose time is up.
    pub fn expire_requests(&mut self, now: Timestamp) {
        self.with_remote(now, |remote, each| remote.handle_timeout(now, each));
    }

    /// Replies that are due; write each as if its session had had a turn, then give the buffers back
    /// with [`recycle`](Self::recycle).
    pub fn take_deliveries(&mut self) -> Deliveries {
        std::mem::take(&mut self.deliveries)
    }

    /// Takes the buffers back for the next batch.
    pub fn recycle(&mut self, mut deliveries: Deliveries) {
        deliveries.out.clear();
        deliveries.out.shrink_to(KEPT_LEN);
        deliveries.runs.clear();
        self.deliveries = deliveries;
    }

    /// Whether a session is owed answers that have not come.
    pub fn is_awaiting(&self, id: SessionId) -> bool {
        let session = self.sessions.get(id.0 as usize).filter(|_| B::IS_REMOTE);
        session.is_some_and(|session| {
            let transfer = session.transfer.as_deref();
            session.ledger.is_some() || matches!(transfer, Some(Transfer::Download { .. }))
        })
    }

    /// Keeps back what must wait for answers from nodes.
    pub(crate) fn seal(&mut self, id: SessionId, out: &mut Vec<u8>) {
        if B::IS_REMOTE
            && let Some(session) = self.sessions.get(id.0 as usize)
            && let Some(ledger) = self.ledgers.of(session.ledger)
        {
            ledger.seal(out);
        }
    }

    fn with_remote<T>(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut crate::remote::Remote, &mut dyn FnMut(Event<'_>)) -> T,
    ) -> Option<T> {
        let mut woken = std::mem::take(&mut self.woken);
        let remote = self.backend.remote()?;
        let mut desk = Desk {
            now,
            loop_index: self.config.loop_index,
            sessions: &mut self.sessions,
            tenants: &self.tenants,
            awaited: &self.awaited,
            ledgers: &mut self.ledgers,
            deliveries: &mut self.deliveries,
            woken: &mut woken,
        };
        let done = work(remote, &mut |event| desk.take(event));
        for id in woken.drain(..) {
            self.make_ready(now, id);
        }
        self.woken = woken;
        Some(done)
    }
}

/// What is at hand when an answer comes.
struct Desk<'d, T> {
    now: Timestamp,
    loop_index: usize,
    sessions: &'d mut slab::Slab<crate::session::Session>,
    tenants: &'d slab::Slab<crate::tenant::Tenant<T>>,
    awaited: &'d [Awaited],
    ledgers: &'d mut crate::ledger::Ledgers,
    deliveries: &'d mut Deliveries,
    woken: &'d mut Vec<SessionId>,
}

impl<T> Desk<'_, T> {
    fn take(&mut self, event: Event<'_>) {
        let (id, answer) = match event {
            Event::Answered { id, outcome, item } => (id, Some((outcome, item))),
            Event::Ready(id) => (id, None),
        };
        let Some(awaited) = self.awaited.get(id.slot as usize) else {
            return;
        };
        let Some(session) = self
            .sessions
            .get_mut(awaited.session.0 as usize)
            .filter(|session| session.link == awaited.link)
        else {
            return;
        };
        let Some((outcome, item)) = answer else {
            self.woken.push(awaited.session);
            return;
        };
        let Some(ledger) = self.ledgers.of(session.ledger) else {
            return;
        };
        let begin = self.deliveries.out.len();
        let may_drain = !matches!(session.transfer.as_deref(), Some(Transfer::Download { .. }));
        let now = self.now;
        let held = ledger.answer(awaited.number, may_drain, &mut self.deliveries.out, |out| {
            write(&awaited.reply, now, outcome, item, out)
        });
        if let Some((pin, tail)) = held {
            session.transfer = Some(Box::new(Transfer::Download {
                pin,
                offset: 0,
                tail,
            }));
            self.woken.push(awaited.session);
        }
        if ledger.is_blocked && ledger.has_room() {
            ledger.is_blocked = false;
            self.woken.push(awaited.session);
        }
        if ledger.is_empty()
            && let Some(id) = session.ledger.take()
        {
            self.ledgers.end(id);
        }
        let slot = session.tenant;
        if let Some(tenant) = self.tenants.get(slot as usize) {
            let figures = tenant.figures.of_loop(self.loop_index);
            figures.delays.add(self.now.since(awaited.since), 1);
            if !awaited.prefix.is_empty() && outcome == Outcome::Hit {
                tenant.figures.prefixes.note(&awaited.prefix, Did::Hit);
            }
        }
        self.extend(awaited.session, awaited.link, slot, begin);
    }

    /// Gives the session what has been written from `begin` on.
    fn extend(&mut self, session: SessionId, link: u64, tenant: u32, begin: usize) {
        let end = self.deliveries.out.len();
        if begin == end {
            return;
        }
        match self.deliveries.runs.last_mut() {
            Some(run) if run.session == session && run.bytes.end == begin => run.bytes.end = end,
            _ => self.deliveries.runs.push(Delivery {
                session,
                link,
                tenant: TenantSlot(tenant),
                bytes: begin..end,
            }),
        }
    }
}

fn write(
    reply: &OwnedReply,
    now: Timestamp,
    outcome: Outcome,
    item: Option<&Item<'_>>,
    out: &mut Vec<u8>,
) -> Option<crate::ledger::Held> {
    let reply = reply.borrow();
    let mut sink = ReplySink::new(&reply, now, out);
    if let Some(item) = item {
        sink.item(item);
    }
    let pinned = sink.pinned;
    reply.outcome(outcome, out);
    pinned
}
