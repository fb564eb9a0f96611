//! What a gateway's observers are told of its nodes.

use std::collections::BTreeSet;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::membership::State;
use gateway::remote::NodeAddress;
use runtime::nodes::PeerTls;

use super::{FleetData, Inner};
use crate::judging::{JudgingReport, evidence_of};
use crate::observe::nodes::{NodeCase, NodeReading, PeerView};
use crate::observe::reading::FleetReading;

/// A node that has answered within this is there.
const HEARD_WITHIN: Duration = Duration::from_secs(3);

impl FleetData {
    /// What this gateway sees of its nodes from now on, beside their peers.
    pub(crate) fn show_beside(&self, nodes: Vec<(MemberId, PeerView)>) {
        self.beside.publish(nodes.into_iter().collect());
    }

    /// How the fleet is, and how requests to its nodes fared.
    pub(crate) fn reading(&self, now: Timestamp) -> FleetReading {
        let mut heard = BTreeSet::new();
        for report in self.board.reports() {
            if now.since(report.asked_at) < HEARD_WITHIN {
                heard.insert(report.node);
            }
        }
        let inner = self.inner();
        let of_store = inner.of_store.clone().unwrap_or_default();
        let judging = (*self.judging.get()).clone();
        let report = judging.as_deref();
        let beside = self.beside.get();
        let nodes = inner.view.nodes.iter();
        let each = nodes.map(|node| NodeReading {
            beside: beside.get(&node.member).copied().unwrap_or_default(),
            ..inner.reading(node, &heard, report, now)
        });
        let each: Vec<NodeReading> = each.collect();
        FleetReading {
            away: of_store.away,
            age: of_store.asked_at.map(|at| now.since(at)),
            ring_version: inner.view.ring.version().0,
            moving: inner.view.ring.moving().len() as u64,
            waits_since: of_store.waits_since,
            nodes: each.len() as u64,
            nodes_heard: each.iter().filter(|node| node.is_heard).count() as u64,
            each,
            requests: self.board.figures(),
            judging,
            certificate_validity_s: self.tls.as_ref().and_then(PeerTls::validity),
        }
    }
}

impl Inner {
    /// How one node is. Where this gateway decides for itself, a node stands where it says.
    fn reading(
        &self,
        node: &NodeAddress,
        heard: &BTreeSet<MemberId>,
        report: Option<&JudgingReport>,
        now: Timestamp,
    ) -> NodeReading {
        let registry = self.of_store.as_ref().and_then(|it| it.registry.as_ref());
        let record = registry.and_then(|it| it.members.get(&node.member));
        let standing = record.map(|record| record.standing);
        let judged = report.and_then(|report| report.node(&node.name));
        let alone = judged.filter(|_| report.is_some_and(|it| it.is_alone) || standing.is_none());
        let (state, since) = match (alone, standing) {
            (Some(alone), _) => (
                alone.state().unwrap_or(State::Serving),
                Some(Timestamp::from_nanos(
                    alone.since_unix_ms.saturating_mul(1_000_000),
                )),
            ),
            (None, Some(standing)) => (standing.state(), Some(standing.since())),
            (None, None) => (State::Serving, None),
        };
        let has_judge = report.is_some_and(|it| it.judge.is_some());
        NodeReading {
            name: node.name.clone(),
            address: node.addr.to_string(),
            standing,
            state,
            since,
            slots: self.view.ring.count(node.member),
            is_alive: registry.is_none_or(|it| it.alive.contains(&node.member)),
            is_heard: heard.contains(&node.member),
            beside: PeerView::default(),
            case: judged.filter(|_| has_judge).map(|judged| NodeCase {
                score: judged.score,
                evidence: evidence_of(judged, now.as_nanos() / 1_000_000),
            }),
        }
    }
}

#[cfg(test)]
#[path = "reading_test.rs"]
mod tests;
