//! Places at the door, or for handshakes, that have run out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::TenantId;
use base::event::{EventKind, Figure, Unit};

use super::window::Window;
use super::{Observation, rate, told};
use crate::observe::signal::Signal;
use crate::plane::Totals;

const SPAN: Duration = Duration::from_secs(1);

/// What was turned away, in all and by claimed tenant.
#[derive(Debug)]
pub(super) struct DoorWatch {
    totals: Window<Totals>,
    shed: HashMap<TenantId, u64>,
}

/// The last second at the door.
struct LastSecond {
    /// Those who had to leave the door, and what for.
    shed: u64,
    why: Why,
    time: Duration,
    /// The tenant that most of them claimed, and how many they were.
    fattest: Option<(Arc<str>, u64)>,
}

/// What most of those who had to leave had to leave for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Source,
    Full,
    Memory,
    Handshakes,
}

impl Default for DoorWatch {
    fn default() -> Self {
        Self {
            totals: Window::new(SPAN),
            shed: HashMap::new(),
        }
    }
}

impl DoorWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        self.totals.push(seen.now, seen.reading.totals);
        let second = self.last_second(seen);
        if second.shed > 0 {
            signals.push(door_full(seen, &second));
        }
    }

    fn last_second(&mut self, seen: &Observation<'_>) -> LastSecond {
        let growth = |counter: fn(&Totals) -> u64| self.totals.last_growth(counter);
        let (_, time) = growth(|totals| totals.refused);
        let reasons = [
            (growth(|totals| totals.door.shed_for_source).0, Why::Source),
            (growth(|totals| totals.door.shed_when_full).0, Why::Full),
            (growth(|totals| totals.door.shed_for_memory).0, Why::Memory),
            (
                growth(|totals| totals.door.shed_handshakes).0,
                Why::Handshakes,
            ),
        ];
        let shed = reasons.iter().map(|(count, _)| *count).sum();
        let most = reasons.into_iter().max_by_key(|(count, _)| *count);
        LastSecond {
            shed,
            why: most.map_or(Why::Full, |(_, why)| why),
            time,
            fattest: self.most_shed(seen),
        }
    }

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

fn door_full(seen: &Observation<'_>, second: &LastSecond) -> Signal {
    let totals = seen.reading.totals;
    let claimed = match &second.fattest {
        Some((name, count)) => format!(", {} of them claimed tenant {name}", told(*count as f64)),
        None => String::new(),
    };
    let source = totals
        .door
        .shed_last
        .map(|ip| format!(", the last of them from {ip}"));
    let sentence = format!(
        "{}: {} had to leave in the last second{claimed}{}.",
        second.why.in_words(),
        told(second.shed as f64),
        source.unwrap_or_default()
    );
    let ended = "Nobody has to leave the door any more";
    Signal::lasting(EventKind::DoorFull, seen.now, sentence, ended)
        .cause(second.why.cause())
        .tenant(second.fattest.as_ref().map(|(name, _)| name))
        .advice(second.why.advice())
        .evidence([
            Figure::new("shed", rate(second.shed, second.time), Unit::PerSecond),
            Figure::new("at_door", totals.at_door as f64, Unit::Count),
            Figure::new("door_memory", totals.door.memory_bytes as f64, Unit::Bytes),
        ])
}

impl Why {
    fn cause(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Full => "full",
            Self::Memory => "memory",
            Self::Handshakes => "handshakes",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Source => {
                "One source has more connections that have not authenticated than it may"
            }
            Self::Full => "More connections wait to authenticate than there are places at the door",
            Self::Memory => {
                "Connections that have not authenticated have sent more than there is memory for"
            }
            Self::Handshakes => {
                "More connections shake hands for TLS than there are places for that"
            }
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Source => {
                "A client that connects and does not authenticate, or an attack from one place: look \
                 at that source; one whose connections authenticate has no such limit."
            }
            Self::Full | Self::Memory => {
                "Connections that do not authenticate at once are a reconnect storm or an attack: \
                 look at the tenant's clients, or at the sources in the kernel's list (`ss -tn`)."
            }
            Self::Handshakes => {
                "Handshakes cost a hundred times what a request does: have clients keep their \
                 connections and resume sessions, and look at the sources in the kernel's list (`ss \
                 -tn`)."
            }
        }
    }
}

#[cfg(test)]
#[path = "door_test.rs"]
mod tests;
