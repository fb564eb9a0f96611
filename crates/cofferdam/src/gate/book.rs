//! What is written of the gate in the store, in the room where nodes are judged.
//!
//! | key | value |
//! |---|---|
//! | `gate/request` | whom an operator wants to be tested, as JSON ([`GateRequest`]) |
//! | `gate/report` | how the gate stands, as JSON ([`GateReport`]); by the gateway that keeps it |

use base::Timestamp;
use fleet::gate::{Against, Attempts, Verdict};
use serde::{Deserialize, Serialize};

/// The key of what is wanted.
pub(super) const REQUEST: &str = "gate/request";
/// The key of what is told.
pub(crate) const REPORT: &str = "gate/report";

/// An operator's wish.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct GateRequest {
    /// Tells it from earlier ones.
    pub(crate) id: u64,
    /// The candidate.
    pub(crate) member: u32,
}

impl GateRequest {
    /// Puts it in the place of any other.
    pub(crate) fn change(&self) -> runtime::store::Change {
        // Numbers have no way to fail.
        let json = serde_json::to_vec(self).unwrap_or_default();
        runtime::store::Change::default().put(REQUEST, json)
    }
}

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
    /// The wish that it carries out or has carried out last.
    pub(crate) request: u64,
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
    /// The wish that it was tested for; 0 if nobody asked.
    pub(crate) request: u64,
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
    /// How often it was refused, for whose turn is next.
    pub(super) fn attempts(&self) -> Attempts {
        Attempts {
            refusals: self.refusals,
            refused_at: Timestamp::from_nanos(self.at_unix_ms.saturating_mul(1_000_000)),
        }
    }

    /// The verdict for people, a line each; the failed tests first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Some(verdict) = &self.verdict else {
            let why = self.problem.as_deref().unwrap_or("nothing is known");
            return vec![format!("{} could not be tested: {why}", self.name)];
        };
        let mut lines = vec![match self.outcome.as_str() {
            "admitted" => format!("{} is admitted, {}", self.name, against(verdict)),
            "sent_back" => format!("{} was admitted, but slow on its way in", self.name),
            _ => format!("{} is refused, {}", self.name, against(verdict)),
        }];
        lines.extend(verdict.problems.iter().map(|it| format!("  FAILED {it}")));
        lines.extend(
            verdict
                .failed()
                .map(|it| format!("  FAILED {}", it.sentence())),
        );
        let passed = verdict.outcomes.iter().filter(|it| it.passed);
        lines.extend(passed.map(|it| format!("  passed {}", it.sentence())));
        lines
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
    match verdict.against {
        Against::Fleet => format!("compared with {} nodes that serve", verdict.peers),
        Against::Limits => format!(
            "by the limits of [gate]: {} nodes serve, and {} are needed to compare with",
            verdict.peers,
            fleet::gate::PEERS_MIN
        ),
    }
}

impl GateReport {
    /// What came of a node's last test.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.name == name)
    }

    pub(super) fn note(&mut self, record: NodeRecord) {
        self.nodes.retain(|node| node.member != record.member);
        self.nodes.push(record);
    }
}

#[cfg(test)]
#[path = "book_test.rs"]
mod tests;
