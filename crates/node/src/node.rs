//! One loop of a node: its connections, and what it knows of the ring and of tenants.

use std::collections::HashMap;

use base::fleet::{Epoch, MemberId};
use base::{TenantId, Timestamp};
use fleet::Ring;
use fleet::slot_table::SlotTable;
use gateway::Backend;
use gateway::remote::Assurance;
use node_proto::{Hello, Message, TenantTerms, VERSION, VERSION_LEAST, agree};
use slab::Slab;

use crate::Broken;
use crate::copies::Copies;
use crate::gate::Errand;
use crate::link::{Link, LinkId};

/// How a node works.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its number in the fleet.
    pub member: MemberId,
    /// Its name, for gateways.
    pub name: String,
    /// Drawn at random when the process started.
    pub instance: u64,
    /// Requests of one connection that may be unanswered at once.
    pub credits: u32,
}

/// Who has connected: one connection of one run of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The run.
    pub instance: u64,
    /// Which of its connections.
    pub connection: u32,
}

/// What a node knows of the ring, from the store.
#[derive(Clone, Copy, Debug)]
pub struct RingState {
    /// The newest version that it knows of, if it has heard from the store.
    pub announced: Option<Epoch>,
    /// How far it may rely on what it knows.
    pub assurance: Assurance,
}

/// Gives tenants their room on this node.
pub trait Landlord {
    /// Has a tenant's cache made, or changed to these terms; older terms than the last change
    /// nothing.
    fn provide(&self, now: Timestamp, terms: &TenantTerms);

    /// Has a tenant's cache given back.
    fn forget(&self, tenant: TenantId);
}

/// How requests fared, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFigures {
    /// Carried out.
    pub served: u64,
    /// Dropped, since their time was up when their turn came.
    pub late: u64,
    /// Refused, since the gateway's claim was old or nobody was sure of it.
    pub refused: u64,
    /// Copies of requests, which nobody waited for.
    pub copies: u64,
    /// Time that they waited, in nanoseconds.
    pub queued_ns: u64,
    /// Time that it took to serve them, in nanoseconds.
    pub served_ns: u64,
}

/// One loop of a node.
#[derive(Debug)]
pub struct Node<B: Backend, L> {
    pub(crate) config: NodeConfig,
    pub(crate) backend: B,
    pub(crate) landlord: L,
    pub(crate) links: Slab<Link<B::Tenant>>,
    pub(crate) table: SlotTable,
    pub(crate) ring: RingState,
    pub(crate) tenants: HashMap<TenantId, B::Tenant>,
    pub(crate) copies: Option<Copies<B::Tenant>>,
    pub(crate) figures: NodeFigures,
    pub(crate) errands: Vec<Errand>,
    dirty: Vec<LinkId>,
    greetings: Vec<(LinkId, Caller)>,
}

impl<B: Backend, L: Landlord> Node<B, L> {
    /// Without connections; knows nothing of the ring.
    pub fn new(config: NodeConfig, backend: B, landlord: L) -> Self {
        Self {
            table: SlotTable::new(config.member),
            config,
            backend,
            landlord,
            links: Slab::new(),
            ring: RingState {
                announced: None,
                assurance: Assurance::NONE,
            },
            tenants: HashMap::new(),
            copies: None,
            figures: NodeFigures::default(),
            errands: Vec::new(),
            dirty: Vec::new(),
            greetings: Vec::new(),
        }
    }

    /// Takes over what the store says of the ring.
    pub fn learn(&mut self, ring: &Ring, state: RingState) {
        self.table.learn(ring);
        self.ring = state;
    }

    /// A gateway has connected.
    pub fn accept(&mut self) -> LinkId {
        link_id(self.links.insert(Link::new()))
    }

    /// A connection is no more: values that were under way are given up.
    pub fn closed(&mut self, id: LinkId) {
        let Some(link) = self.links.try_remove(id.0 as usize) else {
            return;
        };
        for upload in link.uploads.values() {
            self.backend.abort(&upload.data, upload.reservation);
        }
        for download in link.downloads.values() {
            self.backend.unpin(&download.data, download.pin);
        }
    }

    /// How many gateways' loops are connected.
    pub fn link_count(&self) -> usize {
        self.links.len()
    }

    /// How requests fared.
    pub fn figures(&self) -> NodeFigures {
        self.figures
    }

    /// Whether more may be read from a connection now.
    pub fn wants_input(&self, id: LinkId) -> bool {
        self.links.get(id.0 as usize).is_some_and(Link::keeps_up)
    }

