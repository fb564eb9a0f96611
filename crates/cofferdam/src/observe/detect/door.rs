//! Places that have run out: at the door, and for connections in all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::TenantId;
use base::event::{EventKind, Figure, Unit};

use super::window::Window;
use super::{Observation, rate, told};
use crate::observe::signal::Signal;

const SPAN: Duration = Duration::from_secs(1);

/// What was turned away, in all and by claimed tenant.
#[derive(Debug)]
pub(super) struct DoorWatch {
    refused: Window<u64>,
    shed: HashMap<TenantId, u64>,
}

impl Default for DoorWatch {
    fn default() -> Self {
        Self {
            refused: Window::new(SPAN),
            shed: HashMap::new(),
        }
    }
}

impl DoorWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        let totals = seen.reading.totals;
        self.refused.push(seen.now, totals.refused);
        let fattest = self.most_shed(seen);
        let (refused, time) = self.refused.last_growth(|refused| *refused);
        if refused == 0 {
            return;
        }
        let full = totals.connections >= totals.connections_max;
        let evidence = [
            Figure::new("turned_away", rate(refused, time), Unit::PerSecond),
            Figure::new("at_door", totals.at_door as f64, Unit::Count),
            Figure::new("connections", totals.connections as f64, Unit::Count),
            Figure::new(
                "connections_max",
                totals.connections_max as f64,
                Unit::Count,
            ),
        ];
        let signal = match full {
            true => connections_full(seen, refused),
            false => door_full(seen, refused, fattest.as_ref()),
        };
        signals.push(signal.evidence(evidence));
    }

    /// The tenant that most of those who had to leave claimed, and how many they were.
    fn most_shed(&mut self, seen: &Observation<'_>) -> Option<(Arc<str>, u64)> {
        let mut most: Option<(Arc<str>, u64)> = None;
        let mut now = HashMap::new();
        for tenant in &seen.reading.tenants {
            let shed = tenant.clients.shed;
            let before = self.shed.get(&tenant.id).copied().unwrap_or(shed);
            let grown = shed.saturating_sub(before);
            if grown > most.as_ref().map_or(0, |(_, grown)| *grown) {
                most = Some((Arc::clone(&tenant.name), grown));
            }
            now.insert(tenant.id, shed);
        }
        self.shed = now;
        most
    }
}

fn connections_full(seen: &Observation<'_>, refused: u64) -> Signal {
    let max = seen.reading.totals.connections_max;
    let sentence = format!(
        "All {} connections that this server may have are open, and {} more were turned away.",
        told(max as f64),
        told(refused as f64)
    );
    Signal::lasting(
        EventKind::ConnectionsFull,
        seen.now,
        sentence,
        "There is room for connections again",
    )
    .advice(
        "Limit the tenant that has most of them (`cofferdam stat`, `cofferdam tenant limit \
         --connections`), or raise --max-connections and the limit on open files.",
    )
}

fn door_full(seen: &Observation<'_>, refused: u64, fattest: Option<&(Arc<str>, u64)>) -> Signal {
    let at_door = seen.reading.totals.at_door;
    let most = match fattest {
        Some((name, count)) => format!(", {} of which claimed tenant {name}", told(*count as f64)),
        None => ", none of which had said who it was".to_owned(),
    };
    let sentence = format!(
        "Connections wait to authenticate faster than they may ({} stand at the door): {} had to \
         leave{most}.",
        told(at_door as f64),
        told(refused as f64)
    );
    Signal::lasting(
        EventKind::DoorFull,
        seen.now,
        sentence,
        "Nobody has to leave the door any more",
    )
    .tenant(fattest.map(|(name, _)| name))
    .advice(
        "Connections that do not authenticate at once are a reconnect storm or an attack: look at \
         the tenant's clients, or at the sources in the kernel's list (`ss -tn`).",
    )
}

#[cfg(test)]
#[path = "door_test.rs"]
mod tests;
