//! The store, and the stewards at the gateways that carry changes of the ring through in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};
use fleet::change::{Heard, Patience, Readiness};
use fleet::{Ring, Weights};

use super::Bug;

/// What is in the store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) ring: Arc<Ring>,
    /// Grows with every write of the ring, which is what a write is compared with.
    pub(super) revision: u64,
    weights: Weights,
    /// The ring's version that fits the weights.
    settled: Option<Epoch>,
    /// Whose items are to be declared void.
    pub(super) void: Option<MemberId>,
    nodes: BTreeMap<MemberId, Epoch>,
    gateways: BTreeMap<MemberId, Epoch>,
}

/// Carries changes through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steward(Patience);

impl Store {
    pub(super) fn new(weights: Weights) -> Self {
        Self {
            ring: Arc::new(Ring::empty()),
            revision: 0,
            weights,
            settled: None,
            void: None,
            nodes: BTreeMap::new(),
            gateways: BTreeMap::new(),
        }
    }

    /// Gives a node a weight; somebody always has one.
    pub(super) fn set_weight(&mut self, node: MemberId, weight: u32) {
        self.weights.insert(node, weight);
        if self.weights.values().all(|weight| *weight == 0) {
            self.weights.insert(node, 100);
        }
        self.settled = None;
    }

    /// A gateway is there from its first word on.
    pub(super) fn register(&mut self, gateway: MemberId) {
        self.gateways.entry(gateway).or_insert(Epoch::ZERO);
    }

    pub(super) fn acknowledge(&mut self, id: MemberId, is_gateway: bool, announced: Epoch) {
        let known = match is_gateway {
            true => &mut self.gateways,
            false => &mut self.nodes,
        };
        known.insert(id, announced);
    }

    fn heard(&self) -> Heard {
        Heard {
            nodes: self.nodes.clone(),
            gateways: self.gateways.clone(),
        }
    }

    /// Puts `ring` in the place of what had `revision`; false if that is no longer there.
    pub(super) fn replace(&mut self, ring: Arc<Ring>, revision: u64) -> bool {
        let fits = self.revision == revision;
        if fits {
            self.ring = ring;
            self.revision += 1;
        }
        fits
    }
}

impl Steward {
    /// The next ring that it wants in the store, if it is time for one.
    pub(super) fn next(
        &mut self,
        store: &mut Store,
        now: Timestamp,
        bug: Option<Bug>,
    ) -> Option<Ring> {
        let ring = Arc::clone(&store.ring);
        if ring.moving().is_empty() {
            if let Some(node) = store.void.take() {
                return ring.propose_void(node).ok().flatten();
            }
            if store.settled == Some(ring.version()) {
                return None;
            }
            let next = ring.propose(&store.weights).ok().flatten();
            if next.is_none() {
                store.settled = Some(ring.version());
            }
            return next;
        }
        let may = self.0.ready(&ring, &store.heard(), now) == Readiness::Ready;
        (may || bug == Some(Bug::NoWaiting))
            .then(|| ring.commit().ok())
            .flatten()
    }
}
