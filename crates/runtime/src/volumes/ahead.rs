//! Whoever reads in sequence is read ahead for: what comes next is brought into memory before it is asked
//! for.
//!
//! The kernel reads ahead within a file, but a volume's next blocks are in another one every few MiB, or in
//! as many files as there were writes.

/// Reads in sequence bring this much before it is believed that they go on,
const BELIEVED_LEN: u64 = 256 << 10;
/// and then so much is asked for ahead of them.
const AHEAD_LEN: u64 = 4 << 20;

/// One connection's reads.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Where the last read ended, and how many bytes led there without a gap.
    end: u64,
    run: u64,
    /// How far it was asked for.
    asked: u64,
}

impl Ahead {
    /// A read comes: what of the volume is to be brought into memory, if anything is.
    pub(super) fn note(&mut self, offset: u64, len: u64) -> Option<(u64, u64)> {
        // Those of a deep queue come a little out of order.
        let follows = offset.abs_diff(self.end) <= BELIEVED_LEN;
        self.run = if follows { self.run + len } else { len };
        if !follows {
            self.asked = 0;
        }
        self.end = match follows {
            true => self.end.max(offset.saturating_add(len)),
            false => offset.saturating_add(len),
        };
        let from = self.end.max(self.asked);
        let to = self.end.saturating_add(AHEAD_LEN);
        // In good time, and not for every read.
        if self.run < BELIEVED_LEN || to - from.min(to) < AHEAD_LEN / 2 {
            return None;
        }
        self.asked = to;
        Some((from, to - from))
    }
}

#[cfg(test)]
#[path = "ahead_test.rs"]
mod tests;
