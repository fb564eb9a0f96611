//! A large write on its way into an object of its own, as it comes from the client.

use std::io::IoSlice;
use std::sync::{Arc, MutexGuard};

use base::Timestamp;
use nbd_proto::Errno;
use volume::{BLOCK_LEN, BulkDraft, FRAME_HEADER_LEN, IoError, Refused};

use super::attached::Attached;
use super::core::{Core, told};
use super::objects::Growing;
use super::request::{Outcome, Part};
use super::stages::Stage;

/// Writes are cut where a multiple of this begins, so that each piece has an object of its own,
pub(super) const BULK_LEN_MAX: u64 = 1 << 20;
/// unless a piece is shorter than this: then it goes through the journal.
pub(super) const BULK_LEN_MIN: u64 = 128 << 10;

/// A bulk that is being stored.
#[derive(Debug)]
pub(super) struct BulkWrite {
    volume: Arc<Attached>,
    /// Nothing once it is handed in.
    draft: Option<BulkDraft>,
    file: Result<Growing, IoError>,
    /// Bytes that have come.
    len: u64,
    /// The beginning of a block of which the rest has not come.
    begun: Vec<u8>,
}

impl BulkWrite {
    /// Makes room for blocks from `offset` on; `None` if they have to go through the journal.
    pub(super) fn begin<'a>(
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        (offset, len): (u64, u64),
    ) -> (MutexGuard<'a, Core>, Option<Self>) {
        let blocks = u32::try_from(len / BLOCK_LEN as u64).unwrap_or(u32::MAX);
        let Ok(mut draft) = core.device.engine.begin_bulk(blocks) else {
            return (core, None);
        };
        drop(core);
        draft.begin(offset / BLOCK_LEN as u64);
        let bulk = Self {
            file: volume.store().begin(draft.name()),
            volume: Arc::clone(volume),
            draft: Some(draft),
            len: 0,
            begun: Vec::new(),
        };
        (volume.lock(), Some(bulk))
    }

    /// How many bytes of it have come.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Stores what has come.
    pub(super) fn add(&mut self, mut data: &[u8]) {
        let stages = &self.volume.stages;
        let begun = self.volume.now();
        stages.enter(Stage::Put, begun);
        let volume = Arc::clone(&self.volume);
        self.len += data.len() as u64;
        if !self.begun.is_empty() {
            let (head, rest) = data.split_at(data.len().min(BLOCK_LEN - self.begun.len()));
            self.begun.extend_from_slice(head);
            data = rest;
            if self.begun.len() == BLOCK_LEN {
                let block = std::mem::take(&mut self.begun);
                self.add_blocks(&block);
            }
        }
        let whole = data.len() - data.len() % BLOCK_LEN;
        let (blocks, rest) = data.split_at(whole);
        self.add_blocks(blocks);
        self.begun.extend_from_slice(rest);
        volume.stages.leave(Stage::Put, begun, volume.now());
    }

    fn add_blocks(&mut self, blocks: &[u8]) {
        let Some(draft) = self.draft.as_mut().filter(|_| self.file.is_ok()) else {
            return;
        };
        let blocks = blocks.chunks_exact(BLOCK_LEN);
        let heads: Vec<[u8; FRAME_HEADER_LEN]> =
            blocks.clone().map(|block| draft.push(block)).collect();
        let pairs = heads.iter().zip(blocks);
        let slices: Vec<IoSlice<'_>> = pairs
            .flat_map(|(head, block)| [IoSlice::new(head), IoSlice::new(block)])
            .collect();
        self.put(&slices);
    }

    fn put(&mut self, slices: &[IoSlice<'_>]) {
        if let Ok(file) = &mut self.file
            && let Err(error) = file.add(slices)
        {
            self.file = Err(error);
        }
    }

    /// Hands the write in, of which all has come.
    pub(super) fn end<'a>(
        mut self,
        volume: &'a Arc<Attached>,
        part: Part,
        now: Timestamp,
    ) -> MutexGuard<'a, Core> {
        if let Some(draft) = &mut self.draft {
            let end = draft.end();
            self.put(&[IoSlice::new(&end)]);
        }
        if let Ok(file) = &mut self.file
            && let Err(error) = file.end()
        {
            self.file = Err(error);
        }
        let me = Arc::clone(&part.client);
        let mut core = volume.lock();
        let result = match (&self.file, self.draft.take()) {
            (Ok(_), Some(draft)) => {
                let begun = core.begin_bulk(part, draft);
                begun.map_err(|(part, refused)| (part, told(refused)))
            }
            (Ok(_), None) => return core,
            (Err(error), draft) => {
                if let Some(draft) = draft {
                    core.device.engine.abandon_bulk(&draft);
                }
                Err((part, failed(*error)))
            }
        };
        if let Err((part, (errno, why))) = result {
            me.answer(&part, Outcome::Failed(errno, why), now);
        }
        core
    }
}

impl Drop for BulkWrite {
    fn drop(&mut self) {
        // The client went in the middle.
        if let Some(draft) = self.draft.take() {
            let mut core = self.volume.lock();
            core.device.engine.abandon_bulk(&draft);
            self.volume.pump(core, None);
        }
    }
}

fn failed(error: IoError) -> (Errno, &'static str) {
    match error {
        IoError::NoSpace => told(Refused::NoSpace),
        _ => told(Refused::Stopped(volume::Stage::Put)),
    }
}

#[cfg(test)]
#[path = "bulk_test.rs"]
mod tests;
