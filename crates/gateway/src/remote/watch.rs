//! How requests to each node fared, for whoever judges nodes, and the nodes that he takes out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use base::fleet::MemberId;
use fleet::gate::Copying;
use fleet::judge::{Class, ROUND, Tally};

/// What was counted of one node, by class.
pub type NodeTallies = [Tally; Class::ALL.len()];

/// How much of its keys each node gets that does not get all, in thousandths.
pub type Shares = BTreeMap<MemberId, u32>;

/// What the loops of a gateway have counted since the judge last looked, and what he says of nodes.
#[derive(Debug, Default)]
pub struct Watch {
    tallies: Mutex<BTreeMap<MemberId, NodeTallies>>,
    shares: Mutex<Arc<Shares>>,
    copying: Mutex<Arc<Copying>>,
    version: AtomicU64,
}

impl Watch {
    /// Takes what was counted since the last time.
    pub fn take(&self) -> BTreeMap<MemberId, NodeTallies> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tallies)
    }

    /// Has this gateway, and nobody else, give these nodes so much of their keys and the others all.
    /// For a key that a node does not get a read is a miss, and a change is not stored. Loops see it
    /// within a quarter of a second.
    pub fn limit(&self, shares: Shares) {
        let mut known = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if **known != shares {
            *known = Arc::new(shares);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Has copies made from now on; loops see it within a quarter of a second.
    pub fn copy(&self, copying: Copying) {
        let mut known = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        if **known != copying {
            *known = Arc::new(copying);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    fn copying(&self) -> Arc<Copying> {
        let copying = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&copying)
    }

    fn shares(&self) -> Arc<Shares> {
        let shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shares)
    }
}

/// What one loop counts until it hands it over.
#[derive(Debug)]
pub(super) struct Counted {
    by_link: Vec<(MemberId, Box<NodeTallies>)>,
    /// When it is to be handed over.
    due: Timestamp,
    version: u64,
}

impl Counted {
    pub(super) fn new() -> Self {
        Self {
            by_link: Vec::new(),
            due: Timestamp::ZERO,
            version: 0,
        }
    }

    /// Where requests to the node behind a connection are counted.
    #[inline]
    pub(super) fn of(&mut self, link: u32, class: Class) -> Option<&mut Tally> {
        let (_, tallies) = self.by_link.get_mut(link as usize)?;
        tallies.get_mut(class.index())
    }

    /// The next connection, which is to this node.
    pub(super) fn add_link(&mut self, node: MemberId) {
        self.by_link.push((node, Box::default()));
    }

    pub(super) fn due(&self) -> Timestamp {
        self.due
    }

    /// Hands over what was counted; what the judge says of nodes, if that has changed.
    pub(super) fn hand_over(
        &mut self,
        now: Timestamp,
        watch: &Watch,
    ) -> Option<(Arc<Shares>, Arc<Copying>)> {
        self.due = now + ROUND / HAND_OVERS;
        let counted = self.by_link.iter_mut();
        let counted = counted.filter(|(_, tallies)| tallies.iter().any(Tally::is_any));
        let mut all = watch.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (node, tallies) in counted {
            let sums = all.entry(*node).or_default();
            for (sum, tally) in sums.iter_mut().zip(tallies.iter_mut()) {
                if tally.is_any() {
                    sum.absorb(tally);
                    *tally = Tally::default();
                }
            }
        }
        drop(all);
        let version = watch.version.load(Ordering::Acquire);
        let is_news = std::mem::replace(&mut self.version, version) != version;
        is_news.then(|| (watch.shares(), watch.copying()))
    }
}

/// The judge looks every [`ROUND`]. Was it handed over about as often, some of his windows would hold two
/// times what others do, and those too little to be closed; and what he sees would be up to a round old.
const HAND_OVERS: u32 = 8;

#[cfg(test)]
#[path = "watch_test.rs"]
mod tests;
