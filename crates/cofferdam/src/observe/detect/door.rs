//! Places at the door, or for handshakes, that have run out, for all or for one source.

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
        let growth = |counter: fn(&Totals) -> u64| self.totals.last_growth(counter);
        let (of_source, time) = growth(|totals| totals.door.shed_for_source);
        let reasons = [
            (growth(|totals| totals.door.shed_when_full).0, Why::Full),
            (growth(|totals| totals.door.shed_for_memory).0, Why::Memory),
            (
                growth(|totals| totals.door.shed_handshakes).0,
                Why::Handshakes,
            ),
        ];
        let shed = reasons.iter().map(|(count, _)| *count).sum();
        let most = reasons.into_iter().max_by_key(|(count, _)| *count);
        let why = most.map_or(Why::Full, |(_, why)| why);
        let mut fattest = self.most_shed(seen);
        // The one of these two that there is more of has the claims.
        for (count, why) in [(shed, why), (of_source, Why::Source)] {
            if count > 0 {
                let is_most = count >= shed.max(of_source);
                let fattest = if is_most { fattest.take() } else { None };
                let second = LastSecond {
                    shed: count,
                    why,
                    time,
                    fattest,
                };
                signals.push(shed_signal(seen, &second));
            }
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

fn shed_signal(seen: &Observation<'_>, second: &LastSecond) -> Signal {
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
    let (kind, ended) = match second.why {
        Why::Source => (
            EventKind::SourceLimited,
            "No source has more connections at the door than it may any more",
        ),
        _ => (EventKind::DoorFull, "Nobody has to leave the door any more"),
    };
    Signal::lasting(kind, seen.now, sentence, ended)
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
                "A source has more connections that have not authenticated than one may, and its \
                 oldest are closed"
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
