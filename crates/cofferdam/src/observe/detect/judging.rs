//! Nodes that are slow, out, and back, and what keeps all of them slow.

use std::collections::BTreeSet;

use base::Timestamp;
use base::event::{EventKind, Figure, Unit};
use fleet::deeds::By;

use super::Observation;
use crate::gate::NodeRecord;
use crate::judging::{JudgingReport, NodeReport, NoticeReport, PastReport};
use crate::observe::signal::Signal;

/// Remembers who was out.
#[derive(Debug, Default)]
pub(super) struct JudgingWatch {
    out: BTreeSet<String>,
}

impl JudgingWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        let fleet = seen.reading.fleet.as_ref();
        let Some(report) = fleet.and_then(|fleet| fleet.judging.as_deref()) else {
            return;
        };
        for node in &report.nodes {
            self.observe_node(seen.now, report, node, signals);
        }
        self.out.retain(|name| report.node(name).is_some());
        signals.extend(report.notices.iter().filter_map(of_notice));
        signals.extend(refused(report));
    }

    fn observe_node(
        &mut self,
        now: Timestamp,
        report: &JudgingReport,
        node: &NodeReport,
        signals: &mut Vec<Signal>,
    ) {
        let name = &node.name;
        match node.state.as_str() {
            "suspect" => signals.push(suspect(node)),
            "ejected" | "probation" => {
                self.out.insert(name.clone());
                signals.push(ejected(report, node));
            }
            "serving" if self.out.remove(name) => {
                let sentence = format!(
                    "Node {name} serves all its keys again: its requests are as quick as its peers'."
                );
                let signal = Signal::moment(EventKind::NodeBack, now, sentence);
                signals.push(signal.cause(name.clone()));
            }
            "drained" => {
                self.out.remove(name);
            }
            _ => {}
        }
    }
}

fn suspect(node: &NodeReport) -> Signal {
    let name = &node.name;
    let keys = match node.is_spared() {
        true => ", and has half its keys",
        false => "",
    };
    let mut sentence = format!("Node {name} looks slow{keys}");
    if let Some(why) = why(node) {
        sentence.push_str(&format!(": {why}"));
    }
    sentence.push('.');
    let ended = format!("Node {name} is no suspect any more");
    let onset = of_unix_ms(node.since_unix_ms);
    Signal::lasting(EventKind::NodeSuspect, onset, sentence, ended)
        .cause(name.clone())
        .advice(format!(
            "`cofferdam node explain {name}` shows who found that by which figures."
        ))
        .evidence(figures(node.score, node.blaming.len()))
}

fn ejected(report: &JudgingReport, node: &NodeReport) -> Signal {
    let name = &node.name;
    let keys = match report.is_alone {
        true => "this gateway answers misses for its keys",
        false => "its keys go to the other nodes",
    };
    // What is held against it now is nothing: it is not asked.
    let by_judge = node.taken_out().is_none_or(|past| past.by == By::Judge);
    let mut charges = node.past.iter().rev().filter(|_| by_judge);
    let charge = charges.find(|past| past.blaming.iter().any(|it| it.sentence.is_some()));
    let mut blaming = charge.into_iter().flat_map(|past| &past.blaming);
    let blame = blaming.find_map(|it| it.sentence.clone());
    let why = match node.taken_out().filter(|_| !by_judge) {
        Some(past) => done_by(past),
        None => blame.unwrap_or_else(|| "it was gone, or an operator has done it".to_owned()),
    };
    let sentence = format!("Node {name} is taken out, {keys}: {why}.");
    // Its way back has steps, and the affair is one.
    let past = node.past.iter();
    let onset = past
        .filter(|it| it.state == "ejected")
        .map(|it| it.at_unix_ms);
    let onset = of_unix_ms(onset.max().unwrap_or(node.since_unix_ms));
    let ended = format!("Node {name} is let in again, step by step,");
    Signal::lasting(EventKind::NodeEjected, onset, sentence, ended)
        .cause(name.clone())
        .advice(format!(
            "Look after its machine and network; it comes back by itself once it is well, or by \
             `cofferdam node readmit {name}`. \
             `cofferdam node explain {name}` shows the figures, `cofferdam node drain {name}` keeps it out."
        ))
        .evidence(match charge {
            Some(past) => figures(past.score, past.blaming.len()),
            None => figures(node.score, node.blaming.len()),
        })
}

