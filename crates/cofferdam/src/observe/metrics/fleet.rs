//! The fleet on the page: its store, its ring, its nodes, and how requests to them fared.

use runtime::observe::exposition::{Exposition, Kind};

use crate::judging::JudgingReport;
use crate::observe::reading::FleetReading;

type Figure = (&'static str, Kind, &'static str, fn(&FleetReading) -> u64);

const FIGURES: [Figure; 9] = [
    (
        "cofferdam_fleet_store_up",
        Kind::Gauge,
        "1 while the fleet's store answers; without it everybody serves on by what is known.",
        |fleet| u64::from(fleet.away.is_none()),
    ),
    (
        "cofferdam_fleet_ring_version",
        Kind::Gauge,
        "Changes of the ring that were made, as far as this gateway knows.",
        |fleet| fleet.ring_version,
    ),
    (
        "cofferdam_fleet_slots_moving",
        Kind::Gauge,
        "Of 4,096 slots those about to change hands: requests for their keys are misses meanwhile.",
        |fleet| fleet.moving,
    ),
    (
        "cofferdam_fleet_nodes",
        Kind::Gauge,
        "Cache nodes that are members.",
        |fleet| fleet.nodes,
    ),
    (
        "cofferdam_fleet_nodes_heard",
        Kind::Gauge,
        "Of these the ones that have answered this gateway within the last three seconds.",
        |fleet| fleet.nodes_heard,
    ),
    (
        "cofferdam_fleet_requests_in_doubt",
        Kind::Gauge,
        "Keys whose items must be removed from nodes yet.",
        |fleet| fleet.requests.in_doubt,
    ),
    (
        "cofferdam_fleet_requests_sent_total",
        Kind::Counter,
        "Requests sent to nodes.",
        |fleet| fleet.requests.sent,
    ),
    (
        "cofferdam_fleet_requests_answered_total",
        Kind::Counter,
        "Requests that nodes answered in time.",
        |fleet| fleet.requests.answered,
    ),
    (
        "cofferdam_fleet_replies_late_total",
        Kind::Counter,
        "Answers of nodes that nobody waited for any more.",
        |fleet| fleet.requests.late,
    ),
];

pub(super) fn write(page: &mut Exposition, fleet: Option<&FleetReading>) {
    let Some(fleet) = fleet else {
        return;
    };
    for (name, kind, help, value) in FIGURES {
        page.single(name, kind, help, value(fleet));
    }
    if let Some(judging) = &fleet.judging {
        write_judging(page, judging);
    }
    if let Some(age) = fleet.age {
        let help = "How old what this gateway knows of the store is.";
        page.single("cofferdam_fleet_store_age_seconds", Kind::Gauge, help, age);
    }
    let help = "Copies of requests for nodes that are about to be let in, by what became of them: answered in \
                time, or not.";
    let mut family = page.family("cofferdam_fleet_copies_total", Kind::Counter, help);
    for (outcome, count) in [
        ("answered", fleet.requests.copies_answered),
        ("unanswered", fleet.requests.copies_unanswered),
    ] {
        family.sample(&[("outcome", outcome)], count);
    }
    let help = "Requests answered without a node, as misses or not stored, by cause: no answer in time, \
                no node in reach or its queue full, or the ring has changed.";
    let name = "cofferdam_fleet_requests_failed_total";
    let mut family = page.family(name, Kind::Counter, help);
    for (cause, count) in [
        ("timed_out", fleet.requests.timed_out),
        ("unreachable", fleet.requests.refused),
        ("ring", fleet.requests.old_epochs),
    ] {
        family.sample(&[("cause", cause)], count);
    }
}

/// All states that a node can be in.
const STATES: [&str; 8] = [
    "quarantined",
    "shadow",
    "ramping",
    "serving",
    "suspect",
    "ejected",
    "probation",
    "drained",
];

fn write_judging(page: &mut Exposition, judging: &JudgingReport) {
    let help = "How surely a node is slow, from 1 to 100.";
    let mut family = page.family("cofferdam_node_score", Kind::Gauge, help);
    for node in &judging.nodes {
        family.sample(&[("node", &node.name)], f64::from(node.score));
    }
    let help = "1 for the state that a node is in.";
    let mut family = page.family("cofferdam_node_state", Kind::Gauge, help);
    for node in &judging.nodes {
        for state in STATES {
            let labels = [("node", node.name.as_str()), ("state", state)];
            family.sample(&labels, u64::from(node.state == state));
        }
    }
    if let Some(gate) = &judging.gate {
        let help = "Tests of new nodes, by what came of them.";
        let mut family = page.family("cofferdam_gate_tests_total", Kind::Counter, help);
        for (outcome, count) in [("admitted", gate.admitted), ("refused", gate.refused)] {
            family.sample(&[("outcome", outcome)], count);
        }
    }
    let help = "1 while most nodes are slow, more should go than may, or a gateway is slow itself.";
    let mut family = page.family("cofferdam_fleet_notice", Kind::Gauge, help);
    for kind in ["fleet_slow", "cap_holds", "gateway_slow"] {
        let is_so = judging.notices.iter().any(|notice| notice.kind == kind);
        family.sample(&[("notice", kind)], u64::from(is_so));
    }
}
