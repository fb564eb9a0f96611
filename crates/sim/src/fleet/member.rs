//! A gateway or a node: the real tables of crate `fleet`, with a cache as small as can be.

use std::collections::HashMap;
use std::sync::Arc;

use base::Timestamp;
use base::fleet::{Claim, Epoch, Incarnation, MemberId};
use fleet::Ring;
use fleet::knowledge::{Errand, Knowledge, Learned, Leases, Standing};
use fleet::routes::Routes;
use fleet::slot_table::{Admission, SlotTable};

use super::Bug;
use super::history::WriteId;

/// A process of the fleet.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    /// Grows with every restart: what was sent to an earlier run is lost.
    pub(super) run: u32,
    pub(super) knowledge: Knowledge,
    pub(super) part: Part,
}

#[derive(Clone, Debug)]
pub(super) enum Part {
    Gateway(Gateway),
    Node(Node),
}

#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) routes: Routes,
    /// Requests in a row that each node did not answer in time.
    pub(super) timeouts: HashMap<MemberId, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) table: SlotTable,
    items: HashMap<usize, Item>,
    next_token: u64,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    stamp: Epoch,
    write: WriteId,
}

/// What a node is asked to do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Store(WriteId),
    Remove(WriteId),
}

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Hit(WriteId),
    Miss,
    /// Stored, with this token, or removed, with none.
    Done(Option<u64>),
    Refused,
}

impl Deed {
    pub(super) fn errand(self) -> Errand {
        match self {
            Self::Read => Errand::Read,
            Self::Store(_) | Self::Remove(_) => Errand::Change,
        }
    }
}

impl Member {
    pub(super) fn gateway(id: MemberId, now: Timestamp) -> Self {
        let part = Part::Gateway(Gateway {
            routes: Routes::new(),
            timeouts: HashMap::new(),
        });
        Self::new(id, part, now)
    }

    pub(super) fn node(id: MemberId, incarnation: Incarnation, now: Timestamp) -> Self {
        let part = Part::Node(Node::new(id, incarnation));
        Self::new(id, part, now)
    }

    fn new(id: MemberId, part: Part, now: Timestamp) -> Self {
        Self {
            id,
            run: 0,
            knowledge: Knowledge::new(None, Leases::default(), now),
            part,
        }
    }

    /// Ends the process and starts it again, with the ring that it had on disk, if any.
    pub(super) fn restart(
        &mut self,
        kept: Option<Arc<Ring>>,
        incarnation: Incarnation,
        now: Timestamp,
    ) {
        let mut next = match &self.part {
            Part::Gateway(_) => Self::gateway(self.id, now),
            Part::Node(_) => Self::node(self.id, incarnation, now),
        };
        next.run = self.run + 1;
        next.knowledge = Knowledge::new(kept, Leases::default(), now);
        next.bring_up_to_date();
        *self = next;
    }

    /// Takes the store's answer; true if the member has something new to say that it knows.
    pub(super) fn learn(&mut self, ring: &Arc<Ring>, asked_at: Timestamp) -> bool {
        let before = self.knowledge.announced();
        if self.knowledge.learn(ring, asked_at) == Learned::Newer {
            self.bring_up_to_date();
        }
        self.knowledge.announced() != before
    }

    fn bring_up_to_date(&mut self) {
        let ring = Arc::clone(self.knowledge.ring());
        match &mut self.part {
            Part::Gateway(gateway) => gateway.routes.learn(&ring),
            Part::Node(node) => node.table.learn(&ring),
        }
    }

    pub(super) fn standing(&self, errand: Errand, now: Timestamp, bug: Option<Bug>) -> Standing {
        match (self.knowledge.standing(errand, now), bug) {
            (Standing::Unsure, Some(Bug::NoMaxStale)) if errand == Errand::Read => {
                Standing::Assured
            }
            (Standing::Unsure, Some(Bug::LateChanges)) if errand == Errand::Change => {
                Standing::Assured
            }
            (standing, _) => standing,
        }
    }
}

impl Node {
    fn new(id: MemberId, incarnation: Incarnation) -> Self {
        Self {
            table: SlotTable::new(id),
            items: HashMap::new(),
            next_token: incarnation.first_cas(),
        }
    }

    /// Serves a request, or refuses it.
    pub(super) fn serve(
        &mut self,
        key: usize,
        deed: Deed,
        claim: Claim,
        standing: Standing,
        bug: Option<Bug>,
    ) -> Answer {
        let admission = self.table.admit(claim, standing);
        if admission != Admission::Serve && bug != Some(Bug::NoEpochCheck) {
            return match deed {
                Deed::Read => Answer::Miss,
                Deed::Store(_) | Deed::Remove(_) => Answer::Refused,
            };
        }
        let stamp = match bug {
            Some(Bug::NoEpochCheck) => Epoch::ZERO,
            Some(Bug::EpochReused) => Epoch(claim.epoch.0 % 2),
            _ => claim.epoch,
        };
        match deed {
            Deed::Read => match self.items.get(&key) {
                Some(item) if item.stamp == stamp => Answer::Hit(item.write),
                _ => Answer::Miss,
            },
            Deed::Store(write) => {
                let token = self.next_token;
                self.next_token += 1;
                self.items.insert(key, Item { stamp, write });
                Answer::Done(Some(token))
            }
            Deed::Remove(_) => {
                self.items.remove(&key);
                Answer::Done(None)
            }
        }
    }
}
