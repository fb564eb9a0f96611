//! Where incidents are drafted, published, updated and resolved, by themselves and by operators.
//!
//! The desk looks at the whole picture again and again, and makes its incidents agree with it. What
//! probes see is one incident at a time, however many components it spreads over. Trouble that only
//! the service's own events tell of is drafted too, and held unless it is bad and certain.

mod bar;
mod operators;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use base::Timestamp;
use base::event::EventKind;

use crate::affairs::Affairs;
use crate::cause::{self, Cause};
use crate::incident::{Impact, Incident, Origin, Phase, Update, Visibility};
use crate::level::Level;
use crate::words::{self, EXPLAINING, Seen};
pub use bar::Bar;

/// Incidents that are kept, the discarded ones included.
pub const INCIDENTS_MAX: usize = 300;
/// Trouble that comes back so soon is the same incident.
const REOPENED_WITHIN: Duration = Duration::from_secs(600);
/// From how many tenants on what happens to them is everybody's affair.
const TENANTS_MIN: usize = 3;
/// An event so shortly before an outage explains it.
const EXPLAINS_WITHIN: Duration = Duration::from_secs(30);
/// Slowness that lasts so long is certain.
const CERTAIN_AFTER: Duration = Duration::from_secs(300);

/// What fails in the same round of checks is told in one message.
const SETTLES_WITHIN: Duration = Duration::from_millis(1500);

/// Why an operator's wish is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskError {
    /// There is no such incident.
    Unknown,
    /// It is over, or discarded.
    Over,
}

/// All incidents, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    bar: Bar,
    incidents: VecDeque<Incident>,
    next_id: u64,
    changed: BTreeSet<u64>,
}

impl Desk {
    /// A desk with these incidents on it.
    pub fn new(bar: Bar, incidents: impl IntoIterator<Item = Incident>) -> Self {
        let mut incidents: Vec<Incident> = incidents.into_iter().collect();
        incidents.sort_by_key(|incident| incident.id);
        Self {
            bar,
            next_id: incidents.last().map_or(1, |last| last.id.saturating_add(1)),
            incidents: incidents.into(),
            changed: BTreeSet::new(),
        }
    }

