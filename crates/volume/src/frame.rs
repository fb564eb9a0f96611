//! Frames: blocks as segments hold them, each with its checksum and its number; see `segment`.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::BLOCK_LEN;
use crate::buffers::Buffer;
use crate::bytes::{Reader, crc, len32};
use crate::segment::{FRAME_HEADER_LEN, UNIT_LEN};
use crate::sums::joined;

/// Compression pays if it saves so much of a block.
const PAYS_LEN: usize = 512;

/// After so many blocks that did not shrink,
const FAILED_MAX: u32 = 4;
/// one in so many is tried.
const TRY_EVERY: u32 = 64;

/// As is, an LZ4 block, lost, a Zstandard frame.
pub(crate) const PLAIN: u16 = 0;
const LZ4: u16 = 1;
const LOST: u16 = 2;
const ZSTD: u16 = 3;

/// Twice the time of LZ4 for each block, and what it saves is not much less from here on.
const ZSTD_LEVEL: i32 = 1;

/// How long a block is expected to stay where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warmth {
    /// Just written: it may be again soon.
    Hot,
    /// It has outlived its first segment: worth more time.
    Cold,
}

/// Whether compression is worth a try: where several blocks did not shrink, only some are tried.
#[derive(Default)]
pub(crate) struct Trial {
    failed: u32,
}

impl Trial {
    /// How a block is stored, and its bytes, if it shrinks.
    fn compress(&mut self, data: &[u8], warmth: Warmth) -> Option<(u16, Vec<u8>)> {
        if self.failed >= FAILED_MAX && !self.failed.is_multiple_of(TRY_EVERY) {
            self.failed += 1;
            return None;
        }
        let packed = lz4_flex::block::compress(data);
        let dense = match warmth {
            Warmth::Hot => None,
            Warmth::Cold => compress_dense(data),
        };
        let so_far = packed.len().min(data.len());
        let best = match dense.filter(|dense| dense.len() + PAYS_LEN <= so_far) {
            Some(dense) => (ZSTD, dense),
            None => (LZ4, packed),
        };
        let pays = best.1.len() + PAYS_LEN <= data.len();
        self.failed = if pays { 0 } else { self.failed + 1 };
        pays.then_some(best)
    }
}

