//! Whether a candidate is let in, and by which figures beside the fleet's.

use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::figures::Test;
use super::ways::Ways;
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
    /// Nodes that serve and looked at themselves beside it.
    pub peers: usize,
    /// Test by test.
    pub outcomes: Vec<Outcome>,
    /// What speaks against the candidate whatever its figures are, for people: who cannot use it, and
    /// what of its own could not be tried out.
    pub problems: Vec<String>,
    /// What was not tested, and why, for people.
    #[serde(default)]
    pub untested: Vec<String>,
}

impl Verdict {
    /// Of all that was seen. Whoever serves must be able to use the candidate, unless it can use nobody;
    /// more than half of those that were to try must have done so; and no figure may be missing.
    pub fn of(candidate: MemberId, evidence: &Evidence, limits: &GateLimits) -> Self {
        let ways = Ways::of(candidate, evidence);
        let ours = evidence.of(candidate, candidate);
        let comparable = evidence.comparable(candidate);
        let theirs: Vec<_> = comparable
            .iter()
            .map(|it| evidence.of(*it, candidate))
            .collect();
        // A test that ended early has few pairs too, and the fleet's measure all the same.
        let is_thin = !ways.untried.is_empty() && ways.good < PEERS_MIN;
        let against = match is_thin || theirs.len() < PEERS_MIN {
            true => Against::Limits,
            false => Against::Fleet,
        };
        let tried = Test::ALL.into_iter().filter_map(|test| {
            let figures = theirs.iter().filter_map(|node| node.of(test)).collect();
            Some(outcome(test, ours.of(test)?, figures, against, limits))
        });
        let outcomes: Vec<Outcome> = tried.collect();
        let mut problems = evidence.problems().to_vec();
        problems.extend(ways.broken);
        problems.dedup();
        // A node that keeps nothing on its disk has no figure of it.
        let missing = Test::ALL
            .into_iter()
            .filter(|test| *test != Test::Disk && ours.of(*test).is_none());
        let missing: Vec<&str> = missing.map(Test::name).collect();
        let is_whole = missing.is_empty() && ways.good * 2 > ways.wanted;
        let mut untested = ways.untried;
        if !missing.is_empty() {
            untested.push(missing.join(", "));
        }
        Self {
            admitted: is_whole && problems.is_empty() && outcomes.iter().all(|it| it.passed),
            against,
            peers: evidence.peers(candidate).len(),
            outcomes,
            problems,
            untested,
        }
    }

    /// Whether anything speaks against the candidate. One that is neither admitted nor refused could not
    /// be tested.
    pub fn is_refused(&self) -> bool {
        !self.problems.is_empty() || self.failed().next().is_some()
    }

    /// Whether more pairs would change nothing: several say that they cannot use it, or a figure is far
    /// beyond its limit.
    pub fn is_hopeless(&self, pairs: usize) -> bool {
        let is_far = |it: &Outcome| match (it.ours, it.limit) {
            (Some(ours), Some(limit)) if it.test.is_better_high() => ours * HOPELESS_TIMES < limit,
            (Some(ours), Some(limit)) => ours > limit * HOPELESS_TIMES,
            _ => true,
        };
        let is_unusable = self.problems.len() >= HOPELESS_PAIRS;
        pairs >= HOPELESS_PAIRS && (is_unusable || self.failed().any(is_far))
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
    // Who has no answer to show is no measure for others.
    field.fill(theirs.into_iter().map(turned).filter(|it| it.is_finite()));
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
