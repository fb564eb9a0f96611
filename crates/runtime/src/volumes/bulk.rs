//! A large write on its way into an object of its own, as it comes from the client.

use std::sync::{Arc, MutexGuard};

use nbd_proto::Errno;
use volume::{BLOCK_LEN, Buffer, BulkDraft, FRAME_HEADER_LEN, IoError, Refused};

use super::attached::Attached;
use super::core::{Core, told};
use super::outbox::Sender;
use super::request::{Outcome, Part};
use super::stages::Stage;

/// Writes are cut where a multiple of this begins, so that each piece has an object of its own,
pub(super) const BULK_LEN_MAX: u64 = 1 << 20;
/// unless a piece is shorter than this: then it goes through the journal.
pub(super) const BULK_LEN_MIN: u64 = 128 << 10;
/// A block and what is before it in the object.
const FRAME_LEN: usize = FRAME_HEADER_LEN + BLOCK_LEN;

/// A bulk whose bytes are coming, put together as it will be stored.
#[derive(Debug)]
pub(super) struct BulkWrite {
    volume: Arc<Attached>,
    /// Nothing once it is handed over.
    draft: Option<BulkDraft>,
    room: Option<Buffer>,
    /// Bytes that have come.
    len: usize,
}

/// One of which all has come.
#[derive(Debug)]
pub(super) struct WholeBulk {
    draft: BulkDraft,
    room: Buffer,
    part: Part,
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
        let room = Buffer::new(usize::try_from(draft.room_len()).unwrap_or(usize::MAX));
        let bulk = Self {
            volume: Arc::clone(volume),
            draft: Some(draft),
            room: Some(room),
            len: 0,
        };
        (volume.lock(), Some(bulk))
    }

    /// How many bytes of it have come.
    pub(super) fn len(&self) -> u64 {
        self.len as u64
    }

    /// Takes up what has come.
    pub(super) fn add(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let (frame, within) = (self.len / BLOCK_LEN, self.len % BLOCK_LEN);
            let (head, rest) = data.split_at(data.len().min(BLOCK_LEN - within));
            self.put(frame, within, head);
            self.len += head.len();
            data = rest;
        }
    }

    /// Puts bytes of a block where its frame is, and a head before it once it is whole.
    fn put(&mut self, frame: usize, within: usize, bytes: &[u8]) {
        let from = frame * FRAME_LEN;
        let room = self.room.as_mut();
        let room = room.and_then(|room| room.get_mut(from..from + FRAME_LEN));
        let (Some(room), Some(draft)) = (room, &mut self.draft) else {
            return;
        };
        let (head, block) = room.split_at_mut(FRAME_HEADER_LEN);
        if let Some(place) = block.get_mut(within..within + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        if within + bytes.len() == BLOCK_LEN {
            head.copy_from_slice(&draft.push(block));
        }
    }

    /// Has a worker store it, of which all has come, and hand the write in. The connection goes on
    /// meanwhile.
    pub(super) fn end(mut self, part: Part) {
        let (Some(mut draft), Some(mut room)) = (self.draft.take(), self.room.take()) else {
            return;
        };
        let end = draft.end();
        let from = room.len() - end.len();
        if let Some(place) = room.get_mut(from..) {
            place.copy_from_slice(&end);
        }
        part.client.holds(room.len() as u64);
        let whole = WholeBulk { draft, room, part };
        self.volume.give_bulk(Box::new(whole));
    }
}

impl WholeBulk {
    /// Stores it and hands the write in.
    pub(super) fn store(self, volume: &Arc<Attached>) {
        let Self { draft, room, part } = self;
        let begun = volume.now();
        volume.stages.enter(Stage::Put, begun);
        let stored = volume.store().put_bulk(draft.name(), &room);
        volume.stages.leave(Stage::Put, begun, volume.now());
        let me = Arc::clone(&part.client);
        me.lets_go(room.len() as u64);
        drop(room);
        let mut core = volume.lock();
        let result = match stored {
            Ok(()) => {
                let begun = core.begin_bulk(part, draft);
                begun.map_err(|(part, refused)| (part, told(refused)))
            }
            Err(error) => {
                core.device.engine.abandon_bulk(&draft);
                Err((part, failed(error)))
            }
        };
        if let Err((part, (errno, why))) = result {
            me.answer(&part, Outcome::Failed(errno, why), volume.now());
        }
        core.handed_out -= 1;
        volume.pump(core, None);
        me.send(Sender::Other);
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
