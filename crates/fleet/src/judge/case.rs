//! What is held against one node: by whom, upon what figures, and since when.

use std::fmt::Write as _;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

use super::ballot::{Finding, Statistic};
use super::panel::Agreed;
use super::score::Score;
use crate::membership::{Standing, State};

/// Requests that a node must have answered well in a step before it goes on to the next.
const PROOF: u32 = 32;
/// Copies that it must have answered well, for each observer, before it is given any key: nobody waits
/// for it, and of three windows it can be told which part of its answers is slow.
pub(super) const PROOF_OF_COPIES: u32 = 192;

/// While nobody says anything of a node, what was said last holds for so long.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Upon what something was decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// How surely it was slow, from 1 to 100.
    pub score: Score,
    /// Who found it slow, how surely, and by which figure.
    pub blaming: Vec<Blame>,
    /// How many had asked it enough to say anything.
    pub voters: usize,
    /// It was asked so many times as much as the median of the others.
    pub load: f32,
    /// That was so much that only what load does not explain was counted.
    pub is_busy: bool,
    /// Since when it has been found slow, in milliseconds of Unix time.
    pub since_unix_ms: Option<u64>,
    /// Requests, or copies of them, that it has answered well in its present step.
    pub proven: u32,
    /// How many it takes to go on from there, if that is by requests.
    pub proof: u32,
}

/// What one observer holds against a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blame {
    /// The observer.
    #[serde(with = "super::number")]
    pub observer: MemberId,
    /// How surely it finds the node slow.
    pub score: Score,
    /// In which window, last.
    pub finding: Option<Finding>,
}

/// One node before the judge.
#[derive(Clone, Debug)]
pub struct Case {
    node: MemberId,
    why: Why,
    /// It was busy, and what was held against it then is not forgotten yet.
    is_excused: bool,
    heard_at: Option<Timestamp>,
    is_heard: bool,
    /// The present step's begin, and what had been answered well by then.
    step: Option<(Timestamp, State, u32)>,
}

impl Case {
    pub(super) fn new(node: MemberId) -> Self {
        Self {
            node,
            why: Why::default(),
            is_excused: false,
            heard_at: None,
            is_heard: false,
            step: None,
        }
    }

    /// Takes in what the voters say now.
    pub(super) fn hear(&mut self, now: Timestamp, standing: &Standing, said: Option<&Agreed>) {
        let step = (standing.since(), standing.state());
        let proven = said.map_or(0, |it| it.proven);
        let is_same = self
            .step
            .is_some_and(|(since, state, _)| (since, state) == step);
        // What made it a suspect is held against it still.
        let goes_on = is_same || standing.state() == State::Suspect;
        match self.step {
            // Observers count anew when a node is let in by another step.
            Some((_, _, before)) if is_same && before <= proven => {}
            Some(_) if is_same => self.step = Some((step.0, step.1, 0)),
            _ => self.step = Some((step.0, step.1, proven)),
        }
        self.is_heard = said.is_some();
        let Some(said) = said else {
            // Who is out, or let in again, begins with nothing.
            if !goes_on || self.heard_at.is_none_or(|at| now.since(at) > SILENCE_MAX) {
                self.why = Why {
                    proof: proof_of(standing, 0),
                    ..Why::default()
                };
            }
            return;
        };
        self.heard_at = Some(now);
        self.is_excused = match said.score > Score::CLEAR {
            true => self.is_excused || said.is_busy,
            false => false,
        };
        let score = match self.is_excused {
            true => said.score_unqueued,
            false => said.score,
        };
        let since_unix_ms = match score > Score::CLEAR {
            true => self.why.since_unix_ms.or(Some(unix_ms(now))),
            false => None,
        };
        // Where load explains all of it, all of it is told.
        let blamed = match self.is_excused && !said.blaming_unqueued.is_empty() {
            true => &said.blaming_unqueued,
            false => &said.blaming,
        };
        let blaming = blamed.iter().map(|(observer, score, finding)| Blame {
            observer: *observer,
            score: *score,
            finding: *finding,
        });
        self.why = Why {
            score,
            blaming: blaming.collect(),
            voters: said.voters,
            load: said.load,
            is_busy: self.is_excused,
            since_unix_ms,
            proven: self.proven_since(said.proven),
            proof: proof_of(standing, said.voters),
        };
    }

