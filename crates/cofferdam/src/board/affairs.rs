//! What goes on now, from the journal: is it well, and if not, what is wrong and with whom.

use std::collections::BTreeMap;

use super::format;
use crate::observe::event_view::{EventView, FigureView};

/// How bad a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Nothing is wrong.
    Well,
    /// A tenant is held to its own limits; nobody else feels it.
    Limited,
    /// The service itself has too little of something.
    Trouble,
}

impl Severity {
    /// The class of its colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Limited => "limited",
            Self::Trouble => "trouble",
        }
    }

    /// Of a kind of event.
    pub(crate) fn of(kind: &str) -> Self {
        match kind {
            "started" | "stopping" => Self::Well,
            "tenant_throttled"
            | "tenant_refused"
            | "tenant_connections_refused"
            | "clients_reconnecting"
            | "logins_failing"
            | "hit_ratio_low"
            | "memory_nearly_full"
            | "memory_cut" => Self::Limited,
            // Of what a later release tells the worst is assumed.
            _ => Self::Trouble,
        }
    }
}

impl EventView {
    /// The class of its colour.
    pub(crate) fn severity(&self) -> &'static str {
        Severity::of(&self.event).class()
    }
}

impl FigureView {
    /// Its value and unit for people.
    pub(crate) fn shown(&self) -> String {
        let value = self.value as f32;
        match self.unit.as_str() {
            "bytes" => format::bytes(value),
            "bytes_per_second" => format!("{}/s", format::bytes(value)),
            "per_second" => format!("{}/s", format::count(value)),
            "percent" => format::percent(value / 100.0),
            "ms" => format::time(value / 1000.0),
            "s" => format::time(value),
            _ => format::count(value),
        }
    }
}

/// A condition that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Affair {
    /// What was told of it last.
    pub(crate) event: EventView,
    pub(crate) severity: Severity,
}

/// The conditions that the events, the oldest first, leave open; the worst first, then the newest.
pub(crate) fn under_way(events: &[EventView]) -> Vec<Affair> {
    let mut open: BTreeMap<(&str, &str, Option<&str>), &EventView> = BTreeMap::new();
    for event in events {
        let key = (
            event.event.as_str(),
            event.cause.as_str(),
            event.tenant.as_deref(),
        );
        match event.state.as_str() {
            "began" | "ongoing" => drop(open.insert(key, event)),
            "ended" => drop(open.remove(&key)),
            // With its process every condition ends.
            _ if event.event == "started" => open.clear(),
            _ => {}
        }
    }
    let mut affairs: Vec<Affair> = open
        .into_values()
        .map(|event| Affair {
            event: event.clone(),
            severity: Severity::of(&event.event),
        })
        .collect();
    affairs.sort_by(|a, b| {
        let worse = b.severity.cmp(&a.severity);
        worse.then_with(|| b.event.onset.cmp(&a.event.onset))
    });
    affairs
}

/// The answer to the first question, in a few words, and the class of its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) severity: Severity,
    pub(crate) text: String,
}

impl Verdict {
    /// From what goes on.
    pub(crate) fn of(affairs: &[Affair]) -> Self {
        let worst = affairs.iter().map(|affair| affair.severity).max();
        let count = |severity| affairs.iter().filter(|a| a.severity == severity).count();
        let mut tenants: Vec<&str> = affairs
            .iter()
            .filter_map(|affair| affair.event.tenant.as_deref())
            .collect();
        tenants.sort_unstable();
        tenants.dedup();
        let text = match (worst, tenants.as_slice()) {
            (None | Some(Severity::Well), _) => "All is well.".to_owned(),
            (Some(Severity::Limited), [one]) => {
                format!("The service is well; tenant {one} is held to its limits.")
            }
            (Some(Severity::Limited), many) => {
                format!(
                    "The service is well; {} tenants are held to their limits.",
                    many.len()
                )
            }
            (Some(Severity::Trouble), _) => match count(Severity::Trouble) {
                1 => "Something is wrong.".to_owned(),
                many => format!("{many} things are wrong."),
            },
        };
        Self {
            severity: worst.unwrap_or(Severity::Well),
            text,
        }
    }
}

#[cfg(test)]
#[path = "affairs_test.rs"]
mod tests;
