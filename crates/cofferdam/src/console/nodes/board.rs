//! The nodes as text: who serves, who does not and why, and what can be done about it.

use std::sync::Arc;

use base::Timestamp;
use base::fleet::SLOT_COUNT;
use fleet::membership::State;

use super::beside::{Cell, cells};
use super::deed::NodeDeed;
use crate::board::affairs::{Severity, Verdict};
use crate::board::format;
use crate::observe::event_view::EventView;
use crate::observe::history::Frame;
use crate::observe::nodes::{Heat, NodeReading, node_series};
use crate::observe::reading::FleetReading;

/// Seconds that a strip without a script shows.
const STRIP_S: u64 = 120;
/// What events of nodes and of their store begin with.
const KINDS: [&str; 4] = ["node_", "fleet_", "ring_", "store_"];
const EVENTS_SHOWN: usize = 20;

/// Everything that the page of nodes shows beside its graphs.
pub(crate) struct NodesBoard {
    pub(crate) verdict: Verdict,
    /// What else there is to say, a line each.
    pub(crate) notes: Vec<String>,
    /// Who decides which nodes are slow.
    pub(crate) decides: String,
    /// Whether there are nodes at all, or all is in one process.
    pub(crate) is_fleet: bool,
    pub(crate) nodes: Vec<NodeRow>,
    pub(crate) events: Vec<EventView>,
}

/// One node.
pub(crate) struct NodeRow {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) heat: Heat,
    /// Where it stands, in a word or two, and for how long.
    pub(crate) state: &'static str,
    pub(crate) since: String,
    pub(crate) score: String,
    pub(crate) slots: String,
    pub(crate) share_percent: usize,
    /// What that means, and upon what it was decided.
    pub(crate) words: Vec<String>,
    pub(crate) evidence: Vec<String>,
    /// What half of its requests take beside its peers, by class.
    pub(crate) cells: Vec<Cell>,
    /// The last two minutes.
    pub(crate) strip: Vec<Run>,
    pub(crate) deeds: Vec<NodeDeed>,
}

/// A time in which a node fared the same, in seconds from the strip's left edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) from_s: u64,
    pub(crate) length_s: u64,
    pub(crate) heat: Heat,
}

impl Heat {
    /// The class of its colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Well => "heat0",
            Self::Warm => "heat1",
            Self::Hot => "heat2",
            Self::Entering => "heat3",
            Self::Suspect => "heat4",
            Self::Drained => "heat5",
            Self::Ejected => "heat6",
            Self::Gone => "heat7",
        }
    }
}

impl NodesBoard {
    /// From what is known now, the last seconds and the events, both the oldest first. Where there is
    /// a store an operator may act on nodes.
    pub(crate) fn new(
        fleet: Option<&FleetReading>,
        recent: &[Arc<Frame>],
        events: &[EventView],
        has_store: bool,
        now: Timestamp,
    ) -> Self {
        let Some(fleet) = fleet else {
            return Self::alone();
        };
        let is_alone = fleet.judging.as_ref().is_some_and(|it| it.is_alone);
        let row = |node| row(node, recent, has_store, is_alone, now);
        let mut nodes: Vec<NodeRow> = fleet.each.iter().map(row).collect();
        nodes.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)));
        let told = events.iter().rev();
        let told = told.filter(|event| KINDS.iter().any(|kind| event.event.starts_with(kind)));
        Self {
            verdict: verdict(&fleet.each),
            notes: notes(fleet, has_store),
            decides: decides(fleet),
            is_fleet: true,
            nodes,
            events: told.take(EVENTS_SHOWN).cloned().collect(),
        }
    }

    fn alone() -> Self {
        Self {
            verdict: Verdict {
                severity: Severity::Well,
                text: "There are no nodes: this process holds everything itself.".to_owned(),
            },
            notes: vec![
                "That is as it should be on one machine. In a fleet, gateways ask nodes on other machines, \
                 and this page shows each node beside its peers: how it fares, why it was taken out, and the \
                 way to take that back."
                    .to_owned(),
            ],
            decides: String::new(),
            is_fleet: false,
            nodes: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// A name so that `node10` comes after `node9`.
fn natural(name: &str) -> (&str, u64, &str) {
    let head = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = name
        .get(head.len()..)
        .and_then(|digits| digits.parse().ok());
    (head, number.unwrap_or(0), name)
}

fn verdict(nodes: &[NodeReading]) -> Verdict {
    let with = |from: Heat, to: Heat| {
        let some = nodes
            .iter()
            .filter(|node| (from..=to).contains(&Heat::of(node)));
        let names: Vec<&str> = some.map(|node| node.name.as_str()).collect();
        names
    };
    let (out, limited) = (
        with(Heat::Ejected, Heat::Gone),
        with(Heat::Entering, Heat::Drained),
    );
    let all = nodes.len();
    let (severity, text) = match (out.as_slice(), limited.as_slice()) {
        _ if nodes.is_empty() => {
            let text = "There is no node yet: nothing can be kept.";
            (Severity::Trouble, text.to_owned())
        }
        ([], []) => (Severity::Well, format!("{} serving.", counted(all, "node"))),
        ([], some) => {
            let text = format!(
                "{} of {all} nodes not at full weight: {}.",
                some.len(),
                listed(some)
            );
            (Severity::Limited, text)
        }
        (out, _) => {
            let text = format!("{} of {all} nodes out: {}.", out.len(), listed(out));
            (Severity::Trouble, text)
        }
    };
    Verdict { severity, text }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}, and it is"),
        _ => format!("All {count} {what}s are"),
    }
}

