//! What one member knows of the ring, and for how long it may rely on that.
//!
//! It may while the store, or enough of the nodes, said within a [`Leases`] that nothing has
//! changed. Times are those at which the question was *asked*, so that a slow answer makes nothing
//! look younger than it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};

use crate::change::evidence_quorum;
use crate::ring::Ring;

/// For how long a member serves on without a sign that its ring is the newest.
///
/// Reads for longer, since what they may bring is at worst stale for that long. Changes only for as
/// long as no other node can have taken the slot over ([`GRACE`](crate::change::GRACE)): one that was
/// acknowledged later would be lost, and what the new owner has instead is stale for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leases {
    /// For retrievals that change nothing, `max_stale`; also how long a member that has just started
    /// waits to hear something.
    pub read: Duration,
    /// For everything else. A second less than `GRACE`, so that what was sent in time and is carried
    /// out up to a second later is in time too: no request's deadline may be longer.
    pub change: Duration,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(30),
            change: Duration::from_secs(4),
        }
    }
}

/// What is to be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Retrieve, and change nothing.
    Read,
    /// Anything else; also a retrieval that touches.
    Change,
}

/// What a ring out of the store was to the member that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// What it knew.
    Same,
    /// Newer: what depends on it is to be brought up to date.
    Newer,
    /// Older than what it knew. The store lost a change that it had taken (a backup was put back):
    /// it is not believed, and somebody must be told.
    Older,
}

/// How sure a member is of its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has just started and heard from nobody, and may have forgotten what it said to know: it
    /// serves nothing. This ends by itself after the lease of reads, when whoever relies on what it
    /// said has stopped, too.
    Starting,
    /// It has not heard for a lease that its ring is the newest: a node serves those who have.
    Unsure,
    /// Its ring was certainly the newest a lease ago or less.
    Assured,
}

/// One member's ring and how sure it is.
#[derive(Clone, Debug)]
pub struct Knowledge {
    ring: Arc<Ring>,
    /// The nodes of which enough must know of a change beyond the announced one.
    voters: Vec<MemberId>,
    /// When the store was last asked with this ring as the answer.
    confirmed_at: Option<Timestamp>,
    /// When each node that owns slots was last asked and knew of nothing newer.
    reports: BTreeMap<MemberId, Timestamp>,
    /// The newest version that anybody has mentioned.
    heard_of: Epoch,
    heard_from_store: bool,
    started_at: Timestamp,
    leases: Leases,
}

impl Knowledge {
    /// A member that starts now, with the ring that it kept from before, if it has one.
    pub fn new(kept: Option<Arc<Ring>>, leases: Leases, now: Timestamp) -> Self {
        let ring = kept.unwrap_or_else(|| Arc::new(Ring::empty()));
        Self {
            heard_of: ring.announced(),
            voters: voters(&ring),
            ring,
            confirmed_at: None,
            reports: BTreeMap::new(),
            heard_from_store: false,
            started_at: now,
            leases,
        }
    }

    /// The newest ring it has.
    pub fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// What it answers when asked which version it knows of; `None` until this run of it has heard
    /// from the store, since what an earlier run said to know it may have forgotten.
    pub fn announced(&self) -> Option<Epoch> {
        self.heard_from_store.then(|| self.ring.announced())
    }

    /// Whether somebody knows of a newer ring: ask the store at once.
    pub fn is_behind(&self) -> bool {
        self.heard_of > self.ring.announced()
    }

    /// Takes note of what the store answered, with certainty (not from a follower's copy), to a
    /// question asked at `asked_at`.
    pub fn learn(&mut self, ring: &Arc<Ring>, asked_at: Timestamp) -> Learned {
        let order = |ring: &Ring| (ring.version(), ring.announced());
        let learned = match order(ring).cmp(&order(&self.ring)) {
            std::cmp::Ordering::Less => return Learned::Older,
            std::cmp::Ordering::Equal => Learned::Same,
            std::cmp::Ordering::Greater => Learned::Newer,
        };
        if learned == Learned::Newer {
            self.ring = Arc::clone(ring);
            self.voters = voters(ring);
            self.reports.clear();
            self.confirmed_at = None;
        }
        self.heard_from_store = true;
        self.confirmed_at = self.confirmed_at.max(Some(asked_at));
        self.heard_of = self.heard_of.max(ring.announced());
        learned
    }

    /// Takes note of what `node`, asked at `asked_at`, said to know of.
    pub fn report(&mut self, node: MemberId, announced: Option<Epoch>, asked_at: Timestamp) {
        let Some(announced) = announced else {
            return;
        };
        self.heard_of = self.heard_of.max(announced);
        if announced <= self.ring.announced() {
            let latest = self.reports.entry(node).or_insert(asked_at);
            *latest = asked_at.max(*latest);
        }
    }

    /// When its ring was certainly the newest; `None` if it never was, for all this run knows.
    pub fn assured_at(&self) -> Option<Timestamp> {
        self.confirmed_at.max(self.evidence_at())
    }

    /// How sure it is of its ring, for this errand. A gateway vouches for a request if it is
    /// assured, and sends none while it is starting.
    pub fn standing(&self, errand: Errand, now: Timestamp) -> Standing {
        let lease = match errand {
            Errand::Read => self.leases.read,
            Errand::Change => self.leases.change,
        };
        match self.assured_at() {
            Some(at) if now.since(at) <= lease => Standing::Assured,
            None if now.since(self.started_at) <= self.leases.read => Standing::Starting,
            _ => Standing::Unsure,
        }
    }

    /// The latest time since when so many voters knew of nothing newer that no change can have been
    /// made before it.
    fn evidence_at(&self) -> Option<Timestamp> {
        let reports = self.voters.iter().filter_map(|id| self.reports.get(id));
        let mut reports: Vec<Timestamp> = reports.copied().collect();
        reports.sort_unstable_by(|a, b| b.cmp(a));
        let quorum = evidence_quorum(self.voters.len());
        reports.get(quorum.checked_sub(1)?).copied()
    }
}

/// Whoever knows of the change under way refuses what it moves, so that its being made is no news
/// to him; the one after it is voted on by the owners that it makes.
fn voters(ring: &Ring) -> Vec<MemberId> {
    let made = ring.commit();
    made.as_ref().unwrap_or(ring).owners()
}

#[cfg(test)]
#[path = "knowledge_test.rs"]
mod tests;
