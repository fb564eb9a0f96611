//! A disk that keeps only what was synced: everything else survives a power loss by sectors, or not.

use std::collections::BTreeMap;

use base::rng::Rng;

use crate::bytes::usize_of;

const SECTOR_LEN: usize = 512;

type Sector = [u8; SECTOR_LEN];

/// The journal's file.
pub(crate) struct Disk {
    /// What a program reads.
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// By sector, what it has been since it was last durable, oldest first.
    dirty: BTreeMap<usize, Vec<Sector>>,
    /// Planted: syncs do nothing.
    pub(crate) lies_about_syncs: bool,
}

/// What a sync that begins now will have made durable when it ends.
pub(crate) struct SyncBegun(BTreeMap<usize, (usize, Sector)>);

impl Disk {
    pub(crate) fn new(len: u64) -> Self {
        Self {
            cache: vec![0; usize_of(len)],
            durable: vec![0; usize_of(len)],
            dirty: BTreeMap::new(),
            lies_about_syncs: false,
        }
    }

    pub(crate) fn read(&self, at: u64, len: u64) -> Vec<u8> {
        let end = usize_of(at + len).min(self.cache.len());
        self.cache[usize_of(at)..end].to_vec()
    }

    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) {
        self.write_some(at, bytes, |_| true);
    }

    /// A write to the start that is durable when it is answered.
    pub(crate) fn write_durably(&mut self, bytes: &[u8]) {
        let before = std::mem::take(&mut self.dirty);
        self.write(0, bytes);
        let begun = self.begin_sync();
        self.end_sync(begun);
        // The rest is as durable as it was.
        for (at, versions) in before {
            if at >= bytes.len() / SECTOR_LEN {
                self.dirty.insert(at, versions);
            }
        }
    }

    /// A write that was cut off: any of its sectors may have come through.
    pub(crate) fn write_torn(&mut self, at: u64, bytes: &[u8], rng: &mut Rng) {
        let orderly = rng.below(2) == 0;
        let count = rng.below(bytes.len() as u64 / SECTOR_LEN as u64 + 1);
        self.write_some(at, bytes, |sector| match orderly {
            true => (sector as u64) < count,
            false => rng.below(2) == 0,
        });
    }

    fn write_some(&mut self, at: u64, bytes: &[u8], mut takes: impl FnMut(usize) -> bool) {
        assert!(at.is_multiple_of(512) && bytes.len().is_multiple_of(SECTOR_LEN));
        let first = usize_of(at) / SECTOR_LEN;
        for (index, data) in bytes.chunks_exact(SECTOR_LEN).enumerate() {
            if takes(index) {
                let sector: Sector = data.try_into().expect("a sector");
                let from = (first + index) * SECTOR_LEN;
                self.cache[from..from + SECTOR_LEN].copy_from_slice(&sector);
                self.dirty.entry(first + index).or_default().push(sector);
            }
        }
    }

    pub(crate) fn begin_sync(&self) -> SyncBegun {
        let newest = |versions: &Vec<Sector>| (versions.len(), versions[versions.len() - 1]);
        SyncBegun(
            self.dirty
                .iter()
                .map(|(at, versions)| (*at, newest(versions)))
                .collect(),
        )
    }

    pub(crate) fn end_sync(&mut self, begun: SyncBegun) {
        if self.lies_about_syncs {
            return;
        }
        for (at, (count, sector)) in begun.0 {
            let from = at * SECTOR_LEN;
            self.durable[from..from + SECTOR_LEN].copy_from_slice(&sector);
            if let Some(versions) = self.dirty.get_mut(&at) {
                versions.drain(..count.min(versions.len()));
                if versions.is_empty() {
                    self.dirty.remove(&at);
                }
            }
        }
    }

    /// Each sector that was not durable is now any of what it has been.
    pub(crate) fn lose_power(&mut self, rng: &mut Rng) {
        let mood = rng.below(3);
        for (at, versions) in std::mem::take(&mut self.dirty) {
            let pick = match mood {
                0 => 0,
                _ => usize_of(rng.below(versions.len() as u64 + 1)),
            };
            if let Some(sector) = pick.checked_sub(1).and_then(|pick| versions.get(pick)) {
                let from = at * SECTOR_LEN;
                self.durable[from..from + SECTOR_LEN].copy_from_slice(sector);
            }
        }
        self.cache.clone_from(&self.durable);
    }

    pub(crate) fn damage(&mut self, at: u64) {
        // What was written there and not synced cannot come back.
        self.dirty.remove(&(usize_of(at) / SECTOR_LEN));
        self.cache[usize_of(at)] ^= 1;
        self.durable[usize_of(at)] = self.cache[usize_of(at)];
    }
}
