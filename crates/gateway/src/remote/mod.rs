//! The client's side of the internal protocol: one loop's connections to all nodes, without I/O.
//!
//! A key's requests go to the node that owns its slot, over this loop's one connection to it, in the
//! order in which they were made. Each has a deadline, which follows from what its tenant's requests
//! took of late; a request without an answer by then is answered without it (see [`refused`]), and
//! an answer that comes later finds nobody. A node that lets a deadline pass and has said nothing
//! else since is asked nothing more until it speaks again.
//!
//! A driver carries out [`Remote::poll_command`]; tells what became of connections with
//! [`Remote::connected`] and [`Remote::closed`]; hands over what comes with [`Remote::receive`];
//! writes [`Remote::outgoing`] of every connection that [`Remote::poll_transmit`] names; and calls
//! [`Remote::handle_timeout`] at [`Remote::poll_timeout`].

mod answers;
mod backend;
mod board;
mod copies;
mod doubt;
mod hot;
mod hot_board;
mod hot_path;
mod latency;
mod link;
mod refused;
mod requests;
mod submit;
mod tenants;
mod transfer;
mod types;
mod uploads;
mod watch;
mod wheel;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base::fleet::{Epoch, MemberId};
use base::{TenantId, Timestamp};
use fleet::routes::Routes;
use fleet::{Ring, SlotHasher};
use node_proto::{Hello, Malformed, Message, RequestId, VERSION, VERSION_LEAST};

pub use backend::{RemoteBackend, RemoteTenant};
pub use board::RemoteBoard;
pub use hot_board::{HOT_AGE_MAX, HotBoard, HotTerms};
pub use latency::DeadlineBounds;
pub use link::NodeAddress;
pub use refused::{Refused, refused};
pub use tenants::{Allotment, StatsBoard};
pub use types::{
    Assurance, Command, Event, FleetView, LinkId, RemoteConfig, RemoteFigures, Report,
};

pub use watch::{NodeTallies, Shares, Watch};

use copies::Copies;
use hot::HotKeys;
use latency::Latency;
use link::{GREETING_TIMEOUT, Link, LinkState};
use requests::Requests;
use watch::Counted;
use wheel::Wheel;

/// One loop's connections to the nodes.
#[derive(Debug)]
pub struct Remote {
    config: RemoteConfig,
    hasher: SlotHasher,
    routes: Routes,
    ring: Arc<Ring>,
    announced: Option<Epoch>,
    assurance: Assurance,
    nodes: Arc<Vec<NodeAddress>>,
    terms: Arc<Vec<Allotment>>,
    flushes: Option<Arc<HashMap<TenantId, u64>>>,
    links: Vec<Link>,
    by_member: HashMap<MemberId, u32>,
    requests: Requests,
    wheel: Wheel,
    latencies: Vec<Latency>,
    /// Busy keys of those tenants that want them kept, by the tenant's place.
    hot: Vec<Option<HotKeys>>,
    places: HashMap<TenantId, u32>,
    commands: VecDeque<Command>,
    dirty: Vec<LinkId>,
    /// Values on their way in that can go on; told before a call returns.
    ready: Vec<RequestId>,
    figures: RemoteFigures,
    counted: Counted,
    copies: Copies,
}

impl Remote {
    /// Knows of no node yet.
    pub fn new(config: RemoteConfig) -> Self {
        let copies = Copies::new(config.instance ^ u64::from(config.loop_index));
        Self {
            config,
            hasher: SlotHasher::new([0; 16]),
            routes: Routes::new(),
            ring: Arc::new(Ring::empty()),
            announced: None,
            assurance: Assurance::NONE,
            nodes: Arc::default(),
            terms: Arc::default(),
            flushes: None,
            links: Vec::new(),
            by_member: HashMap::new(),
            requests: Requests::default(),
            wheel: Wheel::new(),
            latencies: Vec::new(),
            hot: Vec::new(),
            places: HashMap::new(),
            commands: VecDeque::new(),
            dirty: Vec::new(),
            ready: Vec::new(),
            figures: RemoteFigures::default(),
            counted: Counted::new(),
            copies,
        }
    }

