//! A fleet's second: how each node fares, and what becomes of requests to them.

use super::figures::Figures;
use crate::observe::nodes::{Heat, node_series};
use crate::observe::reading::{FleetReading, Reading};

/// Nodes with lines of their own; two lines each.
pub(crate) const NODES_MAX: usize = 100;

/// What requests to nodes come to, by name.
type Count = fn(&FleetReading) -> u64;
const COUNTS: [(&str, Count); 5] = [
    ("fleet/answered", |fleet| fleet.requests.answered),
    ("fleet/late", |fleet| fleet.requests.late),
    ("fleet/timed_out", |fleet| fleet.requests.timed_out),
    ("fleet/unreachable", |fleet| fleet.requests.refused),
    ("fleet/ring_changed", |fleet| fleet.requests.old_epochs),
];

pub(super) fn add(figures: &mut Figures, before: Option<&Reading>, now: &Reading) {
    let Some(fleet) = &now.fleet else { return };
    let before = before.and_then(|reading| reading.fleet.as_ref());
    for (name, count) in COUNTS {
        figures.rate(name, before.map(count), Some(count(fleet)));
    }
    figures.gauge("fleet/moving", Some(fleet.moving as f64));
    for node in fleet.each.iter().take(NODES_MAX) {
        let heat = f64::from(Heat::of(node).number());
        figures.gauge(node_series(&node.name, "heat"), Some(heat));
        let score = node.case.as_ref().map(|case| f64::from(case.score));
        figures.gauge(node_series(&node.name, "score"), score);
    }
}

#[cfg(test)]
#[path = "nodes_test.rs"]
mod tests;
