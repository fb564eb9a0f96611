//! Frames: blocks as segments hold them, each with its checksum and its number; see `segment`.

use std::cell::RefCell;
use std::sync::Arc;

use crate::BLOCK_LEN;
use crate::buffers::Lent;
use crate::bytes::{Put, Reader, Slice, crc};
use crate::segment::{FRAME_HEADER_LEN, UNIT_LEN};

/// Compression pays if it saves so much of a block.
const PAYS_LEN: usize = 512;

/// After so many blocks that did not shrink,
const FAILED_MAX: u32 = 4;
/// one in so many is tried.
const TRY_EVERY: u32 = 64;

/// As is, an LZ4 block, lost, a Zstandard frame.
const PLAIN: u16 = 0;
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
    /// Nothing where there is none, or before the first cold block.
    zstd: Option<zstd::bulk::Compressor<'static>>,
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
            Warmth::Cold => self.compress_dense(data),
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

    fn compress_dense(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        if self.zstd.is_none() {
            // It fails for want of memory alone, and LZ4 is there all the same.
            self.zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        self.zstd.as_mut()?.compress(data).ok()
    }
}

/// Whether a block of data takes less room when it is compressed.
pub fn shrinks(block: &[u8]) -> bool {
    Trial::default().compress(block, Warmth::Hot).is_some()
}

/// Appends a block as a frame, compressed if that pays; without data it is one that is lost.
pub(crate) fn put_frame(
    out: &mut Vec<u8>,
    (block, data): (u64, &[u8]),
    warmth: Warmth,
    trial: &mut Trial,
) {
    let packed;
    let (how, stored) = if data.is_empty() {
        (LOST, data)
    } else {
        packed = trial.compress(data, warmth);
        packed
            .as_ref()
            .map_or((PLAIN, data), |(how, packed)| (*how, &packed[..]))
    };
    let start = out.len();
    out.put_u32(0);
    out.put_u16(u16::try_from(stored.len()).unwrap_or(u16::MAX));
    out.put_u16(how);
    out.put_u64(block);
    out.extend_from_slice(stored);
    let sum = crc(out.get(start + 4..).unwrap_or_default());
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(UNIT_LEN), 0);
}

/// The block of the frame at `at`, without a copy if it is stored as it is.
pub(crate) fn lend_frame(bytes: &Arc<Lent>, at: usize, block: u64) -> Option<Slice> {
    let (how, stored) = stored_in(bytes.get(at..)?, block)?;
    match how {
        PLAIN if stored.len() == BLOCK_LEN => Slice::of(bytes, at + FRAME_HEADER_LEN, BLOCK_LEN),
        _ => Some(open_stored(how, stored)?.into()),
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
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    let (stored_len, how, number) = (reader.u16()?, reader.u16()?, reader.u64()?);
    let stored = reader.bytes(usize::from(stored_len))?;
    let covered = bytes.get(4..FRAME_HEADER_LEN + stored.len())?;
    (sum == crc(covered) && number == block).then_some((how, stored))
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
