//! Those who stand at the door: the claimed tenants take turns, and within each its sources.

use std::collections::{BTreeSet, HashMap, VecDeque};

use base::TenantId;

use super::EntrantId;
use super::sources::Source;

/// The tenant that an entrant says it comes for; none before it has said so, or if there is none.
pub(super) type Claim = Option<TenantId>;

/// Everybody at the door by claim and source, and the turns of those who wait.
#[derive(Debug, Default)]
pub(super) struct Line {
    claims: HashMap<Claim, Sources>,
    /// The claims by how many have them.
    by_count: BTreeSet<(usize, Claim)>,
    /// Claims that have somebody waiting, in the order of their turns.
    waiting: VecDeque<Claim>,
    /// Those who wait behind all others.
    behind: VecDeque<EntrantId>,
}

/// The entrants of one claim.
#[derive(Debug, Default)]
struct Sources {
    by_source: HashMap<Source, Waiting>,
    /// The sources by how many have come from them.
    by_count: BTreeSet<(usize, Source)>,
    /// Sources that have somebody waiting, in the order of their turns.
    waiting: VecDeque<Source>,
    /// Whether the claim stands among those that wait; until its turn it is not forgotten, lest it
    /// come to stand there twice.
    in_round: bool,
    count: usize,
}

/// The entrants of one claim and source.
#[derive(Debug, Default)]
struct Waiting {
    /// All of them, in the order of arrival.
    members: BTreeSet<EntrantId>,
    queue: VecDeque<EntrantId>,
    in_round: bool,
}

impl Line {
    /// Whether nobody stands at the door and nothing is kept of those who did.
    #[cfg(test)]
    pub(super) fn is_forgotten(&self) -> bool {
        self.claims.is_empty()
            && self.by_count.is_empty()
            && self.waiting.is_empty()
            && self.behind.is_empty()
    }

    /// Whether somebody may be waiting for a turn.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() || !self.behind.is_empty()
    }

    /// Counts one who has come to the door, or has changed his claim to this one.
    pub(super) fn count_in(&mut self, claim: Claim, source: Source, id: EntrantId) {
        let sources = self.claims.entry(claim).or_default();
        self.by_count.remove(&(sources.count, claim));
        sources.count_in(source, id);
        self.by_count.insert((sources.count, claim));
    }

    /// Counts one who has left, or has changed his claim from this one.
    pub(super) fn count_out(&mut self, claim: Claim, source: Source, id: EntrantId) {
        let Some(sources) = self.claims.get_mut(&claim) else {
            return;
        };
        self.by_count.remove(&(sources.count, claim));
        sources.count_out(source, id);
        if sources.count > 0 {
            self.by_count.insert((sources.count, claim));
        } else if !sources.in_round {
            self.claims.remove(&claim);
        }
    }

    /// Lets one who was counted in wait for his turn.
    pub(super) fn push(&mut self, claim: Claim, source: Source, id: EntrantId) {
        let Some(sources) = self.claims.get_mut(&claim) else {
            return;
        };
        sources.push(source, id);
        if !sources.in_round {
            sources.in_round = true;
            self.waiting.push_back(claim);
        }
    }

    /// Lets one wait until nobody else does.
    pub(super) fn push_behind(&mut self, id: EntrantId) {
        self.behind.push_back(id);
    }

    /// Takes the next in turn, who may have left meanwhile.
    pub(super) fn pop(&mut self) -> Option<EntrantId> {
        while let Some(claim) = self.waiting.pop_front() {
            let Some(sources) = self.claims.get_mut(&claim) else {
                continue;
            };
            let next = sources.pop();
            sources.in_round = !sources.waiting.is_empty();
            if sources.in_round {
                self.waiting.push_back(claim);
            } else if sources.count == 0 {
                self.claims.remove(&claim);
            }
            if next.is_some() {
                return next;
            }
        }
        self.behind.pop_front()
    }

    /// The oldest from the source with the most entrants of the claim with the most.
    pub(super) fn oldest_of_fattest(&self) -> Option<(Claim, EntrantId)> {
        let (_, claim) = self.by_count.last()?;
        let sources = self.claims.get(claim)?;
        let (_, source) = sources.by_count.last()?;
        let oldest = sources.by_source.get(source)?.members.first()?;
        Some((*claim, *oldest))
    }
}

impl Sources {
    fn count_in(&mut self, source: Source, id: EntrantId) {
        let waiting = self.by_source.entry(source).or_default();
        self.by_count.remove(&(waiting.members.len(), source));
        waiting.members.insert(id);
        self.by_count.insert((waiting.members.len(), source));
        self.count += 1;
    }

    fn count_out(&mut self, source: Source, id: EntrantId) {
        let Some(waiting) = self.by_source.get_mut(&source) else {
            return;
        };
        self.by_count.remove(&(waiting.members.len(), source));
        if waiting.members.remove(&id) {
            self.count -= 1;
        }
        if !waiting.members.is_empty() {
            self.by_count.insert((waiting.members.len(), source));
        } else if !waiting.in_round {
            self.by_source.remove(&source);
        }
    }

    fn push(&mut self, source: Source, id: EntrantId) {
        let waiting = self.by_source.entry(source).or_default();
        waiting.queue.push_back(id);
        if !waiting.in_round {
            waiting.in_round = true;
            self.waiting.push_back(source);
        }
    }

    fn pop(&mut self) -> Option<EntrantId> {
        while let Some(source) = self.waiting.pop_front() {
            let Some(waiting) = self.by_source.get_mut(&source) else {
                continue;
            };
            let id = waiting.queue.pop_front();
            waiting.in_round = !waiting.queue.is_empty();
            if waiting.in_round {
                self.waiting.push_back(source);
            } else if waiting.members.is_empty() {
                self.by_source.remove(&source);
            }
            if id.is_some() {
                return id;
            }
        }
        None
    }
}
