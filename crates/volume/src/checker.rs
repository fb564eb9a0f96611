//! Judges what a block device answers: each block is a register whose history is kept across crashes.
//!
//! A version of a block is legal for a read unless another version was answered before the read began
//! and was begun after the first had been answered. After a crash it is legal unless that other one
//! was durable: answered before a flush began that was answered, or written with FUA. What was under
//! way may or may not have happened; but the first read after a crash settles it for ever.

use std::collections::BTreeMap;

use crate::BLOCK_LEN;

/// The content of a block: zeroes, or a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All zeroes.
    Zero,
    /// What [`stamped`] makes of the number.
    Stamp(u64),
    /// Neither.
    Torn,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    content: Content,
    op: u64,
    begun: u64,
    answered: Option<u64>,
    durable: bool,
}

/// A block that is not what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The block.
    pub block: u64,
    /// What was read.
    pub read: Content,
    /// What would have been right.
    pub legal: Vec<Content>,
}

/// The histories of all blocks that were ever written; the others are zero.
#[derive(Debug, Default)]
pub struct Checker {
    clock: u64,
    blocks: BTreeMap<u64, Vec<Version>>,
    /// By operation, the first block and how many.
    ops: BTreeMap<u64, (u64, u64)>,
    /// When each flush or read began that is not answered.
    begun: BTreeMap<u64, u64>,
}

/// A block's bytes that tell both the stamp and the block.
pub fn stamped(stamp: u64, block: u64) -> Vec<u8> {
    let mut word = stamp.rotate_left(17) ^ block.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(BLOCK_LEN);
    bytes.extend_from_slice(&stamp.to_le_bytes());
    bytes.extend_from_slice(&block.to_le_bytes());
    while bytes.len() < BLOCK_LEN {
        word = word
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(stamp | 1);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// What a block's bytes are.
pub fn content_of(block: u64, bytes: &[u8]) -> Content {
    if bytes.iter().all(|byte| *byte == 0) {
        return Content::Zero;
    }
    let stamp = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    match stamp {
        Some(stamp) if bytes == stamped(stamp, block) => Content::Stamp(stamp),
        _ => Content::Torn,
    }
}

impl Checker {
    /// Before the first operation on a device of zeroes.
    pub fn new() -> Self {
        Self::default()
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// All blocks from the first on are this now, and durably so; nothing may be under way.
    pub fn reset(&mut self, contents: &[Content]) {
        let now = self.tick();
        let settled = |content: &Content| {
            vec![Version {
                content: *content,
                op: 0,
                begun: now,
                answered: Some(now),
                durable: true,
            }]
        };
        self.blocks = (0..).zip(contents.iter().map(settled)).collect();
    }

    /// A write of a stamp, or of zeroes, begins.
    pub fn write_begins(&mut self, op: u64, block: u64, blocks: u64, content: Content) {
        let begun = self.tick();
        self.ops.insert(op, (block, blocks));
        for at in block..block + blocks {
            let versions = self.blocks.entry(at).or_insert_with(first_version);
            versions.push(Version {
                content,
                op,
                begun,
                answered: None,
                durable: false,
            });
        }
    }

    /// It is answered, durably or not.
    pub fn write_answered(&mut self, op: u64, durable: bool) {
        let now = self.tick();
        let Some((block, blocks)) = self.ops.remove(&op) else {
            return;
        };
        for (_, versions) in self.blocks.range_mut(block..block + blocks) {
            for version in versions.iter_mut().filter(|version| version.op == op) {
                version.answered = Some(now);
                version.durable = durable;
            }
        }
    }

    /// It was refused: it will never happen.
    pub fn write_refused(&mut self, op: u64) {
        if let Some((block, blocks)) = self.ops.remove(&op) {
            for (_, versions) in self.blocks.range_mut(block..block + blocks) {
                versions.retain(|version| version.op != op);
            }
        }
    }

    /// A flush or a read begins.
    pub fn begins(&mut self, op: u64) {
        let now = self.tick();
        self.begun.insert(op, now);
    }

    /// A flush is answered: what was answered before it began is durable.
    pub fn flush_answered(&mut self, op: u64) {
        let Some(begun) = self.begun.remove(&op) else {
            return;
        };
        for version in self.blocks.values_mut().flatten() {
            version.durable |= version.answered.is_some_and(|at| at < begun);
        }
    }

    /// A read is answered.
    pub fn read_answered(&mut self, op: u64, block: u64, bytes: &[u8]) -> Vec<Violation> {
        let begun = self.begun.remove(&op).unwrap_or_default();
        let blocks = (block..).zip(bytes.chunks(BLOCK_LEN));
        let counts = |version: &Version| version.answered.is_some_and(|at| at < begun);
        blocks
            .filter_map(|(block, bytes)| self.judge(block, bytes, &counts).err())
            .collect()
    }

    /// The server was killed or the power went: nothing under way will ever be answered.
    pub fn crash(&mut self) {
        self.ops.clear();
        self.begun.clear();
    }

    /// The first read of some blocks after a crash; settles them.
    pub fn settle(&mut self, block: u64, bytes: &[u8]) -> Vec<Violation> {
        let mut violations = Vec::new();
        let now = self.tick();
        for (block, bytes) in (block..).zip(bytes.chunks(BLOCK_LEN)) {
            match self.judge(block, bytes, &|version| version.durable) {
                Err(violation) => violations.push(violation),
                Ok(content) => {
                    let settled = Version {
                        content,
                        op: 0,
                        begun: now,
                        answered: Some(now),
                        durable: true,
                    };
                    self.blocks.insert(block, vec![settled]);
                }
            }
        }
        violations
    }

    fn judge(
        &self,
        block: u64,
        bytes: &[u8],
        counts: &dyn Fn(&Version) -> bool,
    ) -> Result<Content, Violation> {
        let read = content_of(block, bytes);
        let first = first_version();
        let versions = self.blocks.get(&block).unwrap_or(&first);
        let overtaken = |version: &Version| {
            let hides = |other: &Version| version.answered.is_some_and(|at| at < other.begun);
            versions.iter().any(|other| counts(other) && hides(other))
        };
        let legal = versions.iter().filter(|version| !overtaken(version));
        let legal: Vec<Content> = legal.map(|version| version.content).collect();
        match legal.contains(&read) {
            true => Ok(read),
            false => Err(Violation { block, read, legal }),
        }
    }
}

/// A device is zero before anything is written.
fn first_version() -> Vec<Version> {
    vec![Version {
        content: Content::Zero,
        op: 0,
        begun: 0,
        answered: Some(0),
        durable: true,
    }]
}

#[cfg(test)]
#[path = "checker_test.rs"]
mod tests;
