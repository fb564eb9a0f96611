//! A store that loses replies: what was not answered is there, or not, or in part, or comes later.

use std::collections::BTreeMap;

use base::rng::Rng;

use crate::bytes::usize_of;
use crate::command::IoError;
use crate::name::{ObjectName, VolumeId};

#[derive(Default)]
pub(crate) struct Store {
    durable: BTreeMap<ObjectName, Vec<u8>>,
    /// Seen, but lost with the power.
    seen: BTreeMap<ObjectName, Vec<u8>>,
    /// On their way from a process that is dead.
    late: Vec<(ObjectName, Vec<u8>)>,
    /// Planted: names are used again, as if there were no epoch in them.
    pub(crate) reuses_names: bool,
}

impl Store {
    pub(crate) fn put(&mut self, name: ObjectName, bytes: &[u8]) {
        self.forget_twins(name);
        self.seen.remove(&name);
        self.durable.insert(name, bytes.to_vec());
    }

    /// Stores an object that is lost with the power until it is synced.
    pub(crate) fn put_unsynced(&mut self, name: ObjectName, bytes: &[u8]) {
        self.seen.insert(name, bytes.to_vec());
    }

    pub(crate) fn sync(&mut self, name: ObjectName) {
        if let Some(bytes) = self.seen.remove(&name) {
            self.durable.insert(name, bytes);
        }
    }

    /// Without epochs, two objects of one number are one object.
    fn forget_twins(&mut self, name: ObjectName) {
        if self.reuses_names {
            let twin = |other: &ObjectName| {
                (other.volume, other.kind, other.number) == (name.volume, name.kind, name.number)
            };
            self.durable
                .retain(|other, _| *other == name || !twin(other));
            self.seen.retain(|other, _| *other == name || !twin(other));
        }
    }

    /// Nobody was told how a put ended.
    pub(crate) fn put_unanswered(&mut self, name: ObjectName, bytes: &[u8], rng: &mut Rng) {
        match rng.below(4) {
            0 => {}
            1 => self.late.push((name, bytes.to_vec())),
            2 => {
                // Never over one that is whole: stores replace objects whole.
                let torn = bytes[..usize_of(rng.below(bytes.len() as u64))].to_vec();
                if self.get_whole(name).is_none() {
                    self.seen.insert(name, torn);
                }
            }
            _ => {
                self.forget_twins(name);
                self.seen.insert(name, bytes.to_vec());
            }
        }
    }

    /// What was on its way arrives.
    pub(crate) fn late_arrives(&mut self) {
        if let Some((name, bytes)) = self.late.pop() {
            self.forget_twins(name);
            self.seen.insert(name, bytes);
        }
    }

    pub(crate) fn lose_power(&mut self, rng: &mut Rng) {
        self.late.clear();
        for (name, bytes) in std::mem::take(&mut self.seen) {
            match rng.below(3) {
                0 => {}
                1 => drop(self.durable.entry(name).or_insert(bytes)),
                _ => {
                    let len = usize_of(rng.below(bytes.len() as u64 + 1));
                    self.durable.entry(name).or_insert(bytes[..len].to_vec());
                }
            }
        }
    }

    fn get_whole(&self, name: ObjectName) -> Option<&Vec<u8>> {
        self.seen.get(&name).or(self.durable.get(&name))
    }

    pub(crate) fn get(&self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let bytes = self.get_whole(name).ok_or(IoError::NotFound)?;
        let from = usize_of(offset).min(bytes.len());
        let to = usize_of(offset.saturating_add(len)).min(bytes.len());
        Ok(bytes[from..to].to_vec())
    }

    pub(crate) fn delete(&mut self, name: ObjectName) {
        self.seen.remove(&name);
        self.durable.remove(&name);
    }

    /// What no loss of power takes away.
    pub(crate) fn list_durable(&self) -> Vec<(ObjectName, u64)> {
        let all = self.durable.iter();
        all.map(|(name, bytes)| (*name, bytes.len() as u64))
            .collect()
    }

    pub(crate) fn list(&self) -> Vec<(ObjectName, u64)> {
        let mut all = self.durable.clone();
        all.extend(self.seen.clone());
        all.into_iter()
            .map(|(name, bytes)| (name, bytes.len() as u64))
            .collect()
    }

    /// Deletes all that is a volume's.
    pub(crate) fn forget(&mut self, volume: VolumeId) {
        self.durable.retain(|name, _| name.volume != volume);
        self.seen.retain(|name, _| name.volume != volume);
        self.late.retain(|(name, _)| name.volume != volume);
    }

    pub(crate) fn damage(&mut self, name: ObjectName, at: usize) {
        let bytes = self
            .durable
            .get_mut(&name)
            .expect("there is such an object");
        bytes[at] ^= 1;
    }
}
