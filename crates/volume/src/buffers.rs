//! Long buffers that are used again: the system would have to clear the pages of new ones.
//!
//! A segment passes through two or three of some MiB each, and a long read through two of its length, which
//! the C library gets from the system and gives back every time. A few are kept here instead, for all volumes.
//! They come in few lengths, so that those that come back fit those that are asked for.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter ones are the C library's business.
const LONG_LEN: usize = 64 << 10;
/// Longer ones are rare: whatever is this long is not a segment.
const LONGEST_LEN: usize = 5 << 20;
/// How many bytes are kept.
const KEPT_LEN_MAX: usize = 64 << 20;
/// One that is so many times too long is left for whoever needs it.
const TOO_LONG: usize = 8;
/// Lengths are multiples of this part of the power of two above them.
const STEPS: usize = 8;

/// What a disk's blocks are multiples of, in memory as in a file.
pub const DISK_BLOCK_LEN: usize = 4096;

/// In the order in which they came back.
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of this length, whose content means nothing.
pub fn long_buffer(len: usize) -> Vec<u8> {
    let mut buffer = taken(len);
    // What is there already need not be cleared.
    buffer.truncate(len);
    buffer.resize(len, 0);
    buffer
}

/// Keeps a buffer for the next time, if it is a long one; older ones go where that are too many.
pub fn give_back(buffer: Vec<u8>) {
    if !(LONG_LEN..=LONGEST_LEN).contains(&buffer.capacity()) {
        return;
    }
    let mut kept = kept();
    kept.push(buffer);
    let mut held: usize = kept.iter().map(Vec::capacity).sum();
    let too_many = kept.iter().take_while(|oldest| {
        let over = held > KEPT_LEN_MAX;
        held -= oldest.capacity();
        over
    });
    let too_many = too_many.count();
    let gone: Vec<Vec<u8>> = kept.drain(..too_many).collect();
    drop(kept);
    drop(gone);
}

/// At least so many bytes: of those that were kept the one that fits best, else new ones.
fn taken(len: usize) -> Vec<u8> {
    if !(LONG_LEN..=LONGEST_LEN).contains(&len) {
        return vec![0; len];
    }
    let fits = |buffer: &Vec<u8>| (len..TOO_LONG * len).contains(&buffer.capacity());
    let mut kept = kept();
    let all = kept.iter().enumerate().rev();
    let fitting = all.filter(|(_, buffer)| fits(buffer));
    let best = fitting.min_by_key(|(_, buffer)| buffer.capacity());
    let best = best.map(|(index, _)| index);
    let found = best.map(|index| kept.remove(index));
    drop(kept);
    found.unwrap_or_else(|| vec![0; len.next_multiple_of(len.next_power_of_two() / STEPS)])
}

fn kept() -> MutexGuard<'static, Vec<Vec<u8>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes whose memory is kept for the next when nobody has them any more. Long ones begin where a block of a
/// disk may, so that they go past the page cache as they are.
#[derive(Debug, Default)]
pub struct Buffer {
    memory: Vec<u8>,
    from: usize,
    len: usize,
}

impl Buffer {
    /// One of this length, whose content means nothing.
    pub fn new(len: usize) -> Self {
        let mut buffer = Self::with_room(len);
        buffer.len = len;
        buffer
    }

    /// An empty one in which there is room for so many bytes.
    pub fn with_room(room: usize) -> Self {
        if room < LONG_LEN {
            return Self::from_memory(vec![0; room], 0);
        }
        let room = room.next_multiple_of(DISK_BLOCK_LEN) + DISK_BLOCK_LEN;
        let mut memory = taken(room);
        if memory.len() < room {
            memory.resize(room, 0);
        }
        let from = memory.as_ptr().align_offset(DISK_BLOCK_LEN);
        Self::from_memory(memory, from.min(DISK_BLOCK_LEN))
    }

    fn from_memory(memory: Vec<u8>, from: usize) -> Self {
        let len = 0;
        Self { memory, from, len }
    }

    /// Appends bytes; whoever made enough room for all need not wait for more.
    pub fn extend_from_slice(&mut self, more: &[u8]) {
        let at = self.from + self.len;
        let end = at + more.len();
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        if let Some(place) = self.memory.get_mut(at..end) {
            place.copy_from_slice(more);
        }
        self.len += more.len();
    }

    /// Forgets what is behind `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Has zeroes behind the bytes, up to where a disk's block ends.
    pub fn fill_block(&mut self) {
        let (at, end) = (self.from + self.len, self.from + self.whole_len());
        if let Some(rest) = self.memory.get_mut(at..end) {
            rest.fill(0);
        }
    }

    /// The bytes, and as many more as make the last block of a disk whole; `None` where that cannot be had
    /// without a copy.
    pub fn blocks(&self) -> Option<&[u8]> {
        let blocks = self.memory.get(self.from..self.from + self.whole_len())?;
        let is_aligned = blocks.as_ptr().align_offset(DISK_BLOCK_LEN) == 0;
        is_aligned.then_some(blocks)
    }

    fn whole_len(&self) -> usize {
        self.len.next_multiple_of(DISK_BLOCK_LEN)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(memory: Vec<u8>) -> Self {
        let (from, len) = (0, memory.len());
        Self { memory, from, len }
    }
}

impl From<Buffer> for Vec<u8> {
    fn from(mut buffer: Buffer) -> Self {
        if buffer.from > 0 {
            return buffer.to_vec();
        }
        let mut memory = std::mem::take(&mut buffer.memory);
        memory.truncate(buffer.len);
        memory
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes = self.memory.get(self.from..self.from + self.len);
        bytes.unwrap_or_default()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        let bytes = self.memory.get_mut(self.from..self.from + self.len);
        bytes.unwrap_or_default()
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.memory));
    }
}

#[cfg(test)]
#[path = "buffers_test.rs"]
mod tests;
