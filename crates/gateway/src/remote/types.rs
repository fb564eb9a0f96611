//! What a loop's connections to nodes are told, and what they tell.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use base::fleet::{Epoch, MemberId};
use base::kv::{Item, Op, Outcome};
use base::{TenantId, Timestamp};
use fleet::knowledge::Standing;
use fleet::{Ring, SlotHasher};
use node_proto::{Mismatch, RequestId};

#[cfg(doc)]
use super::Remote;
use super::board::RemoteBoard;
use super::latency::DeadlineBounds;
use super::link::NodeAddress;
use super::tenants::{Allotment, StatsBoard};

/// What a loop's connections depend on.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// This gateway's name, for the nodes.
    pub name: String,
    /// Drawn at random when this process started.
    pub instance: u64,
    /// Which of the process's loops this is.
    pub loop_index: u32,
    /// How long requests are waited for.
    pub deadlines: DeadlineBounds,
    /// Where tenants' figures are put.
    pub stats: Arc<StatsBoard>,
    /// Where the loop says what it knows and did.
    pub board: Arc<RemoteBoard>,
}

/// Until when a member may rely on the ring that it knows, as
/// [`Knowledge`](fleet::knowledge::Knowledge) tells, for loops that have no part in finding out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assurance {
    /// For retrievals that change nothing.
    pub read_until: Timestamp,
    /// For everything else.
    pub change_until: Timestamp,
    /// Nothing is served before it has heard, until then.
    pub starting_until: Timestamp,
}

impl Assurance {
    /// Of a ring that never changes.
    pub const FOR_EVER: Self = Self {
        read_until: Timestamp::MAX,
        change_until: Timestamp::MAX,
        starting_until: Timestamp::ZERO,
    };
    /// Of a member that has never heard of a ring, and serves those who have.
    pub const NONE: Self = Self {
        read_until: Timestamp::ZERO,
        change_until: Timestamp::ZERO,
        starting_until: Timestamp::ZERO,
    };

    /// How sure it is, for an operation.
    #[inline]
    pub fn standing(&self, now: Timestamp, op: &Op<'_>) -> Standing {
        let until = match op {
            Op::Get(get) if get.touch.is_none() && get.vivify.is_none() => self.read_until,
            _ => self.change_until,
        };
        if now <= until {
            Standing::Assured
        } else if now <= self.starting_until {
            Standing::Starting
        } else {
            Standing::Unsure
        }
    }
}

/// The fleet as a gateway is to see it. What has not changed is shared with the view before it: a
/// loop looks only at what has.
#[derive(Clone, Debug)]
pub struct FleetView {
    /// From keys to slots.
    pub hasher: SlotHasher,
    /// Who owns the slots.
    pub ring: Arc<Ring>,
    /// How far this gateway may rely on that.
    pub assurance: Assurance,
    /// Where the nodes are.
    pub nodes: Arc<Vec<NodeAddress>>,
    /// What tenants may hold on each node.
    pub tenants: Arc<Vec<Allotment>>,
    /// How often tenants were emptied by their operators.
    pub flushes: Arc<HashMap<TenantId, u64>>,
}

/// Names a connection to its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u32);

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Connect to a node; tell with [`Remote::connected`] or [`Remote::closed`].
    Connect {
        /// The connection's name.
        link: LinkId,
        /// Where to.
        addr: SocketAddr,
        /// The node's name, which its certificate must bear.
        name: String,
    },
    /// Close a connection to a node that does not speak our version, and call
    /// [`Remote::closed`].
    Refuse(LinkId, Mismatch),
    /// Close a connection, if there is one; [`Remote::closed`] need not be told.
    Close(LinkId),
}

/// What has become of a request.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// It is over.
    Answered {
        /// The request.
        id: RequestId,
        /// What became of it.
        outcome: Outcome,
        /// The item of a hit.
        item: Option<&'a Item<'a>>,
    },
    /// Its value can go on.
    Ready(RequestId),
}

/// What a node said to know of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The node.
    pub node: MemberId,
    /// The newest version that it knows of, if it has heard from the store.
    pub announced: Option<Epoch>,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// How requests fared, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteFigures {
    /// Sent to nodes.
    pub sent: u64,
    /// Answered in time.
    pub answered: u64,
    /// Not answered by their deadline.
    pub timed_out: u64,
    /// Answers that came after it.
    pub late: u64,
    /// Refused without asking, since the node could not be reached or its queue was full.
    pub refused: u64,
    /// Claims that a node knew to be old.
    pub old_epochs: u64,
    /// Copies of requests sent to nodes that are about to be let in.
    pub copies: u64,
    /// Of these, and of those that were not even sent because earlier ones were not answered: answered
    /// in time.
    pub copies_answered: u64,
    /// … and not.
    pub copies_unanswered: u64,
    /// Keys now whose items must be removed from nodes out of reach, or may have to be.
    pub in_doubt: u64,
}
