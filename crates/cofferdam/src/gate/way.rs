//! What one node says of its way to another, and whether that is a way at all.

use std::time::Duration;

use fleet::gate::PairFigures;
use node_proto::Examined;
use node_proto::gate::PairResult;
use runtime::nodes::pairing::cannot_use;

/// The bits of a byte in a megabit.
const MBIT_PER_BYTE: f64 = 8e-6;

/// Why a pair has no figures, for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unseen {
    /// The one tried, and cannot use the other.
    CannotUse(String),
    /// The one could not be asked to try.
    Untried(String),
}

/// A way on which most round trips have no answer, or through which nothing comes, is none that can be used.
pub(super) fn of_examined(
    caller: &str,
    called: &str,
    examined: std::io::Result<Examined>,
) -> Result<PairResult, Unseen> {
    let told = cannot_use(caller, called);
    match examined {
        Ok(Examined::Pair(seen)) => {
            let is_answered = seen.round_trips_ns.len() > seen.unanswered as usize;
            match is_answered && seen.up_per_s > 0 && seen.down_per_s > 0 {
                true => Ok(seen),
                false => Err(Unseen::CannotUse(format!(
                    "{told}: most of what it sends has no answer"
                ))),
            }
        }
        Ok(Examined::Failed(why)) if why.starts_with(&told) => Err(Unseen::CannotUse(why)),
        Ok(Examined::Failed(why)) => Err(Unseen::Untried(why)),
        Ok(Examined::Own(_)) => {
            let why = format!("{caller} answers what was not asked");
            Err(Unseen::Untried(why))
        }
        Err(error) => Err(Unseen::Untried(format!(
            "{caller} could not be asked to try {called} out: {error}"
        ))),
    }
}

/// Its figures, in people's units.
pub(super) fn pair_figures(seen: &PairResult) -> PairFigures {
    let took = seen.round_trips_ns.iter();
    let took: Vec<Duration> = took
        .map(|it| Duration::from_nanos(u64::from(*it)))
        .collect();
    PairFigures {
        to_called_mbit_s: seen.up_per_s as f64 * MBIT_PER_BYTE,
        to_caller_mbit_s: seen.down_per_s as f64 * MBIT_PER_BYTE,
        segments: seen.segments.sent,
        resent: seen.segments.resent,
        ..PairFigures::default()
    }
    .with_round_trips(&took, seen.unanswered)
}

#[cfg(test)]
#[path = "way_test.rs"]
mod tests;
