//! Requests under way: in one part, or cut into several that are answered as one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::Timestamp;
use nbd_proto::Errno;

use super::outbox::Outbox;

/// Writes are cut where a multiple of this begins, which is what the engine takes at once.
pub(super) const WRITE_LEN_MAX: u64 = 64 << 10;
/// Reads are cut where a multiple of this begins, so that what is read is still in the processor's
/// cache when it is sent.
pub(super) const READ_LEN_MAX: u64 = 128 << 10;
/// Zeroes take one record whatever their length; this is the most that 32 bits of blocks hold.
pub(super) const ZERO_LEN_MAX: u64 = 1 << 32;

/// One operation of the engine, and whom to answer.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) client: Arc<Outbox>,
    pub(super) cookie: u64,
    pub(super) kind: PartKind,
    /// When the request was read.
    pub(super) begun: Timestamp,
    pub(super) offset: u64,
    pub(super) len: u32,
    /// Durable before it is answered.
    pub(super) fua: bool,
    /// The request, if this is not all of it.
    pub(super) whole: Option<Arc<Whole>>,
}

/// What a part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    Read,
    Write,
    Zero,
    Flush,
}

/// How a part ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Data(Vec<u8>),
    Failed(Errno, &'static str),
}

/// A request of several parts.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) offset: u64,
    left: AtomicU32,
    reads_len: u64,
    state: Mutex<WholeState>,
}

#[derive(Debug)]
struct WholeState {
    failed: Option<(Errno, &'static str)>,
    /// The data of a READ that must be answered in one go.
    gathered: Option<Vec<u8>>,
}

/// Why a request failed, or what it has gathered.
pub(super) type WholeEnd = (Option<(Errno, &'static str)>, Option<Vec<u8>>);

impl Whole {
    /// A change in so many parts.
    pub(super) fn change(offset: u64, parts: u32) -> Arc<Self> {
        Self::new(offset, parts, 0, None)
    }

    /// A READ in so many parts, whose data is gathered if it must come in one chunk.
    pub(super) fn read(offset: u64, len: u32, parts: u32, is_gathered: bool) -> Arc<Self> {
        let room = usize::try_from(len).unwrap_or_default();
        let gathered = is_gathered.then(|| vec![0; room]);
        Self::new(offset, parts, u64::from(len), gathered)
    }

    fn new(offset: u64, parts: u32, reads_len: u64, gathered: Option<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self {
            offset,
            left: AtomicU32::new(parts),
            reads_len,
            state: Mutex::new(WholeState {
                failed: None,
                gathered,
            }),
        })
    }

    pub(super) fn reads_len(&self) -> u64 {
        self.reads_len
    }

    /// It has so many more parts than was thought; one of which is still to be begun.
    pub(super) fn add_parts(&self, parts: u32) {
        self.left.fetch_add(parts, Ordering::AcqRel);
    }

    pub(super) fn is_gathered(&self) -> bool {
        self.with(|state| state.gathered.is_some())
    }

    /// Keeps the data of a part.
    pub(super) fn gather(&self, offset: u64, data: &[u8]) {
        let from = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.with(|state| {
            let target = state
                .gathered
                .as_mut()
                .and_then(|all| all.get_mut(from..from.checked_add(data.len())?));
            if let Some(target) = target {
                target.copy_from_slice(data);
            }
        });
    }

    /// A part has failed, and the request with it.
    pub(super) fn fail(&self, errno: Errno, why: &'static str) {
        self.with(|state| {
            state.failed.get_or_insert((errno, why));
        });
    }

    /// A part has ended; if it was the last, how the request ended.
    pub(super) fn part_ended(&self) -> Option<WholeEnd> {
        let last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        last.then(|| self.with(|state| (state.failed, state.gathered.take())))
    }

    fn with<T>(&self, work: impl FnOnce(&mut WholeState) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many parts a range is cut into where multiples of `len_max` begin; at least one.
pub(super) fn parts_of(offset: u64, len: u64, len_max: u64) -> u32 {
    let last = offset.saturating_add(len.max(1) - 1) / len_max;
    u32::try_from(last - offset / len_max + 1).unwrap_or(u32::MAX)
}

/// How long the part is that begins at `offset`, of which `len` is left.
pub(super) fn part_len(offset: u64, len: u64, len_max: u64) -> u64 {
    len.min(len_max - offset % len_max)
}

#[cfg(test)]
#[path = "request_test.rs"]
mod tests;