    /// All incidents, the latest first.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().rev()
    }

    /// The incident of this number.
    pub fn get(&self, id: u64) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.id == id)
    }

    /// Incidents that have changed since the last call.
    pub fn take_changed(&mut self) -> Vec<Incident> {
        let changed = std::mem::take(&mut self.changed);
        let found = changed.into_iter().filter_map(|id| self.get(id));
        found.cloned().collect()
    }

    /// Makes the incidents agree with what is seen.
    pub fn reconcile(&mut self, now: Timestamp, seen: &[Seen<'_>], affairs: &Affairs) {
        let explained = explanation(seen, affairs);
        if seen.iter().any(|one| one.level.is_trouble()) {
            self.follow_probes(now, seen, explained);
        } else {
            self.follow_events(now, affairs);
        }
        self.calm_down(now, seen, affairs);
        self.publish_what_is_certain(now);
    }

    fn follow_probes(
        &mut self,
        now: Timestamp,
        seen: &[Seen<'_>],
        explained: Option<(EventKind, Cause)>,
    ) {
        let trouble = || seen.iter().filter(|one| one.level.is_trouble());
        let began = trouble().map(|one| one.onset).min().unwrap_or(now);
        let cause = explained.map(|(_, cause)| cause);
        let text = words::draft(seen, began, cause.as_ref());
        let impact = words::impact(seen);
        let phase = match explained {
            Some(_) => Phase::Identified,
            None => Phase::Investigating,
        };
        let found = self.of_probes(now);
        if found.is_some_and(|id| self.stays_discarded(now, id, impact)) {
            return;
        }
        let found = found.filter(|id| {
            let incident = self.get(*id);
            incident.is_some_and(|one| one.visibility != Visibility::Discarded)
        });
        let id = match found {
            Some(id) => id,
            None => {
                self.discard_superseded(now);
                self.draft(
                    now,
                    began,
                    words::title(seen).to_owned(),
                    Origin::Probes,
                    phase,
                    text.clone(),
                )
            }
        };
        let Some(incident) = self.incidents.iter_mut().find(|one| one.id == id) else {
            return;
        };
        let before = (incident.impact, incident.components.clone(), incident.phase);
        let is_worse = impact > incident.impact;
        let mut spreads = false;
        for key in trouble().map(|one| &one.component.key) {
            if !incident.components.contains(key) {
                incident.components.push(key.clone());
                spreads = true;
            }
        }
        let is_back = !matches!(incident.phase, Phase::Investigating | Phase::Identified);
        let is_new_cause = explained.is_some_and(|(kind, _)| add_cause(incident, kind));
        if is_worse {
            incident.impact = impact;
            words::title(seen).clone_into(&mut incident.title);
        }
        let phase = match incident.causes.is_empty() {
            true => Phase::Investigating,
            false => Phase::Identified,
        };
        if is_back {
            incident.tell(now, phase, format!("It is back. {text}"));
        } else if is_worse || spreads {
            match incident.updates.as_mut_slice() {
                [only] if now.since(only.at) < SETTLES_WITHIN && incident.published.is_none() => {
                    only.text = text;
                }
                _ => incident.tell(now, phase, text),
            }
        } else if let Some(cause) = cause.filter(|_| is_new_cause) {
            incident.tell(now, phase, words::identified(&cause));
        }
        let lasted = now.since(began);
        let confidence = confidence(seen, cause.is_some(), lasted);
        let is_surer = confidence > incident.confidence_percent;
        incident.confidence_percent = incident.confidence_percent.max(confidence);
        if is_surer || before != (incident.impact, incident.components.clone(), incident.phase) {
            self.changed.insert(id);
        }
    }

    /// The incident of what probes see: the one that is open, or the last one if that was open of
    /// late.
    fn of_probes(&self, now: Timestamp) -> Option<u64> {
        let mut candidates = self.incidents.iter().rev();
        let found = candidates.find(|incident| {
            let is_recent = incident
                .resolved
                .is_none_or(|at| now.since(at) <= REOPENED_WITHIN);
            let joins = match incident.origin {
                Origin::Probes => true,
                Origin::Events => incident.is_public() && incident.is_open(),
                Origin::Operator => false,
            };
            joins && is_recent
        });
        found.map(|incident| incident.id)
    }

    /// Whether an operator has discarded what goes on; it is not drafted again unless it gets worse.
    fn stays_discarded(&mut self, now: Timestamp, id: u64, impact: Impact) -> bool {
        let mut incidents = self.incidents.iter_mut();
        let found = incidents.find(|one| one.id == id && one.visibility == Visibility::Discarded);
        match found {
            Some(incident) if impact <= incident.impact => {
                incident.resolved = Some(now);
                true
            }
            _ => false,
        }
    }

    /// Drafts that only events told of, and that nobody has seen, give way to what probes see.
    fn discard_superseded(&mut self, now: Timestamp) {
        for incident in &mut self.incidents {
            let is_held = incident.visibility == Visibility::Held && incident.is_open();
            if is_held && incident.origin == Origin::Events {
                incident.visibility = Visibility::Discarded;
                incident.resolved = Some(now);
                self.changed.insert(incident.id);
            }
        }
    }

    /// Drafts an incident for each kind of affair that clients may notice and that has none.
    fn follow_events(&mut self, now: Timestamp, affairs: &Affairs) {
        for (kind, onset) in affairs.going_on(TENANTS_MIN) {
            let Some(cause) = cause::of(kind) else {
                continue;
            };
            let is_told = |incident: &Incident| {
                let of_kind = incident.causes.iter().any(|code| code == kind.code());
                let is_recent = incident
                    .resolved
                    .is_none_or(|at| now.since(at) <= REOPENED_WITHIN);
                of_kind && is_recent
            };
            if let Some(told) = self.incidents.iter_mut().find(|one| is_told(one)) {
                if told.visibility == Visibility::Discarded {
                    told.resolved = Some(now);
                }
                continue;
            }
            let text = words::draft_of_event(&cause, onset);
            let title = cause.title.to_owned();
            let id = self.draft(now, onset, title, Origin::Events, Phase::Identified, text);
            if let Some(incident) = self.incidents.iter_mut().find(|one| one.id == id) {
                incident.impact = cause.impact;
                incident.confidence_percent = cause.confidence_percent;
                incident.causes.push(kind.code().to_owned());
            }
        }
    }

    /// Moves what is over towards its end.
    fn calm_down(&mut self, now: Timestamp, seen: &[Seen<'_>], affairs: &Affairs) {
        let going_on = affairs.going_on(TENANTS_MIN);
        let is_well = |incident: &Incident| match incident.origin {
            Origin::Operator => false,
            Origin::Probes => incident.components.iter().all(|key| {
                let found = seen.iter().find(|one| one.component.key == *key);
                // What is watched no more keeps nothing open; what nobody knows, or what is worked
                // on, does.
                found.is_none_or(|one| one.level == Level::Operational)
            }),
            Origin::Events => !incident
                .causes
                .iter()
                .any(|code| going_on.iter().any(|(kind, _)| kind.code() == code)),
        };
        for incident in self.incidents.iter_mut().filter(|one| one.is_open()) {
            if !is_well(incident) {
                continue;
            }
            if incident.phase != Phase::Monitoring {
                incident.tell(now, Phase::Monitoring, words::monitoring(now));
                self.changed.insert(incident.id);
            } else if incident
                .recovered
                .is_some_and(|at| now.since(at) >= self.bar.calm)
            {
                let text = words::resolved(incident, now);
                incident.tell(now, Phase::Resolved, text);
                self.changed.insert(incident.id);
            }
        }
    }

    fn publish_what_is_certain(&mut self, now: Timestamp) {
        let bar = self.bar;
        for incident in &mut self.incidents {
            let needed = match incident.impact {
                Impact::Critical | Impact::Major => bar.major_percent,
                Impact::Minor => bar.minor_percent,
                Impact::None => continue,
            };
            let is_certain = bar.is_automatic && incident.confidence_percent >= needed;
            let is_held = incident.visibility == Visibility::Held && incident.is_open();
            let is_settled = now.since(incident.drafted) >= SETTLES_WITHIN;
            if is_certain && is_held && is_settled && incident.origin != Origin::Operator {
                incident.visibility = Visibility::Published;
                incident.published = Some(now);
                self.changed.insert(incident.id);
            }
        }
    }

    fn draft(
        &mut self,
        now: Timestamp,
        began: Timestamp,
        title: String,
        origin: Origin,
        phase: Phase,
        text: String,
    ) -> u64 {
        let id = self.next_id.max(1);
        self.next_id = id.saturating_add(1);
        if self.incidents.len() >= INCIDENTS_MAX {
            let oldest = self.incidents.iter().position(|one| !one.is_open());
            self.incidents.remove(oldest.unwrap_or(0));
        }
        self.incidents.push_back(Incident {
            id,
            title,
            origin,
            impact: Impact::None,
            confidence_percent: 0,
            phase,
            visibility: Visibility::Held,
            components: Vec::new(),
            causes: Vec::new(),
            began,
            drafted: now,
            published: None,
            recovered: None,
            resolved: None,
            updates: vec![Update {
                at: now,
                phase,
                text,
            }],
        });
        self.changed.insert(id);
        id
    }
}

/// Whether the incident has not had this cause yet.
fn add_cause(incident: &mut Incident, kind: EventKind) -> bool {
    let code = kind.code();
    if incident.causes.iter().any(|known| known == code) {
        return false;
    }
    incident.causes.push(code.to_owned());
    true
}

/// How sure it is that clients notice what probes see.
fn confidence(seen: &[Seen<'_>], is_explained: bool, lasted: Duration) -> u8 {
    let troubled = seen.iter().filter(|one| one.level.is_trouble()).count();
    let alone: u8 = match words::impact(seen) {
        Impact::Critical | Impact::Major => 85,
        _ => 70,
    };
    let more = if troubled > 1 { 5 } else { 0 } + if is_explained { 10 } else { 0 };
    let longer = if lasted >= CERTAIN_AFTER { 20 } else { 0 };
    (alone + more + longer).min(99)
}

/// What the service says of itself that explains what probes see.
fn explanation(seen: &[Seen<'_>], affairs: &Affairs) -> Option<(EventKind, Cause)> {
    let trouble = seen.iter().filter(|one| one.level.is_trouble());
    let began = trouble.map(|one| one.onset).min()?;
    let earliest = began - EXPLAINS_WITHIN;
    let going_on = affairs.going_on(TENANTS_MIN);
    EXPLAINING.into_iter().find_map(|kind| {
        let goes_on = going_on.iter().any(|(one, _)| *one == kind);
        let explains = goes_on || affairs.told_since(kind, earliest);
        explains.then_some(kind).zip(cause::of(kind))
    })
}

#[cfg(test)]
#[path = "desk_test.rs"]
mod tests;
