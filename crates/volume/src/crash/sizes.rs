//! Lengths of the volume in the crash model: after a crash it has the last durable one, or a later one.

use super::world::{BLOCKS, Op, World};
use crate::Engine;
use crate::checker::Content;

/// The length, and those that it may have after a crash.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) now: u64,
    /// Whether it changes now and then.
    pub(super) change: bool,
    /// The last durable one, and those after it with the operations that asked for them.
    possible: Vec<(u64, u64)>,
    /// All that there ever were.
    past: Vec<u64>,
}

impl Sizes {
    pub(super) fn fixed(blocks: u64) -> Self {
        Self {
            now: blocks,
            change: false,
            possible: vec![(0, blocks)],
            past: vec![blocks],
        }
    }

    /// A volume of any length, one of a few blocks as often as not, which is changed now and then.
    pub(super) fn changing(seed: u64) -> Self {
        let most = if seed.is_multiple_of(2) { 8 } else { BLOCKS };
        let change = true;
        Self {
            change,
            ..Self::fixed(1 + seed / 2 % most)
        }
    }

    /// Those of a clone that has this length at first.
    pub(super) fn of_clone(&self, blocks: u64) -> Self {
        let change = self.change;
        Self {
            change,
            ..Self::fixed(blocks)
        }
    }

    pub(super) fn is_durable(&mut self, op: u64) {
        self.possible.retain(|(other, _)| *other >= op);
    }

    /// The volume went back to a state of this length.
    pub(super) fn became(&mut self, blocks: u64) {
        self.possible = vec![(0, blocks)];
    }

    /// The length after an attachment is this: says whether that may be.
    pub(super) fn settle(&mut self, blocks: u64, journal_lost: bool) -> bool {
        let possible = self.possible.iter().any(|(_, size)| *size == blocks);
        let old = journal_lost && self.past.contains(&blocks);
        self.possible = vec![(0, blocks)];
        self.now = blocks;
        possible || old
    }
}

impl World {
    /// Another length, whatever it cuts off.
    pub(super) fn resize(&mut self, engine: &mut Engine) {
        let (op, old) = (self.next_op, self.sizes.now);
        self.next_op += 1;
        let most = if self.rng.below(2) == 0 { 8 } else { BLOCKS };
        let new = 1 + self.rng.below(most);
        let cut = old.saturating_sub(new);
        self.checker.write_begins(op, new, cut, Content::Zero);
        if engine.resize(op, new, true).is_err() {
            return self.checker.write_refused(op);
        }
        self.model[new.min(old) as usize..old as usize].fill(Content::Zero);
        self.past
            .happened(new as usize, cut as usize, Content::Zero);
        self.sizes.now = new;
        self.sizes.possible.push((op, new));
        self.sizes.past.push(new);
        self.ops.insert(op, Op::Resize);
    }
}
