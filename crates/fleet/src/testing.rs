//! Rings and weights for the tests of this crate.

use base::fleet::{MemberId, SLOT_COUNT};
use base::rng::Rng;

use crate::assignment::Weights;
use crate::ring::Ring;

/// Nodes 1, 2, … with these weights.
pub(crate) fn weights(of: &[u32]) -> Weights {
    (1..).map(MemberId).zip(of.iter().copied()).collect()
}

/// `ring` after a whole change to `weights`.
pub(crate) fn changed(ring: &Ring, weights: &Weights) -> Ring {
    match ring.propose(weights).unwrap() {
        Some(announced) => announced.commit().unwrap(),
        None => ring.clone(),
    }
}

/// A ring of nodes 1, 2, … with these weights, after one change.
pub(crate) fn ring(of: &[u32]) -> Ring {
    changed(&Ring::empty(), &weights(of))
}

/// One to `count` nodes with weights that differ by up to a hundred times.
pub(crate) fn random_weights(rng: &mut Rng, count: u64) -> Weights {
    let count = 1 + rng.below(count);
    let weights: Vec<u32> = (0..count).map(|_| 1 + rng.below(100) as u32).collect();
    self::weights(&weights)
}

/// The share in slots that each weight stands for.
pub(crate) fn share(weights: &Weights, id: MemberId) -> f64 {
    let sum: u64 = weights.values().map(|weight| u64::from(*weight)).sum();
    let own = weights.get(&id).copied().unwrap_or(0);
    SLOT_COUNT as f64 * f64::from(own) / sum as f64
}
