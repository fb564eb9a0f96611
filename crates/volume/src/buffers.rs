//! Long buffers that are used again: the system would have to clear the pages of new ones.
//!
//! A segment passes through two or three of some MiB each, and a long read through two of its length, which
//! the C library gets from the system and gives back every time. A few are kept here instead, for all volumes.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shorter ones are the C library's business.
const LONG_LEN: usize = 64 << 10;
/// Longer ones are rare: whatever is this long is not a segment.
const LONGEST_LEN: usize = 5 << 20;
/// How many bytes are kept.
const KEPT_LEN_MAX: usize = 64 << 20;
/// One that is so many times too long is left for whoever needs it.
const TOO_LONG: usize = 8;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of this length, whose content means nothing.
pub fn long_buffer(len: usize) -> Vec<u8> {
    if len < LONG_LEN {
        return vec![0; len];
    }
    let fits = |buffer: &Vec<u8>| (len..TOO_LONG * len).contains(&buffer.capacity());
    let mut kept = kept();
    let found = kept.iter().rposition(fits);
    let found = found.map(|index| kept.swap_remove(index));
    drop(kept);
    let Some(mut buffer) = found else {
        return vec![0; len];
    };
    // What is there already need not be cleared.
    buffer.truncate(len);
    buffer.resize(len, 0);
    buffer
}

/// Keeps a buffer for the next time, if it is a long one and there are not enough.
pub fn give_back(buffer: Vec<u8>) {
    if (LONG_LEN..=LONGEST_LEN).contains(&buffer.capacity()) {
        let mut kept = kept();
        let held: usize = kept.iter().map(Vec::capacity).sum();
        if held + buffer.capacity() <= KEPT_LEN_MAX {
            kept.push(buffer);
        }
    }
}

fn kept() -> MutexGuard<'static, Vec<Vec<u8>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes whose buffer is given back when nobody has them any more.
#[derive(Debug, Default)]
pub(crate) struct Lent(Vec<u8>);

impl From<Vec<u8>> for Lent {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Lent {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
#[path = "buffers_test.rs"]
mod tests;