    /// Serves what has come on a connection. It has been there since `arrived` or later: the
    /// requests' time runs from then. [`settle`](Self::settle) is to follow.
    ///
    /// # Errors
    /// The connection is to be closed, once what is there to send has been sent.
    pub fn receive(
        &mut self,
        now: Timestamp,
        arrived: Timestamp,
        id: LinkId,
        bytes: &[u8],
    ) -> Result<(), Broken> {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return Ok(());
        };
        let mut inbox = std::mem::take(&mut link.inbox);
        let mut broken = Ok(());
        let taken = inbox.take(bytes, |message| {
            if broken.is_ok() {
                broken = self.take(now, arrived, id, message);
            }
        });
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.inbox = inbox;
        }
        self.pump(id);
        broken.and(taken.map_err(Broken::Malformed))
    }

    /// Notes in the replies of the last batch how long their requests waited and took; it began
    /// and ended then.
    pub fn settle(&mut self, id: LinkId, arrived: Timestamp, begin: Timestamp, end: Timestamp) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        let count = u32::try_from(link.replies.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return;
        }
        let each = end.since(begin) / count;
        let mut queued = begin.since(arrived);
        for at in link.replies.drain(..) {
            let frame = link.out.get_mut(at..).unwrap_or_default();
            node_proto::set_times(frame, queued, each);
            self.figures.queued_ns += queued.as_nanos() as u64;
            queued += each;
        }
        self.figures.served_ns += end.since(begin).as_nanos() as u64;
    }

    /// A connection that has something to send.
    pub fn poll_transmit(&mut self) -> Option<LinkId> {
        let id = self.dirty.pop()?;
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.is_dirty = false;
        }
        Some(id)
    }

    /// Bytes that a connection has to send.
    pub fn outgoing(&self, id: LinkId) -> &[u8] {
        self.links
            .get(id.0 as usize)
            .map(Link::outgoing)
            .unwrap_or_default()
    }

    /// Notes that the connection took `count` bytes of [`outgoing`](Self::outgoing).
    pub fn sent(&mut self, id: LinkId, count: usize) {
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.sent(count);
            self.pump(id);
        }
    }

    /// Tells all gateways that this node is about to end.
    pub fn say_goodbye(&mut self) {
        let ids: Vec<LinkId> = self.links.iter().map(|(key, _)| link_id(key)).collect();
        for id in ids {
            if let Some(link) = self.links.get_mut(id.0 as usize) {
                Message::Goodbye.encode(&mut link.out);
                self.mark_dirty(id);
            }
        }
    }

    /// A slice of the cache's background work; true if more waits.
    pub fn maintain(&mut self, now: Timestamp) -> bool {
        self.end_copies(now);
        self.backend.maintain(now)
    }

    pub(crate) fn mark_dirty(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id.0 as usize)
            && !link.is_dirty
        {
            link.is_dirty = true;
            self.dirty.push(id);
        }
    }

    /// A connection that has introduced itself, and as whose. Once no earlier connection of the same
    /// caller is served any more, on whichever loop, call [`greet`](Self::greet): the caller asks
    /// nothing before that, and what it asked on the earlier one must not be done after what it
    /// asks on this one.
    pub fn poll_greeting(&mut self) -> Option<(LinkId, Caller)> {
        self.greetings.pop()
    }

    pub(crate) fn hear_hello(&mut self, id: LinkId, theirs: &Hello) -> Result<(), Broken> {
        if let Err(mismatch) = agree(theirs) {
            // The other side is to learn of it, too.
            self.greet(id);
            return Err(Broken::Mismatch(mismatch));
        }
        let caller = Caller {
            instance: theirs.instance,
            connection: theirs.connection,
        };
        self.greetings.push((id, caller));
        Ok(())
    }

    /// Lets a connection ask.
    pub fn greet(&mut self, id: LinkId) {
        let hello = Hello {
            version_max: VERSION,
            version_least: VERSION_LEAST,
            instance: self.config.instance,
            connection: 0,
            epoch: self.ring.announced.unwrap_or(Epoch::ZERO).0,
            credits: self.config.credits,
            name: self.config.name.clone(),
        };
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            Message::Hello(hello).encode(&mut link.out);
            link.is_greeted = true;
            self.mark_dirty(id);
        }
    }
}

fn link_id(key: usize) -> LinkId {
    LinkId(u32::try_from(key).unwrap_or(u32::MAX))
}
