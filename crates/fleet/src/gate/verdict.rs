//! Whether a candidate is let in, and by which figures beside the fleet's.

use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::figures::Test;
use crate::judge::compare::Field;

/// With fewer nodes that serve there is no distribution to compare with.
pub const PEERS_MIN: usize = 3;

/// After so many pairs a candidate need not be tested further that is so many times worse than may be.
const HOPELESS_PAIRS: usize = 2;
const HOPELESS_TIMES: f64 = 10.0;

/// What is asked of a candidate where too few nodes serve to compare it with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateLimits {
    /// The longest median round trip, in milliseconds; its p99 may be ten, its p99.9 fifty times that.
    pub round_trip_ms: f64,
    /// The least throughput either way, in Mbit/s.
    pub throughput_mbit_s: f64,
    /// The most segments that are sent again, of a hundred.
    pub resent_percent: f64,
    /// What an operation of the engine takes at most, in microseconds.
    pub engine_us: f64,
    /// The most that the host may take of the processors, of a hundred.
    pub steal_percent: f64,
    /// The least memory that is copied in a second, in MiB.
    pub memory_mib_s: f64,
    /// What a small write takes at most until it is on the disk, in milliseconds.
    pub disk_ms: f64,
    /// How far its clock may be away, in milliseconds.
    pub clock_ms: f64,
}

impl GateLimits {
    fn of(&self, test: Test) -> f64 {
        match test {
            Test::RoundTrip => self.round_trip_ms,
            Test::RoundTripP99 => self.round_trip_ms * 10.0,
            Test::RoundTripP999 => self.round_trip_ms * 50.0,
            Test::Unanswered => 1.0,
            Test::Inward | Test::Outward => self.throughput_mbit_s,
            Test::Resent => self.resent_percent,
            Test::Engine => self.engine_us,
            Test::Steal => self.steal_percent,
            Test::Memory => self.memory_mib_s,
            Test::Pattern => 0.0,
            Test::Disk => self.disk_ms,
            Test::Clock => self.clock_ms,
        }
    }
}

/// What the candidate was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The other nodes' own figures.
    Fleet,
    /// Configured limits, since too few nodes serve.
    Limits,
}

/// What came of one test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which.
    pub test: Test,
    /// The candidate's figure; `None`: no answer.
    pub ours: Option<f64>,
    /// The median of the others'; `None` where there are too few.
    pub fleet: Option<f64>,
    /// From where on it is bad; `None` where nothing is.
    pub limit: Option<f64>,
    /// Whether it is good.
    pub passed: bool,
}

/// What came of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the candidate may go on.
    pub admitted: bool,
    /// With what it was compared.
    pub against: Against,
    /// Nodes that serve and took part.
    pub peers: usize,
    /// Test by test.
    pub outcomes: Vec<Outcome>,
    /// What could not be tried out at all, for people.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Of all that was seen.
    pub fn of(candidate: MemberId, evidence: &Evidence, limits: &GateLimits) -> Self {
        let peers = evidence.peers(candidate);
        let ours = evidence.of(candidate, candidate);
        let theirs: Vec<_> = peers.iter().map(|it| evidence.of(*it, candidate)).collect();
        let against = match peers.len() < PEERS_MIN {
            true => Against::Limits,
            false => Against::Fleet,
        };
        let mut problems = evidence.problems().to_vec();
        problems.extend(evidence.failures(candidate));
        problems.dedup();
        let tried = Test::ALL.into_iter().filter_map(|test| {
            let figures = theirs.iter().filter_map(|node| node.of(test)).collect();
            Some(outcome(test, ours.of(test)?, figures, against, limits))
        });
        let outcomes: Vec<Outcome> = tried.collect();
        // A pair that failed is in the figures; what was never tried is not.
        let is_whole = evidence.problems().is_empty() && !outcomes.is_empty();
        Self {
            admitted: is_whole && outcomes.iter().all(|it| it.passed),
            against,
            peers: peers.len(),
            outcomes,
            problems,
        }
    }

    /// Whether more pairs would change nothing: a figure has no answer, or is far beyond its limit.
    pub fn is_hopeless(&self, pairs: usize) -> bool {
        let is_far = |it: &Outcome| match (it.ours, it.limit) {
            (Some(ours), Some(limit)) if it.test.is_better_high() => ours * HOPELESS_TIMES < limit,
            (Some(ours), Some(limit)) => ours > limit * HOPELESS_TIMES,
            _ => true,
        };
        pairs >= HOPELESS_PAIRS && self.failed().any(is_far)
    }

    /// The tests that it did not pass.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|it| !it.passed)
    }
}

/// Compares as the judge does: what is better when high is compared by its inverse, the time that
/// each bit takes.
fn outcome(
    test: Test,
    ours: f64,
    theirs: Vec<f64>,
    against: Against,
    limits: &GateLimits,
) -> Outcome {
    let turned = |figure: f64| match test.is_better_high() {
        true => 1.0 / figure,
        false => figure,
    };
    let mut field = Field::default();
    field.fill(theirs.into_iter().map(turned));
    let median = field.median().filter(|_| field.len() >= PEERS_MIN);
    let limit = match median {
        _ if against == Against::Limits || test == Test::Pattern => turned(limits.of(test)),
        Some(median) => {
            let margin = test.margin();
            field.limit(median, margin.ratio, margin.excess)
        }
        None => turned(limits.of(test)),
    };
    let told = |figure: f64| Some(figure).filter(|it| it.is_finite());
    Outcome {
        test,
        ours: told(ours),
        fleet: median.map(turned).and_then(told),
        limit: told(turned(limit)),
        // Nothing at all is bad even where the others have nothing either.
        passed: turned(ours) <= limit && turned(ours).is_finite(),
    }
}

impl Outcome {
    /// For people: ours beside the fleet's.
    pub fn sentence(&self) -> String {
        let unit = self.test.unit();
        let told = |figure: Option<f64>| match figure {
            Some(figure) => format!("{} {unit}", short(figure)),
            None => "no answer".to_owned(),
        };
        let mut sentence = format!("{}: {}", self.test.name(), told(self.ours));
        if self.fleet.is_some() {
            sentence.push_str(&format!(", the fleet's {}", told(self.fleet)));
        }
        if self.limit.is_some() {
            let word = if self.test.is_better_high() {
                "least"
            } else {
                "most"
            };
            sentence.push_str(&format!(", at {word} {}", told(self.limit)));
        }
        sentence
    }
}

/// With as many digits as say something.
fn short(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        big if big >= 100.0 => format!("{figure:.0}"),
        some if some >= 1.0 => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}

#[cfg(test)]
#[path = "verdict_test.rs"]
mod tests;
