//! What the service says of itself: which of its events go on, and which of them concern a tenant.
//!
//! Everything in here is private: it holds names. What the public may know of a kind of event is in
//! [`crate::cause`], and a tenant is told of his own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use base::Timestamp;
use base::event::{EventKind, EventState};

/// An affair that goes on is told of every hour; one that is not any more has ended unseen.
const SILENT_MAX: Duration = Duration::from_secs(70 * 60);
/// Affairs of one tenant that are remembered.
const OWN_MAX: usize = 50;
/// Tenants of whom affairs are remembered.
const TENANTS_MAX: usize = 10_000;

/// An event as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// When it was written.
    pub at: Timestamp,
    /// When what it tells of began.
    pub onset: Timestamp,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// What brought it about; of the same kind, cause and tenant is the same affair.
    pub cause: String,
    /// Where in the affair's life it stands.
    pub state: EventState,
    /// Whom it concerns, if it concerns one tenant.
    pub tenant: Option<String>,
}

/// Something that happened to a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnAffair {
    /// What kind of thing it is.
    pub kind: EventKind,
    /// When it began.
    pub onset: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Affair {
    kind: EventKind,
    cause: String,
    tenant: Option<String>,
}

/// All affairs that are known.
#[derive(Clone, Debug, Default)]
pub struct Affairs {
    /// What goes on: since when, and when it was last told of.
    active: BTreeMap<Affair, (Timestamp, Timestamp)>,
    /// The last time that something of a kind was told of.
    latest: BTreeMap<EventKind, Timestamp>,
    of_tenants: BTreeMap<String, VecDeque<OwnAffair>>,
}

impl Affairs {
    /// Takes in an event; they come in the order in which they were written.
    pub fn handle_event(&mut self, event: &ServiceEvent) {
        self.latest.insert(event.kind, event.at);
        if event.kind == EventKind::Started {
            // What the process before it told of is over.
            self.active.clear();
            self.end_all(event.at);
        }
        let affair = Affair {
            kind: event.kind,
            cause: event.cause.clone(),
            tenant: event.tenant.clone(),
        };
        match event.state {
            EventState::Began | EventState::Ongoing => {
                self.active.insert(affair, (event.onset, event.at));
            }
            EventState::Ended => drop(self.active.remove(&affair)),
            EventState::Happened => {}
        }
        if let Some(tenant) = &event.tenant {
            self.tell_tenant(tenant, event);
        }
    }

    /// Forgets what must have ended unseen.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.active
            .retain(|_, (_, told)| now.since(*told) <= SILENT_MAX);
    }

    /// Kinds of affairs that go on, and since when; those that concern single tenants only if they
    /// concern at least `tenants_min` of them at once.
    pub fn going_on(&self, tenants_min: usize) -> Vec<(EventKind, Timestamp)> {
        let mut kinds: BTreeMap<EventKind, (Timestamp, BTreeSet<&str>, bool)> = BTreeMap::new();
        for (affair, (onset, _)) in &self.active {
            let entry = kinds
                .entry(affair.kind)
                .or_insert_with(|| (*onset, BTreeSet::new(), false));
            entry.0 = entry.0.min(*onset);
            match &affair.tenant {
                Some(tenant) => drop(entry.1.insert(tenant)),
                None => entry.2 = true,
            }
        }
        let counted = kinds.into_iter();
        counted
            .filter(|(_, (_, tenants, of_all))| *of_all || tenants.len() >= tenants_min)
            .map(|(kind, (onset, ..))| (kind, onset))
            .collect()
    }

    /// Whether something of this kind was told of since `earlier`.
    pub fn told_since(&self, kind: EventKind, earlier: Timestamp) -> bool {
        self.latest.get(&kind).is_some_and(|at| *at >= earlier)
    }

    /// What happened to a tenant, the latest first.
    pub fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = &OwnAffair> {
        let own = self.of_tenants.get(tenant);
        own.into_iter().flat_map(|own| own.iter().rev())
    }

    /// Names that no public text may hold.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.of_tenants.keys().map(String::as_str)
    }

    fn tell_tenant(&mut self, tenant: &str, event: &ServiceEvent) {
        if !self.of_tenants.contains_key(tenant) && self.of_tenants.len() >= TENANTS_MAX {
            return;
        }
        let own = self.of_tenants.entry(tenant.to_owned()).or_default();
        let ended = matches!(event.state, EventState::Ended | EventState::Happened);
        let known = own
            .iter_mut()
            .rfind(|own| own.kind == event.kind && own.ended.is_none());
        match known {
            Some(affair) => affair.ended = ended.then_some(event.at),
            None => {
                if own.len() >= OWN_MAX {
                    own.pop_front();
                }
                own.push_back(OwnAffair {
                    kind: event.kind,
                    onset: event.onset,
                    ended: ended.then_some(event.at),
                });
            }
        }
    }

    fn end_all(&mut self, now: Timestamp) {
        let all = self.of_tenants.values_mut().flatten();
        all.filter(|affair| affair.ended.is_none())
            .for_each(|affair| affair.ended = Some(now));
    }
}

#[cfg(test)]
#[path = "affairs_test.rs"]
mod tests;
