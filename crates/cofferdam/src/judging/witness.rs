//! What one gateway has seen of its nodes, round by round, as long as it ran evenly itself.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Ballot, Beside, Class, Limits, Observer, ROUND, Tally};
use fleet::membership::Standing;
use gateway::remote::NodeTallies;

/// A round that comes so late says more of this process than of any node: it did not run.
const LATE_MAX: Duration = Duration::from_millis(500);
/// What was measured then is handed over within this.
const REST: Duration = Duration::from_secs(1);

/// A gateway's eyes.
pub(super) struct Witness {
    observer: Observer,
    rounded: Timestamp,
    /// What is counted until then was measured while this process stood still.
    blind_until: Timestamp,
}

impl Witness {
    pub(super) fn new(now: Timestamp, me: MemberId, limits: Limits) -> Self {
        Self {
            observer: Observer::new(now, me, limits),
            rounded: now,
            blind_until: now,
        }
    }

    /// Where nodes stand now, and that there are no others.
    pub(super) fn know(&mut self, now: Timestamp, standings: &BTreeMap<MemberId, Standing>) {
        for (node, standing) in standings {
            self.observer.know(now, *node, standing.state());
        }
        self.observer.keep(|node| standings.contains_key(&node));
    }

    /// How much of all keys a node has from now on, and of which weight it is.
    pub(super) fn give(&mut self, node: MemberId, keys: f32, weight: f32) {
        self.observer.give(node, keys, weight);
    }

    /// Looks at what was counted since the last round; what there is to say, if anything.
    pub(super) fn round(
        &mut self,
        now: Timestamp,
        tallies: BTreeMap<MemberId, NodeTallies>,
    ) -> Option<Ballot> {
        if now.since(self.rounded) > ROUND + LATE_MAX {
            self.blind_until = now + REST;
        }
        self.rounded = now;
        if now < self.blind_until {
            return None;
        }
        for (node, tallies) in tallies {
            for (class, tally) in Class::ALL.into_iter().zip(&tallies) {
                if Tally::is_any(tally) {
                    self.observer.note(now, node, class, tally);
                }
            }
        }
        self.observer.round(now);
        Some(self.observer.ballot(now))
    }

    /// Each node beside its peers, by class.
    pub(super) fn beside(
        &self,
        now: Timestamp,
    ) -> Vec<(MemberId, [Option<Beside>; Class::ALL.len()])> {
        self.observer.beside(now)
    }
}

#[cfg(test)]
#[path = "witness_test.rs"]
mod tests;