    /// Takes over a newer view of the fleet. Nodes that are not in it any more are let go; their
    /// requests end at their deadlines.
    pub fn apply(&mut self, now: Timestamp, view: &FleetView) {
        self.hasher = view.hasher;
        self.assurance = view.assurance;
        if self.announced.is_none() || !Arc::ptr_eq(&self.ring, &view.ring) {
            self.routes.learn(&view.ring);
            self.ring = Arc::clone(&view.ring);
            self.announced = Some(view.ring.announced());
        }
        let (index, board) = (self.config.loop_index, &self.config.board);
        board.note_ring(index, view.ring.announced());
        board.note_behind(index, false);
        if !Arc::ptr_eq(&self.nodes, &view.nodes) {
            self.learn_nodes(now, &view.nodes);
        }
        if !Arc::ptr_eq(&self.terms, &view.tenants) {
            self.learn_hot(now, &view.tenants);
            self.learn_terms(&view.tenants);
        }
        let known = self.flushes.replace(Arc::clone(&view.flushes));
        // What was emptied before this loop began is no news.
        let known = known.filter(|known| !Arc::ptr_eq(known, &view.flushes));
        for (tenant, count) in known.iter().flat_map(|_| view.flushes.iter()) {
            let before = known.as_ref().and_then(|known| known.get(tenant));
            if before != Some(count) {
                self.flush(now, *tenant, std::time::Duration::ZERO);
            }
        }
    }

    fn learn_nodes(&mut self, now: Timestamp, nodes: &Arc<Vec<NodeAddress>>) {
        self.nodes = Arc::clone(nodes);
        for node in nodes.iter() {
            self.learn_node(now, node);
        }
        for index in 0..self.links.len() {
            let link = &mut self.links[index];
            let is_member = nodes.contains(&link.node);
            if !is_member && link.state != LinkState::Gone {
                link.state = LinkState::Gone;
                self.commands.push_back(Command::Close(link_id(index)));
            }
        }
    }

    fn learn_node(&mut self, now: Timestamp, node: &NodeAddress) {
        let known = self.by_member.get(&node.member);
        let link = known.and_then(|index| self.links.get_mut(*index as usize));
        match link {
            Some(link) if link.node == *node => {
                if link.state == LinkState::Gone {
                    link.state = LinkState::Down { retry_at: now };
                }
            }
            _ => {
                let index = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
                self.links.push(Link::new(now, node.clone()));
                self.counted.add_link(node.member);
                self.by_member.insert(node.member, index);
            }
        }
    }

    /// What the driver is to do next.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
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
    pub fn sent(
        &mut self,
        now: Timestamp,
        id: LinkId,
        count: usize,
        each: &mut dyn FnMut(Event<'_>),
    ) {
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.sent(count);
            self.pump(now, id);
            self.tell_ready(each);
        }
    }

    /// How requests fared.
    pub fn figures(&self) -> RemoteFigures {
        self.figures
    }

    /// Whether any node can be asked.
    pub fn is_reachable(&self) -> bool {
        self.links.iter().any(Link::is_up)
    }

    /// Keys whose items nodes have not removed yet, of changes that were answered for them.
    pub fn keys_in_doubt(&self) -> usize {
        let in_doubt = |link: &Link| link.doubts.len() + link.removals as usize;
        self.links.iter().map(in_doubt).sum()
    }

    /// A connection is made: the greeting goes first.
    pub fn connected(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        link.begin();
        link.heard_at = now;
        let hello = Hello {
            version_max: VERSION,
            version_least: VERSION_LEAST,
            instance: self.config.instance,
            connection: self.config.loop_index,
            epoch: self.announced.unwrap_or(Epoch::ZERO).0,
            credits: 0,
            name: self.config.name.clone(),
        };
        Message::Hello(hello).encode(link.out());
        self.mark_dirty(id);
    }

