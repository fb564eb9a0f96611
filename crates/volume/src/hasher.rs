//! Hashing of objects' names, which nobody outside chooses: some multiplications instead of SipHash's rounds.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps whose keys are names of objects and numbers within them.
pub type BuildNameHasher = BuildHasherDefault<NameHasher>;

/// Folds words by multiplication (Fx, as in the Rust compiler); whoever can choose keys can make them collide.
#[derive(Clone, Copy, Debug, Default)]
pub struct NameHasher(u64);

/// Odd, with its bits well mixed (that of rustc-hash 2).
const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;

impl NameHasher {
    fn fold(&mut self, word: u64) {
        self.0 = self.0.wrapping_add(word).wrapping_mul(FACTOR);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.fold(u64::from(*byte)));
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.fold(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.fold(word.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        // Names in a row would lie in a lattice. The upper bits are the mixed ones, and tables look at the lower
        // ones first.
        (self.0 ^ (self.0 >> 32))
            .wrapping_mul(FACTOR)
            .rotate_left(26)
    }
}

#[cfg(test)]
#[path = "hasher_test.rs"]
mod tests;
