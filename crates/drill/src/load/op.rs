//! The operations of a run and the drawing of the next one.

use base::rng::Rng;

use super::plan::Mix;

/// What one request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Retrieve one key.
    Get,
    /// Store a value.
    Set,
    /// Retrieve several keys.
    Mget,
    /// Remove a key.
    Delete,
    /// Change a key's end.
    Touch,
}

/// Every operation, in the order of the report.
pub(crate) const OPS: [Op; 5] = [Op::Get, Op::Set, Op::Mget, Op::Delete, Op::Touch];

impl Op {
    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Mget => "mget",
            Self::Delete => "delete",
            Self::Touch => "touch",
        }
    }

    /// Its place in [`OPS`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// Whether it asks for keys that may be there or not.
    pub(crate) fn is_retrieval(self) -> bool {
        matches!(self, Self::Get | Self::Mget)
    }
}

/// Draws operations in the proportion of a mix.
#[derive(Clone, Debug)]
pub(crate) struct OpDraw {
    /// Share sums up to and including each operation.
    bounds: [u64; OPS.len()],
}

impl OpDraw {
    /// For a mix with at least one share above 0.
    pub(crate) fn new(mix: &Mix) -> Self {
        let shares = [mix.get, mix.set, mix.mget, mix.delete, mix.touch];
        let mut sum = 0u64;
        let bounds = shares.map(|share| {
            sum += u64::from(share);
            sum
        });
        Self { bounds }
    }

    /// The next operation; a mix of one operation draws nothing from `rng`.
    pub(crate) fn next(&self, rng: &mut Rng) -> Op {
        let total = self.bounds[OPS.len() - 1];
        let only = self
            .bounds
            .iter()
            .all(|bound| *bound == 0 || *bound == total);
        let at = if only { 0 } else { rng.below(total) };
        let found = self.bounds.iter().position(|bound| at < *bound);
        OPS[found.unwrap_or(0)]
    }
}

#[cfg(test)]
#[path = "op_test.rs"]
mod tests;
