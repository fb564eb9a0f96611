//! What is known of a node, for people.

use std::time::Duration;

use fleet::deeds::By;
use fleet::membership::Event;

use super::report::{BlameReport, JudgingReport, NodeReport, PastReport};
use crate::gate::GateReport;
use crate::observe::in_words;

/// All that is known of a node, for people, a line each.
pub(crate) fn lines_of(report: &JudgingReport, node: &NodeReport, now_unix_ms: u64) -> Vec<String> {
    let age = |at_unix_ms: u64| seconds(now_unix_ms.saturating_sub(at_unix_ms));
    let mut lines = vec![format!(
        "{} is {} for {}, at {:.1} % of its weight; score {:.0} of 100",
        node.name,
        node.state,
        age(node.since_unix_ms),
        f64::from(node.share) / 10.0,
        node.score
    )];
    if let Some(since) = node.slow_since_unix_ms {
        lines.push(format!(
            "found slow for {}, by {} of {} gateways that asked it enough",
            age(since),
            node.blaming.len(),
            node.voters
        ));
    }
    lines.extend(
        node.blaming
            .iter()
            .map(|blame| format!("  {}", line_of(blame))),
    );
    if node.is_busy {
        lines.push(format!(
            "it is asked {:.1} times as much as the median of the others: what its load explains does not count",
            node.load
        ));
    }
    lines.extend(proof_line(node));
    for notice in &report.notices {
        lines.push(format!(
            "{} ({})",
            notice.sentence,
            age(notice.since_unix_ms)
        ));
    }
    for past in node.past.iter().rev() {
        lines.push(format!("{} ago: {}", age(past.at_unix_ms), deed_of(past)));
        lines.extend(
            past.blaming
                .iter()
                .map(|blame| format!("  {}", line_of(blame))),
        );
    }
    if let Some(gate) = &report.gate {
        lines.extend(gate_lines(gate, node, now_unix_ms));
    }
    lines.push(match (&report.judge, report.is_alone) {
        (Some(name), true) => {
            format!("{name} decides this for itself alone, by what it sees itself")
        }
        (Some(name), false) => format!("{name} decides, by what all gateways say"),
        (None, _) => format!("nobody decides: judging is {}", report.mode),
    });
    lines
}

/// What was done, by whom, and upon what.
fn deed_of(past: &PastReport) -> String {
    let (state, doer) = (&past.state, past.doer());
    let what = match (past.by, past.event) {
        (By::Judge, _) => {
            let (score, proof) = (past.score, proof_of(past));
            let state = match past.event {
                Event::Relieved => "relieved of half of its keys",
                _ => state,
            };
            return format!("{state} by {doer}, score {score:.0}{proof}");
        }
        (_, Event::Readmit) => format!("{state}, readmitted by {doer}"),
        _ => format!("{state} by {doer}"),
    };
    match &past.why {
        Some(why) => format!("{what}: {why}"),
        None => what,
    }
}

/// How far it is in a step of its way in.
fn proof_line(node: &NodeReport) -> Option<String> {
    let what = match node.state.as_str() {
        "shadow" => "copies of requests",
        "ramping" | "probation" => "requests",
        _ => return None,
    };
    let (proven, proof) = (node.proven, node.proof);
    if proof == 0 {
        return None;
    }
    let few = match node.voters {
        0 => "; no gateway has had enough of them to judge it by",
        _ => "",
    };
    Some(format!(
        "it has answered {proven} {what} well, of {proof} that it takes to go on at once; with fewer it \
         goes on after a minute{few}"
    ))
}

/// Upon what it went on, if that is by requests.
fn proof_of(past: &PastReport) -> String {
    let (proven, proof) = (past.proven, past.proof);
    match past.event {
        Event::Held if proof > 0 && proven >= proof => format!(", {proven} requests answered well"),
        Event::Held if proof > 0 => {
            format!(
                ", after a minute in which it was asked too little to be judged ({proven} of {proof} requests)"
            )
        }
        _ => String::new(),
    }
}

/// What the gate has to say of a node that has not served yet.
fn gate_lines(gate: &GateReport, node: &NodeReport, now_unix_ms: u64) -> Vec<String> {
    let mut lines = Vec::new();
    match (&gate.doing, &gate.candidate) {
        (Some(doing), Some(candidate)) if *candidate == node.name => {
            lines.push(format!("at the gate: {doing}"));
        }
        (Some(doing), Some(other)) if node.state == "quarantined" => {
            lines.push(format!(
                "it waits for its turn at the gate, behind {other} ({doing})"
            ));
        }
        _ => {}
    }
    let is_coming = matches!(node.state.as_str(), "quarantined" | "shadow" | "ramping");
    if let Some(record) = gate.node(&node.name).filter(|_| is_coming) {
        let age = seconds(now_unix_ms.saturating_sub(record.at_unix_ms));
        let mut told = record.lines().into_iter();
        lines.extend(told.next().map(|head| format!("{age} ago: {head}")));
        lines.extend(told);
    }
    lines
}

/// What speaks against a node, a line each: now, or, where it is out and nobody asks it any more, when it was
/// taken out.
pub(crate) fn evidence_of(node: &NodeReport, now_unix_ms: u64) -> Vec<String> {
    let age = |at_unix_ms: u64| seconds(now_unix_ms.saturating_sub(at_unix_ms));
    let is_charge = |event| matches!(event, Event::Suspected | Event::Condemned | Event::Refused);
    let (head, blaming) = match (node.slow_since_unix_ms, node.state.as_str()) {
        (Some(since), _) => {
            let (blaming, voters) = (node.blaming.len(), node.voters);
            let head = format!(
                "Found slow for {}, by {blaming} of {voters} gateways that asked it enough.",
                age(since)
            );
            (head, &node.blaming)
        }
        (None, "serving" | "drained") => return Vec::new(),
        (None, _) => match node.past.iter().rev().find(|past| is_charge(past.event)) {
            Some(past) if past.by != By::Judge => {
                let at = age(past.at_unix_ms);
                return vec![format!("{at} ago: {}.", deed_of(past))];
            }
            Some(past) => {
                let (at, score) = (age(past.at_unix_ms), past.score);
                let head = format!(
                    "Taken for slow {at} ago, with a score of {score:.0}, and {}:",
                    past.state
                );
                (head, &past.blaming)
            }
            None => return Vec::new(),
        },
    };
    let mut lines = vec![head];
    lines.extend(blaming.iter().map(line_of));
    if node.is_busy {
        lines.push(format!(
            "It is asked {:.1} times as much as the median of the others: what its load explains does not count.",
            node.load
        ));
    }
    lines
}

fn line_of(blame: &BlameReport) -> String {
    let said = blame.sentence.as_deref().unwrap_or("no figures any more");
    format!("{} ({:.0} of 100): {said}", blame.observer, blame.score)
}

fn seconds(millis: u64) -> String {
    in_words(Duration::from_millis(millis))
}

#[cfg(test)]
#[path = "explain_test.rs"]
mod tests;