/// A few names, and how many more there are.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn notes(fleet: &FleetReading, has_store: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some((_, why)) = &fleet.away {
        notes.push(format!(
            "The fleet's store does not answer ({why}): nobody can be taken out or let in until it does."
        ));
    }
    let judging = fleet.judging.iter();
    let notices = judging.flat_map(|report| report.notices.iter());
    notes.extend(notices.map(|notice| notice.sentence.clone()));
    if fleet.moving > 0 {
        notes.push(format!(
            "{} of {SLOT_COUNT} parts of the keys are changing hands; their keys are misses until they have.",
            fleet.moving
        ));
    }
    if !has_store {
        notes.push(
            "This gateway's configuration lists the nodes. What is taken out here is out for this gateway \
             alone: its keys are misses and go to no other node."
                .to_owned(),
        );
    }
    notes
}

fn decides(fleet: &FleetReading) -> String {
    let Some(report) = fleet.judging.as_deref() else {
        return "Nobody judges these nodes.".to_owned();
    };
    match (&report.judge, report.is_alone) {
        (Some(name), true) => format!("{name} decides for itself alone, by what it sees itself."),
        (Some(name), false) => format!("{name} decides, by what all gateways say."),
        (None, _) if report.mode == "off" => "Judging is switched off (judge.mode).".to_owned(),
        (None, _) => "No gateway has decided anything yet.".to_owned(),
    }
}

fn row(
    node: &NodeReading,
    recent: &[Arc<Frame>],
    has_store: bool,
    is_alone: bool,
    now: Timestamp,
) -> NodeRow {
    let heat = Heat::of(node);
    let case = node.case.clone();
    // Who is out is not asked, so nothing is found.
    let is_asked = !matches!(
        node.state,
        State::Ejected | State::Drained | State::Quarantined
    );
    let score = case.as_ref().filter(|_| is_asked);
    let score = score.map(|case| format!("{:.0}", case.score));
    let standing = node.standing.filter(|_| has_store);
    NodeRow {
        name: node.name.clone(),
        address: node.address.clone(),
        heat,
        state: state(node, heat),
        since: node
            .since
            .map_or_else(String::new, |at| format::age(now.since(at).as_secs())),
        score: score.unwrap_or_else(|| "–".to_owned()),
        slots: node.slots.to_string(),
        share_percent: node.slots * 100 / SLOT_COUNT,
        words: words(node, has_store && !is_alone, now),
        evidence: case.map_or_else(Vec::new, |case| case.evidence),
        cells: match is_asked {
            true => cells(&node.beside),
            false => cells(&Default::default()),
        },
        strip: strip(&node.name, recent),
        deeds: standing.map_or_else(Vec::new, |standing| NodeDeed::possible(&standing, now)),
    }
}

