//! Where connections come from: how many of each source stand at the door, how fast it opens them,
//! and whether it has shown a password.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use admission::{Bucket, Rate};
use base::Timestamp;

use super::EntrantId;
use crate::session::Peer;

/// How many sources are remembered at least; twice as many at most.
const REMEMBERED: usize = 32 * 1024;
/// What a source may open at once, having opened none for so long.
const BURST: Duration = Duration::from_secs(1);

/// Where connections come from, as far as budgets and turns tell them apart: one IPv4 address, one
/// IPv6 network of 64 bits, or all Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The address.
    V4([u8; 4]),
    /// The network's part of it.
    V6([u8; 8]),
    /// This machine, over any socket.
    Unix,
}

impl From<Peer> for Source {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Ip(IpAddr::V4(ip), _) => Self::V4(ip.octets()),
            Peer::Ip(IpAddr::V6(ip), _) => {
                let mut network = [0; 8];
                network.copy_from_slice(&ip.octets()[..8]);
                Self::V6(network)
            }
            Peer::Unix => Self::Unix,
        }
    }
}

/// What is known of the sources.
#[derive(Debug, Default)]
pub(super) struct SourceTable {
    /// Those at the door, in the order of arrival.
    at_door: HashMap<Source, BTreeSet<EntrantId>>,
    /// Those seen lately, and those seen before that: when the first are too many, the second are
    /// forgotten. So memory is bounded, and who keeps coming is remembered.
    young: HashMap<Source, History>,
    old: HashMap<Source, History>,
}

#[derive(Debug, Default)]
struct History {
    connects: Bucket,
    has_authenticated: bool,
}

impl SourceTable {
    /// Counts one who has come.
    pub(super) fn count_in(&mut self, source: Source, id: EntrantId) {
        self.at_door.entry(source).or_default().insert(id);
    }

    /// Counts one who has left.
    pub(super) fn count_out(&mut self, source: Source, id: EntrantId) {
        if let Some(at_door) = self.at_door.get_mut(&source) {
            at_door.remove(&id);
            if at_door.is_empty() {
                self.at_door.remove(&source);
            }
        }
    }

    /// How many of a source stand at the door.
    pub(super) fn count(&self, source: Source) -> usize {
        self.at_door.get(&source).map_or(0, BTreeSet::len)
    }

    /// The oldest of a source.
    pub(super) fn oldest(&self, source: Source) -> Option<EntrantId> {
        self.at_door.get(&source)?.first().copied()
    }

    /// Whether a source opens connections faster than this.
    pub(super) fn is_too_fast(&mut self, now: Timestamp, source: Source, per_second: u32) -> bool {
        let Some(per_second) = NonZeroU64::new(u64::from(per_second)) else {
            return true;
        };
        let rate = Rate {
            per_second,
            burst: BURST,
        };
        self.history(source).connects.take(now, rate, 1).is_err()
    }

    /// Notes that a connection of a source has authenticated: from then on its number is not held
    /// against it, since many clients may share one address.
    pub(super) fn trust(&mut self, source: Source) {
        self.history(source).has_authenticated = true;
    }

    /// Whether a connection of this source has authenticated.
    pub(super) fn is_trusted(&mut self, source: Source) -> bool {
        self.history(source).has_authenticated
    }

    fn history(&mut self, source: Source) -> &mut History {
        if self.young.len() >= REMEMBERED && !self.young.contains_key(&source) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young
            .entry(source)
            .or_insert_with(|| old.remove(&source).unwrap_or_default())
    }

    /// Whether nobody is counted.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.at_door.is_empty()
    }
}

#[cfg(test)]
#[path = "sources_test.rs"]
mod tests;
