//! What is known of the fleet at one moment, and whoever in this process goes by it.

use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};
use fleet::Ring;
use fleet::change::Readiness;
use fleet::memory::Parts;
use fleet::registry::Registry;
use gateway::remote::{Assurance, Report};
use runtime::store::Snapshot;

/// What a member knows.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// This member.
    pub(crate) me: MemberId,
    /// What the store holds.
    pub(crate) registry: Arc<Registry>,
    /// The same, key by key.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The newest ring.
    pub(crate) ring: Arc<Ring>,
    /// The version that this member says to know of, if it may say so.
    pub(crate) announced: Option<Epoch>,
    /// How long that may be relied on.
    pub(crate) assurance: Assurance,
    /// When the store was asked for it; `None` if this run of the process has not heard from it.
    pub(crate) asked_at: Option<Timestamp>,
    /// Since when the store does not answer, and what it is.
    pub(crate) trouble: Option<(Timestamp, String)>,
    /// At whoever carries changes through: what the one under way waits for.
    pub(crate) waiting: Option<Readiness>,
    /// Since when it waits.
    pub(crate) waits_since: Option<Timestamp>,
}

impl Sight {
    /// The name of this member.
    pub(crate) fn own_name(&self) -> String {
        let own = self.registry.members.get(&self.me);
        own.map_or_else(|| self.me.to_string(), |it| it.name.clone())
    }

    /// How old what is known is; `None` if this run has not heard from the store.
    pub(crate) fn age(&self, now: Timestamp) -> Option<Duration> {
        self.asked_at.map(|at| now.since(at))
    }
}

/// The loops of a gateway or of a node.
pub(crate) trait Seat: Send + Sync {
    /// Hands on what is known.
    fn show(&self, sight: &Sight);

    /// The newest version of the ring that all loops go by.
    fn announced(&self) -> Option<Epoch>;

    /// How tenants' memory is to be divided over the nodes from now on, where it was divided as in
    /// `before`; `None` at who does not divide it.
    fn divide(&self, _before: &Parts, _now: Timestamp) -> Option<Parts> {
        None
    }

    /// What each node last said to know, if nodes are asked.
    fn reports(&self) -> Vec<Report> {
        Vec::new()
    }
}
