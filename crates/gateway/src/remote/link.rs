//! The connection of one loop to one node: how it stands, what is to be sent, what may be asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base::fleet::MemberId;
use base::{TenantId, Timestamp};
use node_proto::{Inbox, RequestId};

use super::doubt::Doubts;

/// Bytes that wait for the socket, beyond which requests wait too.
const OUT_LEN_MAX: usize = 1 << 20;
/// Bytes that wait for the socket, beyond which values wait that go in pieces: so much is what they
/// hold up other requests by at most.
const OUT_LEN_BULK_MAX: usize = 64 * 1024;
/// Requests that wait for credits, over all tenants.
const QUEUED_MAX: usize = 4096;
/// Bytes of them.
const QUEUED_LEN_MAX: usize = 16 << 20;
/// An answer that came with or after so many bytes of others took as long as those did.
const BEHIND_LEN_MAX: u64 = 64 * 1024;
/// Room that is kept, in bytes.
const KEPT_LEN: usize = 256 * 1024;
/// How long connecting and greeting may take together.
pub(super) const GREETING_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to wait before connecting again: at first, and after many failures.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);
/// How often a node is asked whether it is there; one that does not answer, more often.
const PING_INTERVAL: Duration = Duration::from_secs(1);
const PING_INTERVAL_SILENT: Duration = Duration::from_millis(100);
/// A node that has not said anything for so long is connected to anew: the way may be another, and
/// a lost packet is sent again only after seconds.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// A node and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// The node.
    pub member: MemberId,
    /// Its name, for people and for its certificate.
    pub name: String,
    /// Where it takes connections.
    pub addr: SocketAddr,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// There is none; the next is begun then.
    Down { retry_at: Timestamp },
    /// It is being made, or the node has not greeted yet.
    Connecting { give_up_at: Timestamp },
    /// Requests may go.
    Up,
    /// The node has not answered in time, nor said anything else: nothing is asked until it does.
    Silent,
    /// The node has said that it is about to end: nothing is asked any more.
    Leaving,
    /// The node is no more, as far as this gateway knows.
    Gone,
}

/// A request that waits for a credit.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) id: RequestId,
    pub(super) frame: Vec<u8>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) node: NodeAddress,
    pub(super) state: LinkState,
    pub(super) inbox: Inbox,
    out: Vec<u8>,
    sent: usize,
    pub(super) credits: u32,
    pub(super) outstanding: u32,
    /// Copies of requests that it has not answered, and those whose answer nobody waits for any more.
    pub(super) copies_open: u32,
    pub(super) copies_late: u32,
    queues: VecDeque<(TenantId, VecDeque<Queued>)>,
    queued: usize,
    queued_len: usize,
    /// Values on their way in that the node can be sent more of.
    pub(super) bulk: VecDeque<RequestId>,
    pub(super) doubts: Doubts,
    /// Removals of keys in doubt that it has not answered.
    pub(super) removals: u32,
    pub(super) heard_at: Timestamp,
    /// Bytes that have come from the node, ever.
    pub(super) received_len: u64,
    pub(super) instance: u64,
    /// That both sides spoke last; 0 before the first greeting.
    pub(super) version: u16,
    failures: u32,
    pub(super) ping_at: Timestamp,
    pub(super) asked_at: Timestamp,
    /// It stands among those that have something to send.
    pub(super) is_dirty: bool,
}

impl Link {
    pub(super) fn new(now: Timestamp, node: NodeAddress) -> Self {
        Self {
            node,
            state: LinkState::Down { retry_at: now },
            inbox: Inbox::default(),
            out: Vec::new(),
            sent: 0,
            credits: 0,
            outstanding: 0,
            copies_open: 0,
            copies_late: 0,
            queues: VecDeque::new(),
            queued: 0,
            queued_len: 0,
            bulk: VecDeque::new(),
            doubts: Doubts::default(),
            removals: 0,
            heard_at: now,
            received_len: 0,
            instance: 0,
            version: 0,
            failures: 0,
            ping_at: Timestamp::MAX,
            asked_at: Timestamp::ZERO,
            is_dirty: false,
        }
    }

    /// Whether requests may be made.
    pub(super) fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// Whether the answer to a request, which left when so much had been received, had to wait for others' bytes.
    pub(super) fn is_behind(&self, received_len: u64, answer_len: usize) -> bool {
        self.received_len - received_len.min(self.received_len) > BEHIND_LEN_MAX + answer_len as u64
    }

