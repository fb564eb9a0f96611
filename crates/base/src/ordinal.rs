//! A number in an order of arrival, in seven bytes: an enum of such numbers takes eight.

use std::cmp::Ordering;
use std::fmt;

/// Less than 2^56, which a million arrivals a second reach after two thousand years.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Ordinal([u8; 7]);

impl Ordinal {
    /// The lowest 56 bits of `number`.
    pub fn new(number: u64) -> Self {
        let [_, low @ ..] = number.to_be_bytes();
        Self(low)
    }

    /// The number.
    pub fn get(self) -> u64 {
        let [a, b, c, d, e, f, g] = self.0;
        u64::from_be_bytes([0, a, b, c, d, e, f, g])
    }
}

impl Ord for Ordinal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}

impl PartialOrd for Ordinal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
#[path = "ordinal_test.rs"]
mod tests;