/// Why a node is out that the judge has not taken out.
fn done_by(past: &PastReport) -> String {
    match (&past.why, past.by) {
        (Some(why), By::Steward) => why.clone(),
        (Some(why), _) => format!("{} has done it: {why}", past.doer()),
        (None, _) => format!("{} has done it", past.doer()),
    }
}

/// Those that the gate has sent away, for as long as they wait to be tried again.
fn refused(report: &JudgingReport) -> impl Iterator<Item = Signal> {
    let tested = report.gate.iter().flat_map(|gate| &gate.nodes);
    let refused = tested.filter(|it| matches!(it.outcome.as_str(), "refused" | "sent_back"));
    let waits = |it: &&NodeRecord| {
        let node = report.node(&it.name);
        node.is_some_and(|node| node.state == "quarantined")
    };
    refused.filter(waits).map(|it| {
        let name = &it.name;
        let why = match it.outcome.as_str() {
            "sent_back" => slow_on_its_way(report.node(&it.name)),
            _ => it.reasons(),
        };
        let sentence = format!("Node {name} is refused, and has no keys: {why}.");
        let ended = format!("Node {name} is refused no more");
        let failed = it
            .verdict
            .as_ref()
            .map_or(0, |verdict| verdict.failed().count());
        Signal::lasting(
            EventKind::NodeRefused,
            of_unix_ms(it.at_unix_ms),
            sentence,
            ended,
        )
        .cause(name.clone())
        .decided(of_unix_ms(it.at_unix_ms))
        .advice(format!(
            "Look after its machine and network, then `cofferdam gate run --candidate {name}`; \
                 `cofferdam node explain {name}` shows all figures."
        ))
        .evidence([
            Figure::new("failed_tests", failed as f64, Unit::Count),
            Figure::new("refusals", f64::from(it.refusals), Unit::Count),
        ])
    })
}

/// What was held against a node that went back to the gate.
fn slow_on_its_way(node: Option<&NodeReport>) -> String {
    let mut past = node.into_iter().flat_map(|node| node.past.iter().rev());
    let back = past.find(|past| past.state == "quarantined");
    if let Some(past) = back.filter(|past| past.by == By::Operator) {
        return done_by(past);
    }
    let mut said = back.into_iter().flat_map(|past| &past.blaming);
    let mut why = "it was slow on its way in".to_owned();
    if let Some(sentence) = said.find_map(|it| it.sentence.as_deref()) {
        why.push_str(": ");
        why.push_str(sentence);
    }
    why
}

fn of_notice(notice: &NoticeReport) -> Option<Signal> {
    let (kind, ended, advice) = match notice.kind.as_str() {
        "fleet_slow" => (
            EventKind::FleetSlow,
            "Nodes are as quick as usual again",
            "Look at what they share: a switch, a host, the load.",
        ),
        "cap_holds" => (
            EventKind::CapHolds,
            "No node waits to be taken out any more",
            "Only a tenth of the nodes, one at least, may be out at once: take care of these, or \
             `cofferdam node drain` one of them if you know better.",
        ),
        "gateway_slow" => (
            EventKind::GatewaySlow,
            "No gateway is slow any more",
            "Look after that gateway's machine and network.",
        ),
        // Of a later release.
        _ => return None,
    };
    let onset = of_unix_ms(notice.since_unix_ms);
    let members = Figure::new("members", notice.members.len() as f64, Unit::Count);
    // Told again when it names somebody more.
    let told = of_unix_ms(notice.told_unix_ms.max(notice.since_unix_ms));
    let signal = Signal::lasting(kind, onset, notice.sentence.clone(), ended).decided(told);
    Some(signal.advice(advice).evidence([members]))
}

fn why(node: &NodeReport) -> Option<&str> {
    let mut said = node.blaming.iter().filter_map(|it| it.sentence.as_deref());
    said.next()
}

fn figures(score: f32, observers: usize) -> [Figure; 2] {
    [
        Figure::new("score", f64::from(score), Unit::Count),
        Figure::new("observers", observers as f64, Unit::Count),
    ]
}

fn of_unix_ms(at_unix_ms: u64) -> Timestamp {
    Timestamp::from_nanos(at_unix_ms.saturating_mul(1_000_000))
}

#[cfg(test)]
#[path = "judging_test.rs"]
mod tests;
