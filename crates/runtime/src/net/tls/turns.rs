//! Whose handshake is next: the sources take turns, and each of them serves its own in order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use gateway::Source;

/// Everybody who shakes hands, by source and in the order of arrival, and the turns of those for
/// whom something can be done.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By number of arrival; whether it waits for a turn.
    members: BTreeMap<u64, (Source, bool)>,
    by_source: HashMap<Source, Members>,
    /// The sources by how many have come from them.
    by_count: BTreeSet<(usize, Source)>,
    /// Sources that have somebody waiting, in the order of their turns.
    waiting: VecDeque<Source>,
}

#[derive(Debug, Default)]
struct Members {
    all: BTreeSet<u64>,
    waiting: VecDeque<u64>,
}

impl Turns {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether somebody waits for a turn.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes one in; `number` is greater than all before it.
    pub(super) fn enter(&mut self, number: u64, source: Source) {
        self.members.insert(number, (source, false));
        let members = self.by_source.entry(source).or_default();
        self.by_count.remove(&(members.all.len(), source));
        members.all.insert(number);
        self.by_count.insert((members.all.len(), source));
    }

    /// Forgets one.
    pub(super) fn leave(&mut self, number: u64) {
        let Some((source, _)) = self.members.remove(&number) else {
            return;
        };
        let Some(members) = self.by_source.get_mut(&source) else {
            return;
        };
        self.by_count.remove(&(members.all.len(), source));
        members.all.remove(&number);
        match members.all.is_empty() {
            true => drop(self.by_source.remove(&source)),
            false => drop(self.by_count.insert((members.all.len(), source))),
        }
    }

    /// Lets one wait for a turn, if it does not already.
    pub(super) fn push(&mut self, number: u64) {
        let Some((source, waits)) = self.members.get_mut(&number) else {
            return;
        };
        let (source, waited) = (*source, std::mem::replace(waits, true));
        if let Some(members) = self.by_source.get_mut(&source)
            && !waited
        {
            if members.waiting.is_empty() {
                self.waiting.push_back(source);
            }
            members.waiting.push_back(number);
        }
    }

    /// Takes the next in turn.
    pub(super) fn pop(&mut self) -> Option<u64> {
        while let Some(source) = self.waiting.pop_front() {
            // One that came back after all of its kind had left may stand here twice.
            let Some(members) = self.by_source.get_mut(&source) else {
                continue;
            };
            let next = members.waiting.pop_front();
            if !members.waiting.is_empty() {
                self.waiting.push_back(source);
            }
            if let Some(number) = next
                && let Some((_, waits)) = self.members.get_mut(&number)
            {
                *waits = false;
                return Some(number);
            }
        }
        None
    }

    /// The oldest of all.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.members.first_key_value().map(|(number, _)| *number)
    }

    /// The oldest of the source that has the most.
    pub(super) fn oldest_of_fattest(&self) -> Option<u64> {
        let (_, source) = self.by_count.last()?;
        self.by_source.get(source)?.all.first().copied()
    }
}

#[cfg(test)]
#[path = "turns_test.rs"]
mod tests;
