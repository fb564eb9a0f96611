//! A node's machine and the connections to it, as the world has them.

use std::collections::HashMap;

use base::Timestamp;
use base::fleet::MemberId;
use gateway::remote::LinkId;
use node::{Caller, Node, NodeConfig};

use crate::caches::Caches;

/// A connection between the gateway and one node.
pub(crate) struct Pipe {
    /// Which loop's it is.
    pub(crate) at: usize,
    pub(crate) node: usize,
    pub(crate) link: LinkId,
    /// The node's name for it, once it has it.
    pub(crate) accepted: Option<node::LinkId>,
    pub(crate) open_at_gateway: bool,
    /// What is sent later arrives no earlier.
    pub(crate) last_to: Timestamp,
    pub(crate) last_from: Timestamp,
}

pub(crate) struct Machine {
    pub(crate) node: Node<Caches, Caches>,
    pub(crate) callers: HashMap<Caller, node::LinkId>,
    /// It does nothing until then; what arrives waits.
    pub(crate) stopped_until: Timestamp,
    pub(crate) waiting: Vec<(usize, Vec<u8>)>,
    /// Nothing gets through until then; it comes later.
    pub(crate) parted_until: Timestamp,
    pub(crate) runs: u64,
}

impl Machine {
    pub(crate) fn new(member: MemberId, runs: u64) -> Self {
        let caches = Caches::default();
        let config = NodeConfig {
            member,
            name: member.to_string(),
            instance: runs,
            credits: 16,
        };
        Self {
            node: Node::new(config, caches.clone(), caches),
            callers: HashMap::new(),
            stopped_until: Timestamp::ZERO,
            waiting: Vec::new(),
            parted_until: Timestamp::ZERO,
            runs,
        }
    }
}
