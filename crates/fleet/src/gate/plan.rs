//! Who tries out the way to whom, and when: each node is in one pair at a time.

use std::time::Duration;

use base::fleet::MemberId;

/// All rounds together last about so long, however many nodes there are.
const LENGTH: Duration = Duration::from_secs(16);
/// A round is no longer and no shorter: what it shows must not hang on one moment, and connecting
/// takes time.
const ROUND_MAX: Duration = Duration::from_millis(2500);
const ROUND_MIN: Duration = Duration::from_millis(400);

/// Pairs that try out their ways at the same time: who calls, and who is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The candidate, if it is among them, is called, as gateways call it once it serves.
    pub pairs: Vec<(MemberId, MemberId)>,
}

/// All rounds. In each, every node is in one pair at most, so that none disturbs another; over all of
/// them the candidate meets every other node once, and so does everybody (a round-robin tournament
/// by the circle method).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One after the other.
    pub rounds: Vec<Round>,
    /// How long each lasts.
    pub length: Duration,
}

impl Plan {
    /// Of a candidate and all nodes that serve.
    pub fn new(candidate: MemberId, serving: &[MemberId]) -> Self {
        // An even number goes round; with an odd one somebody rests, and nobody is `None`.
        let mut circle: Vec<Option<MemberId>> = serving.iter().copied().map(Some).collect();
        if circle.len().is_multiple_of(2) {
            circle.push(None);
        }
        let count = circle.len();
        let rounds = (0..count).map(|_| round_of(candidate, &mut circle));
        let rounds: Vec<Round> = rounds.filter(|round| !round.pairs.is_empty()).collect();
        let each = LENGTH / u32::try_from(rounds.len()).unwrap_or(u32::MAX).max(1);
        Self {
            rounds,
            length: each.clamp(ROUND_MIN, ROUND_MAX),
        }
    }
}

/// The candidate sits in the middle and meets the first; the others meet across; then all move on.
fn round_of(candidate: MemberId, circle: &mut [Option<MemberId>]) -> Round {
    let mut pairs = Vec::new();
    if let Some(Some(first)) = circle.first() {
        pairs.push((*first, candidate));
    }
    let across = circle.iter().skip(1).zip(circle.iter().skip(1).rev());
    for (one, other) in across.take(circle.len() / 2) {
        pairs.extend((*one).zip(*other));
    }
    circle.rotate_left(1);
    Round { pairs }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
