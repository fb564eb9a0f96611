//! Which place in a slot is whose, and since when.

use std::collections::HashMap;

use super::format::{self, NAME_LEN_MAX, NAME_RECORD_LEN, SERIES_MAX};

/// The names by their place. One that was not told for longest gives its place up when all are
/// taken; figures from before are the former owner's, and nobody's then.
#[derive(Debug, Default)]
pub(super) struct Names {
    owners: Vec<Owner>,
    by_name: HashMap<Box<str>, usize>,
    changes: Vec<usize>,
}

#[derive(Debug, Default)]
struct Owner {
    /// Empty where the record was damaged: the place is free.
    name: Box<str>,
    since_s: u64,
    told_s: u64,
}

impl Names {
    /// From the bytes of the file; a record that is damaged or cut off is a free place.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let mut names = Self::default();
        for (place, record) in bytes.chunks(NAME_RECORD_LEN).take(SERIES_MAX).enumerate() {
            let (name, since_s) = format::decode_name(record).unwrap_or_default();
            let is_new = !name.is_empty() && !names.by_name.contains_key(name.as_str());
            let name: Box<str> = if is_new { name.into() } else { "".into() };
            if is_new {
                names.by_name.insert(name.clone(), place);
            }
            names.owners.push(Owner {
                name,
                since_s,
                told_s: 0,
            });
        }
        names
    }

    /// Places in use, free ones between them counted.
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let names = self.owners.iter().map(|owner| &*owner.name);
        names.filter(|name| !name.is_empty())
    }

    /// The place of a name, and since when it is its.
    pub(super) fn find(&self, name: &str) -> Option<(usize, u64)> {
        let place = *self.by_name.get(name)?;
        Some((place, self.owners.get(place)?.since_s))
    }

    /// The places of all names that are told at `now_s`; `None` for one that is too long, or that
    /// all places are taken from.
    pub(super) fn places<'a>(
        &mut self,
        now_s: u64,
        told: impl Iterator<Item = &'a str> + Clone,
    ) -> Vec<Option<usize>> {
        for name in told.clone() {
            if let Some(owner) = self.by_name.get(name).and_then(|p| self.owners.get_mut(*p)) {
                owner.told_s = now_s;
            }
        }
        told.map(|name| match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.give_place(name, now_s),
        })
        .collect()
    }

    fn give_place(&mut self, name: &str, now_s: u64) -> Option<usize> {
        if name.is_empty() || name.len() > NAME_LEN_MAX {
            return None;
        }
        let place = self.free_place(now_s)?;
        let owner = Owner {
            name: name.into(),
            // Where nobody was before, nothing can be mistaken for the new one's.
            since_s: if place < self.owners.len() { now_s } else { 0 },
            told_s: now_s,
        };
        match self.owners.get_mut(place) {
            Some(before) => {
                self.by_name.remove(&before.name);
                *before = owner;
            }
            None => self.owners.push(owner),
        }
        self.by_name.insert(name.into(), place);
        self.changes.push(place);
        Some(place)
    }

    fn free_place(&self, now_s: u64) -> Option<usize> {
        if self.owners.len() < SERIES_MAX {
            return Some(self.owners.len());
        }
        let unused = self.owners.iter().enumerate();
        let unused = unused.filter(|(_, owner)| owner.told_s < now_s);
        let longest = unused.min_by_key(|(_, owner)| owner.told_s);
        longest.map(|(place, _)| place)
    }

    /// The records that have changed since the last call, by place.
    pub(super) fn take_changes(&mut self) -> Vec<(usize, [u8; NAME_RECORD_LEN])> {
        let changes = std::mem::take(&mut self.changes);
        let record = |place: usize| {
            let owner = self.owners.get(place)?;
            Some((place, format::encode_name(&owner.name, owner.since_s)))
        };
        changes.into_iter().filter_map(record).collect()
    }
}

#[cfg(test)]
#[path = "names_test.rs"]
mod tests;