fn state(node: &NodeReading, heat: Heat) -> &'static str {
    match (heat, node.state) {
        (Heat::Gone, _) => "no answer",
        (_, State::Quarantined) => "waits for the gate",
        (_, State::Shadow) => "shadow",
        (_, State::Ramping) => "ramping",
        (_, State::Serving) => "serving",
        (_, State::Suspect) => "suspect",
        (_, State::Ejected) => "ejected",
        (_, State::Probation) => "probation",
        (_, State::Drained) => "drained",
    }
}

/// What its state means for its keys, which others can have or not.
fn words(node: &NodeReading, keys_can_move: bool, now: Timestamp) -> Vec<String> {
    let mut words = Vec::new();
    match (node.is_alive, node.is_heard, node.state) {
        (_, _, State::Drained) | (true, true, _) => {}
        (false, false, _) => {
            let keys = match node.slots {
                0 => "",
                _ => " Its keys are misses until it is back or taken out.",
            };
            words.push(format!("It answers neither this gateway nor the store.{keys}"));
        }
        (true, false, _) => words.push(
            "It does not answer this gateway; the store still hears from it, if there is one: look at the network between them."
                .to_owned(),
        ),
        (false, true, _) => words.push(
            "It answers this gateway and has not told the store that it lives: look at its way to the store.".to_owned(),
        ),
    }
    let parts = |text: &str| {
        format!(
            "{text}; it is to have {} of {SLOT_COUNT} parts of the keys now.",
            node.slots
        )
    };
    let until = node.standing.and_then(|standing| standing.holds_until());
    match node.state {
        State::Serving => {}
        State::Quarantined => words.push("New, and not tested yet: it serves nothing.".to_owned()),
        State::Shadow => words.push(
            "Tested; it is sent copies of requests whose answers nobody waits for.".to_owned(),
        ),
        State::Ramping => words.push(parts(
            "It is given its keys step by step, as long as it does well",
        )),
        State::Suspect => {
            let is_relieved = node.standing.is_some_and(|it| it.is_relieved());
            words.push(parts(match (is_relieved, keys_can_move) {
                (true, _) => "It looks slow, and is spared half until that is certain or over",
                (false, true) => "It looks slow, and is spared half soon if that is neither certain nor over",
                (false, false) => "It looks slow, and keeps its keys until that is certain: no other node can have them",
            }));
        }
        State::Probation => words.push(parts(
            "It is given a few keys again, to see how it serves them",
        )),
        State::Drained => {
            words.push("An operator has taken it out, until he lets it in again.".to_owned())
        }
        State::Ejected => words.push(match until.filter(|until| *until > now) {
            Some(until) => {
                let seconds = until.since(now).as_secs() + 1;
                format!(
                    "Taken out; it is given another chance in {} at the earliest.",
                    format::age(seconds)
                )
            }
            None => "Taken out; it is given another chance next.".to_owned(),
        }),
    }
    words
}

/// How it fared over the last seconds that are at hand, the oldest first.
fn strip(node: &str, recent: &[Arc<Frame>]) -> Vec<Run> {
    let Some(last) = recent.last() else {
        return Vec::new();
    };
    let name = node_series(node, "heat");
    let first_s = (last.time_s + 1).saturating_sub(STRIP_S);
    let mut runs: Vec<Run> = Vec::new();
    for frame in recent.iter().filter(|frame| frame.time_s >= first_s) {
        let Some(heat) = frame.figure(&name).and_then(Heat::of_number) else {
            continue;
        };
        let at = frame.time_s - first_s;
        match runs.last_mut() {
            Some(run) if run.heat == heat && run.from_s + run.length_s == at => run.length_s += 1,
            _ => runs.push(Run {
                from_s: at,
                length_s: 1,
                heat,
            }),
        }
    }
    runs
}

#[cfg(test)]
#[path = "board_test.rs"]
mod tests;