    /// Bytes for the socket.
    pub(super) fn outgoing(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// Where frames for the socket are put.
    #[inline]
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Notes that the socket took `count` bytes.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.out.clear();
            self.out.shrink_to(KEPT_LEN);
            self.sent = 0;
        } else if self.sent > KEPT_LEN {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Whether the node allows another request, and the socket keeps up.
    #[inline]
    pub(super) fn has_credit(&self) -> bool {
        self.outstanding < self.credits && self.out.len() - self.sent < OUT_LEN_MAX
    }

    /// Whether a piece of a large value may go now without holding up others.
    pub(super) fn has_bulk_room(&self) -> bool {
        self.out.len() - self.sent < OUT_LEN_BULK_MAX
    }

    /// Whether there is room for a request to wait.
    pub(super) fn has_queue_room(&self) -> bool {
        self.queued < QUEUED_MAX && self.queued_len < QUEUED_LEN_MAX
    }

    /// Whether requests wait already: others may not overtake their own tenant's.
    pub(super) fn has_queued(&self) -> bool {
        self.queued > 0
    }

    /// Has a request wait for a credit.
    pub(super) fn enqueue(&mut self, tenant: TenantId, queued: Queued) {
        self.queued += 1;
        self.queued_len += queued.frame.len();
        match self.queues.iter_mut().find(|(other, _)| *other == tenant) {
            Some((_, queue)) => queue.push_back(queued),
            None => self.queues.push_back((tenant, VecDeque::from([queued]))),
        }
    }

    /// The next request that waits, tenant by tenant.
    pub(super) fn dequeue(&mut self) -> Option<Queued> {
        let (tenant, mut queue) = self.queues.pop_front()?;
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.queues.push_back((tenant, queue));
        }
        if let Some(queued) = &next {
            self.queued -= 1;
            self.queued_len -= queued.frame.len();
        }
        next
    }

    /// The connection is made: nothing of an earlier one counts.
    pub(super) fn begin(&mut self) {
        self.inbox = Inbox::default();
        self.out.clear();
        self.sent = 0;
        self.credits = 0;
        self.outstanding = 0;
        (self.copies_open, self.copies_late) = (0, 0);
        self.removals = 0;
    }

    /// Requests may go from now on.
    pub(super) fn come_up(&mut self, now: Timestamp, credits: u32, instance: u64) {
        self.state = LinkState::Up;
        self.credits = credits;
        self.instance = instance;
        self.failures = 0;
        self.heard_at = now;
        self.ping_at = now;
    }

    /// The connection is lost, or could not be made.
    pub(super) fn go_down(&mut self, now: Timestamp) {
        self.begin();
        self.queues.clear();
        (self.queued, self.queued_len) = (0, 0);
        self.bulk.clear();
        self.ping_at = Timestamp::MAX;
        let wait = RETRY_MIN * (1 << self.failures.min(8));
        self.failures += 1;
        if self.state != LinkState::Gone {
            self.state = LinkState::Down {
                retry_at: now + wait.min(RETRY_MAX),
            };
        }
    }

    /// Has not answered a request in time; true if it has said nothing else since either.
    pub(super) fn is_silent_since(&self, then: Timestamp) -> bool {
        self.is_up() && self.heard_at <= then
    }

    /// Whether it has been silent for so long that another connection may do better.
    pub(super) fn is_lost(&self, now: Timestamp) -> bool {
        let is_connected = matches!(
            self.state,
            LinkState::Up | LinkState::Silent | LinkState::Leaving
        );
        is_connected && now.since(self.heard_at) >= SILENCE_MAX + PING_INTERVAL
    }

    /// When to ask it next whether it is there.
    pub(super) fn next_ping(&self, now: Timestamp) -> Timestamp {
        now + match self.state {
            LinkState::Silent => PING_INTERVAL_SILENT,
            _ => PING_INTERVAL,
        }
    }

    /// When something is to be done although nothing happens.
    pub(super) fn poll_timeout(&self) -> Timestamp {
        match self.state {
            LinkState::Down { retry_at } => retry_at,
            LinkState::Connecting { give_up_at } => give_up_at,
            LinkState::Up | LinkState::Silent | LinkState::Leaving => self.ping_at,
            LinkState::Gone => Timestamp::MAX,
        }
    }
}

#[cfg(test)]
#[path = "link_test.rs"]
mod tests;