    /// A connection is no more, or could not be made: what was asked on it is answered without it.
    pub fn closed(&mut self, now: Timestamp, id: LinkId, each: &mut dyn FnMut(Event<'_>)) {
        let requests = self.requests.of_link(id.0);
        for request in requests {
            self.lose(now, request, each);
        }
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.go_down(now);
        }
    }

    /// Takes in what a node has sent.
    ///
    /// # Errors
    /// It is nothing that a node says: the connection is to be closed.
    pub fn receive(
        &mut self,
        now: Timestamp,
        id: LinkId,
        bytes: &[u8],
        each: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return Ok(());
        };
        link.heard_at = now;
        link.received_len += bytes.len() as u64;
        if link.state == LinkState::Silent {
            link.state = LinkState::Up;
        }
        let mut inbox = std::mem::take(&mut link.inbox);
        let taken = inbox.take(bytes, |message| self.take(now, id, message, each));
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.inbox = inbox;
        }
        self.pump(now, id);
        self.tell_ready(each);
        taken
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let links = self.links.iter().map(Link::poll_timeout).min();
        [self.wheel.poll_timeout(), links, Some(self.counted.due())]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due: answers requests whose time is up, connects again, asks who is there.
    pub fn handle_timeout(&mut self, now: Timestamp, each: &mut dyn FnMut(Event<'_>)) {
        while let Some(id) = self.wheel.take_due(now) {
            self.expire(now, id, each);
        }
        if self.counted.due() <= now
            && let Some((shares, copying)) = self.counted.hand_over(now, self.config.stats.watch())
        {
            self.routes.limit(&shares);
            self.copies.learn(copying);
        }
        self.review_hot(now);
        for index in 0..self.links.len() {
            let id = link_id(index);
            let link = &mut self.links[index];
            match link.state {
                LinkState::Down { retry_at } if retry_at <= now => {
                    let give_up_at = now + GREETING_TIMEOUT;
                    link.state = LinkState::Connecting { give_up_at };
                    self.commands.push_back(Command::Connect {
                        link: id,
                        addr: link.node.addr,
                        name: link.node.name.clone(),
                    });
                }
                LinkState::Connecting { give_up_at } if give_up_at <= now => {
                    self.drop_link(now, id, each);
                }
                _ if link.is_lost(now) => self.drop_link(now, id, each),
                _ if link.ping_at <= now => self.ping(now, id),
                _ => {}
            }
        }
    }

    fn drop_link(&mut self, now: Timestamp, id: LinkId, each: &mut dyn FnMut(Event<'_>)) {
        self.commands.push_back(Command::Close(id));
        self.closed(now, id, each);
    }

    fn ping(&mut self, now: Timestamp, id: LinkId) {
        self.figures.in_doubt = self.keys_in_doubt() as u64;
        let board = &self.config.board;
        board.note_figures(self.config.loop_index, &self.figures);
        let announced = self.announced;
        // One loop of a process is enough for that.
        let asks_stats = self.config.loop_index == 0;
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        link.asked_at = now;
        link.ping_at = link.next_ping(now);
        let token = now.as_nanos();
        Message::Ping { token, announced }.encode(link.out());
        if asks_stats && link.is_up() {
            for terms in self.terms.iter() {
                Message::AskStats(terms.tenant).encode(link.out());
            }
        }
        self.mark_dirty(id);
    }

    fn mark_dirty(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id.0 as usize)
            && !link.is_dirty
        {
            link.is_dirty = true;
            self.dirty.push(id);
        }
    }
}

fn link_id(index: usize) -> LinkId {
    LinkId(u32::try_from(index).unwrap_or(u32::MAX))
}
