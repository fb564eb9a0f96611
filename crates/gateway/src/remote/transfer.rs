//! Values too large for one frame, on their way to a node or from one.

use base::Timestamp;
use base::kv::Outcome;
use node_proto::{PIECE_LEN_MAX, WINDOW_LEN};

/// Bytes of a value on its way in that wait for the node, before its client has to.
const BUFFERED_LEN_MAX: usize = 2 * PIECE_LEN_MAX;

/// A value on its way in.
#[derive(Debug)]
pub(super) struct Upload {
    /// Bytes that the node has not been sent.
    pub(super) buffer: Vec<u8>,
    /// Bytes that it allows.
    pub(super) window: u32,
    /// All bytes have come from the client, and it waits for the answer.
    pub(super) is_committed: bool,
    /// What was answered before all bytes had come; the rest goes nowhere.
    pub(super) refused: Option<Outcome>,
    /// It stands in the connection's queue.
    pub(super) is_queued: bool,
    /// The client could not go on.
    pub(super) is_awaited: bool,
}

impl Upload {
    pub(super) fn new() -> Self {
        Self {
            buffer: Vec::new(),
            window: WINDOW_LEN,
            is_committed: false,
            refused: None,
            is_queued: false,
            is_awaited: false,
        }
    }

    /// Whether more bytes of the client's can be taken.
    pub(super) fn can_fill(&self) -> bool {
        self.refused.is_some() || self.buffer.len() < BUFFERED_LEN_MAX
    }

    /// Whether the node can be sent something now.
    pub(super) fn can_send(&self) -> bool {
        match self.buffer.is_empty() {
            true => self.is_committed,
            false => self.window > 0,
        }
    }

    /// The next piece, and whether it is the last.
    pub(super) fn take_piece(&mut self) -> (Vec<u8>, bool) {
        let len = self
            .buffer
            .len()
            .min(PIECE_LEN_MAX)
            .min(self.window as usize);
        let rest = self.buffer.split_off(len);
        let piece = std::mem::replace(&mut self.buffer, rest);
        self.window -= u32::try_from(len).unwrap_or(self.window);
        let is_last = self.is_committed && self.buffer.is_empty();
        (piece, is_last)
    }
}

/// A value on its way out.
#[derive(Debug)]
pub(super) struct Download {
    buffer: Vec<u8>,
    taken: usize,
    /// Bytes that have yet to come.
    pub(super) left: u32,
    /// Bytes taken that the node has not been told of.
    ungranted: u32,
    /// The rest will not come.
    pub(super) is_broken: bool,
    /// When the last bytes came, or were taken.
    pub(super) moved_at: Timestamp,
}

impl Download {
    pub(super) fn new(now: Timestamp, len: u32) -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
            left: len,
            ungranted: 0,
            is_broken: false,
            moved_at: now,
        }
    }

    /// Takes in a piece; false if it is more than was announced or allowed.
    pub(super) fn receive(&mut self, now: Timestamp, bytes: &[u8]) -> bool {
        let Some(left) = self
            .left
            .checked_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
        else {
            return false;
        };
        let held = self.buffer.len() - self.taken + bytes.len();
        if held > WINDOW_LEN as usize {
            return false;
        }
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        self.left = left;
        self.moved_at = now;
        self.buffer.extend_from_slice(bytes);
        true
    }

    /// Gives out at most `max` bytes; how many.
    pub(super) fn copy(&mut self, max: usize, out: &mut Vec<u8>) -> usize {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let piece = &rest[..rest.len().min(max)];
        out.extend_from_slice(piece);
        let count = piece.len();
        self.taken += count;
        self.ungranted += u32::try_from(count).unwrap_or(u32::MAX);
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        }
        count
    }

    /// How many bytes the node is to be allowed now, if it is worth a message.
    pub(super) fn take_grant(&mut self) -> Option<u32> {
        let is_due = self.left > 0 && self.ungranted >= WINDOW_LEN / 2;
        is_due.then(|| std::mem::take(&mut self.ungranted))
    }
}

#[cfg(test)]
#[path = "transfer_test.rs"]
mod tests;
