//! What is written of the gate in the store, in the room where nodes are judged.
//!
//! | key | value |
//! |---|---|
//! | `gate/wishes/N` | that an operator wants member N to be tested, as JSON ([`GateRequest`](super::wishes::GateRequest)); until it was |
//! | `gate/report` | how the gate stands, as JSON ([`GateReport`]); by the gateway that keeps it |

use base::Timestamp;
use base::fleet::MemberId;
use fleet::gate::{Against, Attempts, Verdict};
use runtime::store::Snapshot;
use serde::{Deserialize, Serialize};

/// The key of what is told.
pub(crate) const REPORT: &str = "gate/report";

/// How the gate stands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct GateReport {
    /// The gateway that keeps it.
    pub(crate) keeper: String,
    /// Nobody serves a key without having passed.
    pub(crate) required: bool,
    /// Whom it tests, or, if it tests nobody, who is on his way in.
    pub(crate) candidate: Option<String>,
    /// What it does with him, for people.
    pub(crate) doing: Option<String>,
    /// All that it has done in this test, the last of it being `doing`: who looks late is told all the same.
    #[serde(default)]
    pub(crate) steps: Vec<String>,
    /// How many tests have ended, in whatever way.
    #[serde(default)]
    pub(crate) tests: u64,
    /// Tests so far, by what came of them.
    pub(crate) admitted: u64,
    pub(crate) refused: u64,
    /// What came of the last test of each node.
    pub(crate) nodes: Vec<NodeRecord>,
}

/// What came of a node's last test.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct NodeRecord {
    pub(crate) member: u32,
    pub(crate) name: String,
    pub(crate) at_unix_ms: u64,
    /// Which of all tests it was, from 1: who has asked for one waits until this grows.
    #[serde(default)]
    pub(crate) test: u64,
    /// `admitted`, `refused`, `sent_back` (slow on its way in), `failed` (it could not be tested).
    pub(crate) outcome: String,
    /// In a row.
    pub(crate) refusals: u32,
    /// Test by test; none if there was no verdict.
    pub(crate) verdict: Option<Verdict>,
    /// Why there was none.
    pub(crate) problem: Option<String>,
}

impl NodeRecord {
    /// How often it was refused, for whose turn is next; who could not be tested waits as if once.
    pub(super) fn attempts(&self) -> Attempts {
        Attempts {
            refusals: match self.outcome.as_str() {
                "failed" => self.refusals.max(1),
                _ => self.refusals,
            },
            refused_at: Timestamp::from_nanos(self.at_unix_ms.saturating_mul(1_000_000)),
        }
    }

    /// The verdict for people, a line each; the failed tests first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Some(verdict) = &self.verdict else {
            let why = self.problem.as_deref().unwrap_or("nothing is known");
            return vec![match self.outcome.as_str() {
                "admitted" => format!("{} is admitted: {why}", self.name),
                _ => format!("{} could not be tested: {why}", self.name),
            }];
        };
        let mut lines = vec![match self.outcome.as_str() {
            "admitted" => format!("{} is admitted, {}", self.name, against(verdict)),
            "sent_back" => self.sent_back(),
            _ => format!("{} is refused, {}", self.name, against(verdict)),
        }];
        lines.extend(verdict.problems.iter().map(|it| format!("  FAILED {it}")));
        lines.extend(
            verdict
                .failed()
                .map(|it| format!("  FAILED {}", it.sentence())),
        );
        let untested = verdict.untested.iter();
        lines.extend(untested.map(|it| format!("  not tested: {it}")));
        let passed = verdict.outcomes.iter().filter(|it| it.passed);
        lines.extend(passed.map(|it| format!("  passed {}", it.sentence())));
        lines
    }

    /// That it came no further than its way in.
    pub(crate) fn sent_back(&self) -> String {
        format!("{} was admitted, but slow on its way in", self.name)
    }

    /// What it was refused for, in one line.
    pub(crate) fn reasons(&self) -> String {
        let Some(verdict) = &self.verdict else {
            return self.problem.clone().unwrap_or_default();
        };
        let failed = verdict.failed().map(fleet::gate::Outcome::sentence);
        let all: Vec<String> = verdict.problems.iter().cloned().chain(failed).collect();
        all.join("; ")
    }
}

fn against(verdict: &Verdict) -> String {
    let (peers, least) = (verdict.peers, fleet::gate::PEERS_MIN);
    match verdict.against {
        Against::Fleet => format!("compared with {peers} nodes that serve"),
        Against::Limits if peers < least => format!(
            "by the limits of [gate]: {peers} nodes serve, and {least} are needed to compare with"
        ),
        Against::Limits => format!(
            "by the limits of [gate]: of {peers} nodes that serve fewer than {least} could be compared with"
        ),
    }
}

impl GateReport {
    /// What came of a node's last test.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The test of this node has come to its next step.
    pub(super) fn goes_on(&mut self, candidate: &str, doing: String) {
        self.candidate = Some(candidate.to_owned());
        self.steps.push(doing.clone());
        self.doing = Some(doing);
    }

    /// No test is under way, and nobody is on his way in.
    pub(crate) fn tests_nobody(&mut self) {
        (self.candidate, self.doing) = (None, None);
        self.steps.clear();
    }

    /// The number of a member's last test; 0 without any.
    pub(super) fn last_test(&self, member: MemberId) -> u64 {
        let mut tested = self.nodes.iter();
        let found = tested.find(|node| node.member == member.0);
        found.map_or(0, |node| node.test)
    }

    /// Takes in what came of one more test.
    pub(super) fn note(&mut self, record: NodeRecord) {
        self.tests += 1;
        self.nodes.retain(|node| node.member != record.member);
        self.nodes.push(NodeRecord {
            test: self.tests,
            ..record
        });
    }
}

/// A key's value.
pub(super) fn parsed<T: serde::de::DeserializeOwned>(known: &Snapshot, key: &str) -> Option<T> {
    // A later release may write what this one cannot read.
    serde_json::from_slice(&known.get(key)?.value).ok()
}

#[cfg(test)]
#[path = "book_test.rs"]
mod tests;
