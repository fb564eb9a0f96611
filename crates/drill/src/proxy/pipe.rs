//! One direction of one connection: what has come, until it may go on.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

/// What a way holds of one connection before it reads no more, as a switch's queue.
const QUEUED_MAX: usize = 64 * 1024;

/// Bytes on their way.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    queue: VecDeque<Chunk>,
    queued: usize,
    /// The sender has ended.
    has_ended: bool,
    /// The receiver was told.
    pub(super) is_over: bool,
}

#[derive(Debug)]
struct Chunk {
    due_ns: u64,
    bytes: Vec<u8>,
    written: usize,
}

impl Pipe {
    /// Takes in what is there, until there is too much; `due_ns` says of so many bytes when they may
    /// go on. True if there may be more.
    pub(super) fn fill(
        &mut self,
        from: &mut impl Read,
        scratch: &mut [u8],
        mut due_ns: impl FnMut(usize) -> u64,
    ) -> io::Result<bool> {
        while !self.has_ended && self.queued < QUEUED_MAX {
            match from.read(scratch) {
                Ok(0) => self.has_ended = true,
                Ok(len) => {
                    let after = self.queue.back().map_or(0, |chunk| chunk.due_ns);
                    self.queue.push_back(Chunk {
                        due_ns: due_ns(len).max(after),
                        bytes: scratch.get(..len).unwrap_or_default().to_vec(),
                        written: 0,
                    });
                    self.queued += len;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(!self.has_ended)
    }

    /// Hands on what is due. True if the receiver takes no more for now.
    pub(super) fn drain(&mut self, now_ns: u64, to: &mut impl Write) -> io::Result<bool> {
        while let Some(chunk) = self.queue.front_mut().filter(|it| it.due_ns <= now_ns) {
            match to.write(chunk.bytes.get(chunk.written..).unwrap_or_default()) {
                Ok(len) => {
                    chunk.written += len;
                    self.queued -= len;
                    if chunk.written == chunk.bytes.len() {
                        self.queue.pop_front();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// All that came has gone on, and nothing will come any more.
    pub(super) fn is_done(&self) -> bool {
        self.has_ended && self.queue.is_empty()
    }

    /// When something is due next.
    pub(super) fn next_due_ns(&self) -> Option<u64> {
        self.queue.front().map(|chunk| chunk.due_ns)
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        self.queued < QUEUED_MAX && !self.has_ended
    }
}

#[cfg(test)]
#[path = "pipe_test.rs"]
mod tests;