/// With a context that is kept for the thread's next one, as in [`open_dense`].
fn compress_dense(data: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    PACKER.with_borrow_mut(|packer| {
        if packer.is_none() {
            // It fails for want of memory alone, and LZ4 is there all the same.
            *packer = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        packer.as_mut()?.compress(data).ok()
    })
}

/// Whether a block of data takes less room when it is compressed.
pub fn shrinks(block: &[u8]) -> bool {
    Trial::default().compress(block, Warmth::Hot).is_some()
}

/// Frames one behind the other, and the checksum of them all.
#[derive(Default)]
pub(crate) struct Frames {
    pub(crate) bytes: Buffer,
    pub(crate) sum: u32,
    trial: Trial,
}

impl Frames {
    /// None, and room for so many bytes.
    pub(crate) fn with_room(room: usize) -> Self {
        Self {
            bytes: Buffer::with_room(room),
            ..Self::default()
        }
    }

    /// Appends a block, whose data has the checksum `sum`, compressed if that pays; gives the unit at which its
    /// frame begins.
    pub(crate) fn put(&mut self, block: u64, (data, sum): (&[u8], u32), warmth: Warmth) -> u32 {
        match self.trial.compress(data, warmth) {
            Some((how, packed)) => self.append(block, how, (&packed, crc(&packed))),
            None => self.append(block, PLAIN, (data, sum)),
        }
    }

    /// Appends a block that is lost.
    pub(crate) fn put_lost(&mut self, block: u64) -> u32 {
        self.append(block, LOST, (&[], crc(&[])))
    }

    fn append(&mut self, block: u64, how: u16, (stored, stored_sum): (&[u8], u32)) -> u32 {
        let unit = len32(self.bytes.len() / UNIT_LEN);
        let head = head_of(block, how, (stored.len(), stored_sum));
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(stored);
        self.sum = joined(self.sum, crc(&head), head.len());
        self.sum = joined(self.sum, stored_sum, stored.len());
        let end = self.bytes.len();
        let padding = [0; UNIT_LEN];
        let padding = padding.get(..end.next_multiple_of(UNIT_LEN) - end);
        let padding = padding.unwrap_or_default();
        self.bytes.extend_from_slice(padding);
        self.sum = joined(self.sum, crc(padding), padding.len());
        unit
    }
}

/// What is before the bytes that are stored of a block, which have a checksum of their own.
pub(crate) fn head_of(block: u64, how: u16, (len, sum): (usize, u32)) -> [u8; FRAME_HEADER_LEN] {
    let mut head = [0; FRAME_HEADER_LEN];
    let (place, rest) = head.split_at_mut(4);
    let len16 = u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes();
    let fields = len16.into_iter().chain(how.to_le_bytes());
    let fields = fields.chain(block.to_le_bytes());
    rest.iter_mut()
        .zip(fields)
        .for_each(|(byte, field)| *byte = field);
    place.copy_from_slice(&joined(crc(rest), sum, len).to_le_bytes());
    head
}

/// The block of the frame that `bytes` begin with, and its checksum, for a frame of another segment.
pub(crate) fn moved_out(bytes: &[u8], block: u64) -> Option<(Cow<'_, [u8]>, u32)> {
    let (sum, how, number, stored) = parts(bytes)?;
    let stored_sum = crc(stored);
    let head = bytes.get(4..FRAME_HEADER_LEN)?;
    let is_whole = sum == joined(crc(head), stored_sum, stored.len()) && number == block;
    match how {
        _ if !is_whole => None,
        PLAIN if stored.len() == BLOCK_LEN => Some((Cow::Borrowed(stored), stored_sum)),
        _ => {
            let data = open_stored(how, stored)?;
            let sum = crc(&data);
            Some((Cow::Owned(data), sum))
        }
    }
}

/// The block that a frame holds; `None` if it is damaged, lost, or another one's.
pub(crate) fn open_frame(bytes: &[u8], block: u64) -> Option<Vec<u8>> {
    let (how, stored) = stored_in(bytes, block)?;
    open_stored(how, stored)
}

/// Puts the block that a frame holds into `block_bytes`; `false` as where [`open_frame`] gives nothing.
pub(crate) fn open_frame_into(bytes: &[u8], block: u64, block_bytes: &mut [u8]) -> bool {
    match stored_in(bytes, block) {
        Some((PLAIN, stored)) if stored.len() == block_bytes.len() => {
            block_bytes.copy_from_slice(stored);
            true
        }
        Some((LZ4, stored)) => {
            let opened = lz4_flex::block::decompress_into(stored, block_bytes);
            opened.is_ok_and(|len| len == BLOCK_LEN)
        }
        Some((ZSTD, stored)) => open_dense(stored, block_bytes),
        _ => false,
    }
}

/// How a frame's block is stored, and the bytes.
fn stored_in(bytes: &[u8], block: u64) -> Option<(u16, &[u8])> {
    let (sum, how, number, stored) = parts(bytes)?;
    let covered = bytes.get(4..FRAME_HEADER_LEN + stored.len())?;
    (sum == crc(covered) && number == block).then_some((how, stored))
}

/// A frame's checksum, how its block is stored, the block's number, and the bytes.
fn parts(bytes: &[u8]) -> Option<(u32, u16, u64, &[u8])> {
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    let (stored_len, how, number) = (reader.u16()?, reader.u16()?, reader.u64()?);
    let stored = reader.bytes(usize::from(stored_len))?;
    Some((sum, how, number, stored))
}

fn open_stored(how: u16, stored: &[u8]) -> Option<Vec<u8>> {
    let data = match how {
        PLAIN => stored.to_vec(),
        LZ4 => lz4_flex::block::decompress(stored, BLOCK_LEN).ok()?,
        ZSTD => {
            let mut data = vec![0; BLOCK_LEN];
            open_dense(stored, &mut data).then_some(data)?
        }
        _ => return None,
    };
    (data.len() == BLOCK_LEN).then_some(data)
}

/// With a context that is kept for the thread's next one: making it takes as long as a block does.
fn open_dense(stored: &[u8], block_bytes: &mut [u8]) -> bool {
    thread_local! {
        static OPENER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    OPENER.with_borrow_mut(|opener| {
        if opener.is_none() {
            *opener = zstd::bulk::Decompressor::new().ok();
        }
        let opened = opener
            .as_mut()
            .and_then(|opener| opener.decompress_to_buffer(stored, block_bytes).ok());
        opened == Some(BLOCK_LEN)
    })
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