    /// The node.
    pub fn node(&self) -> MemberId {
        self.node
    }

    /// How surely it is slow, at present.
    pub fn score(&self) -> Score {
        self.why.score
    }

    /// What is held against it at present.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// Whether anybody with a vote has said anything of it in this round.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// It was busy, and what was held against it then is not forgotten yet.
    pub(super) fn excuse(&mut self) {
        self.is_excused = true;
    }

    /// What it answered well in its present step, by what it has now.
    fn proven_since(&self, proven: u32) -> u32 {
        self.step
            .map_or(0, |(_, _, before)| proven.saturating_sub(before))
    }
}

/// What a node must have answered well in its present step.
fn proof_of(standing: &Standing, observers: usize) -> u32 {
    match standing.state() {
        State::Shadow => PROOF_OF_COPIES.saturating_mul(observers.max(1) as u32),
        State::Ramping | State::Probation => PROOF,
        _ => 0,
    }
}

fn unix_ms(at: Timestamp) -> u64 {
    at.as_nanos() / 1_000_000
}

impl Why {
    /// Whether most who find it slow would not but for the time for which requests waited there.
    pub(super) fn is_of_queue(&self) -> bool {
        let findings = self.blaming.iter().filter_map(|it| it.finding);
        let of_queue = findings.filter(Finding::is_of_queue).count();
        2 * of_queue > self.blaming.len()
    }

    /// For people, a line each: who finds it slow by which figure, and how much it is asked.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(since) = self.since_unix_ms {
            let since = Timestamp::from_nanos(since.saturating_mul(1_000_000));
            let age = now.since(since);
            lines.push(format!("found slow for {:.1} s", age.as_secs_f64()));
        }
        for blame in &self.blaming {
            let mut line = format!("{} ({:.0} of 100)", blame.observer, blame.score.value());
            if let Some(finding) = &blame.finding {
                let _ = write!(line, ": {}", finding.sentence());
            }
            lines.push(line);
        }
        let blaming = self.blaming.len();
        if blaming > 0 {
            lines.push(format!("{blaming} of {} observers", self.voters));
        }
        if self.is_busy {
            lines.push(format!(
                "asked {:.1} times as much as the median of the others: what its load explains does not count",
                self.load
            ));
        }
        lines
    }
}

impl Finding {
    /// For people.
    pub fn sentence(&self) -> String {
        let (what, unit) = match self.statistic {
            Statistic::Median => ("half of its requests take up to", "ms"),
            Statistic::FastestQuarter => ("its fastest quarter takes up to", "ms"),
            Statistic::SlowShare => ("slow or unanswered are", "%"),
            Statistic::SlowShareUnqueued => ("slow or unanswered, without waiting there, are", "%"),
        };
        let told = |figure: Option<f64>| match figure {
            Some(figure) => format!("{figure:.2} {unit}"),
            None => "no answer".to_owned(),
        };
        let ours = match (self.ours, self.statistic) {
            (None, Statistic::Median) => "half of its requests or more have no answer".to_owned(),
            (None, Statistic::FastestQuarter) => {
                "three quarters of its requests or more have no answer".to_owned()
            }
            (ours, _) => format!("{what} {}", told(ours)),
        };
        let ours = match self.is_of_queue() {
            true => format!("{ours} ({} without waiting there)", told(self.unqueued)),
            false => ours,
        };
        format!(
            "{}: {ours}, its peers' {}, slow from {} on ({} requests, {} unanswered)",
            self.class.name(),
            told(self.peers),
            told(self.limit),
            self.requests,
            self.unanswered,
        )
    }
}

#[cfg(test)]
#[path = "case_test.rs"]
mod tests;
