//! Everything that the pages are made of, kept up to date from probes, events and the time.
//!
//! Call order: [`Board::new`] with what was kept, then [`Board::handle_probe`] and
//! [`Board::handle_event`] as they come, and [`Board::handle_timeout`] about once a second; after
//! each, [`Board::poll_change`] until there is none says what to keep.

use std::collections::{BTreeMap, VecDeque};

use base::Timestamp;

use crate::affairs::{Affairs, ServiceEvent};
use crate::component::{Component, Failed, Outcome};
use crate::desk::{Bar, Desk, DeskError};
use crate::history::{Day, History, Minute};
use crate::incident::{Impact, Incident, Phase};
use crate::judge::{Judge, Standard};
use crate::level::Level;
use crate::maintenance::{Maintenance, Stage, WINDOWS_MAX};
use crate::words::Seen;

/// What is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An incident is new, or another.
    Incident(Incident),
    /// A window of maintenance is new.
    Maintenance(Maintenance),
    /// A window of maintenance was called off.
    CalledOff(u64),
    /// A component's day has grown.
    Day {
        /// The component's key.
        key: String,
        /// The day's number since the epoch.
        day: u64,
        /// The day.
        counts: Day,
    },
    /// A component's minute is over.
    Minute {
        /// The component's key.
        key: String,
        /// The minute.
        minute: Minute,
    },
}

/// What was kept.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// All incidents.
    pub incidents: Vec<Incident>,
    /// All windows of maintenance.
    pub maintenances: Vec<Maintenance>,
    /// Days by component.
    pub days: BTreeMap<String, Vec<(u64, Day)>>,
    /// Minutes by component.
    pub minutes: BTreeMap<String, Vec<Minute>>,
}

/// What a board is made for.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What is asked of answers.
    pub standard: Standard,
    /// When drafts are published.
    pub bar: Bar,
}

/// One component with its past.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which.
    pub component: Component,
    /// Its past.
    pub history: History,
    judge: Judge,
    failed: Option<Failed>,
    /// Days that have grown, to be kept from time to time.
    grown: BTreeMap<u64, Day>,
}

impl Watched {
    fn level(&self, now: Timestamp, maintenances: &[Maintenance]) -> Level {
        let key = &self.component.key;
        match maintenances.iter().any(|one| one.covers(now, key)) {
            true => Level::Maintenance,
            false => self.judge.level(),
        }
    }

    fn seen(&self, now: Timestamp, maintenances: &[Maintenance]) -> Seen<'_> {
        Seen {
            component: &self.component,
            level: self.level(now, maintenances),
            onset: self.judge.onset(),
            failures: self.judge.failures(),
            failed: self.failed,
        }
    }
}

/// How often days are kept; what a crash may cost of a day.
const KEEP_DAYS_EVERY: std::time::Duration = std::time::Duration::from_secs(30);

/// All of it.
#[derive(Clone, Debug)]
pub struct Board {
    watched: Vec<Watched>,
    affairs: Affairs,
    desk: Desk,
    maintenances: Vec<Maintenance>,
    changes: VecDeque<Change>,
    days_kept: Timestamp,
}

impl Board {
    /// A board over these components, of which nothing is known yet but their past.
    pub fn new(rules: &Rules, components: Vec<Component>, mut kept: Kept, now: Timestamp) -> Self {
        let watched = components.into_iter().map(|component| {
            let days = kept.days.remove(&component.key).unwrap_or_default();
            let minutes = kept.minutes.remove(&component.key).unwrap_or_default();
            Watched {
                judge: Judge::new(rules.standard, now),
                history: History::restored(days, minutes),
                component,
                failed: None,
                grown: BTreeMap::new(),
            }
        });
        Self {
            watched: watched.collect(),
            affairs: Affairs::default(),
            desk: Desk::new(rules.bar, kept.incidents),
            maintenances: kept.maintenances,
            changes: VecDeque::new(),
            days_kept: now,
        }
    }

    /// Takes in what came of a probe of the component at `index` that began at `began`.
    pub fn handle_probe(
        &mut self,
        index: usize,
        began: Timestamp,
        now: Timestamp,
        outcome: Outcome,
    ) {
        let Some(watched) = self.watched.get_mut(index) else {
            return;
        };
        let took = outcome.ok();
        watched.failed = outcome.err().or(watched.failed);
        let before = watched.judge.level();
        watched.judge.observe(began, now, took);
        if before.is_trouble() && !watched.judge.level().is_trouble() {
            watched.failed = None;
        }
        if let Some(minute) = watched.history.probed(now, took) {
            self.changes.push_back(Change::Minute {
                key: watched.component.key.clone(),
                minute,
            });
        }
        self.reconcile(now);
    }

    /// Takes in what the service says of itself.
    pub fn handle_event(&mut self, now: Timestamp, event: &ServiceEvent) {
        self.affairs.handle_event(event);
        self.reconcile(now);
    }

    /// Notices what the passing of time alone does.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.affairs.handle_timeout(now);
        for index in 0..self.watched.len() {
            let level = self.level(now, index);
            if let Some(watched) = self.watched.get_mut(index) {
                watched.judge.handle_timeout(now);
                watched.grown.extend(watched.history.account(now, level));
            }
        }
        self.reconcile(now);
        if now.since(self.days_kept) >= KEEP_DAYS_EVERY {
            self.days_kept = now;
            self.keep_days();
        }
    }

    /// Has all that has grown kept, as before an end.
    pub fn keep_days(&mut self) {
        for watched in &mut self.watched {
            for (day, counts) in std::mem::take(&mut watched.grown) {
                self.changes.push_back(Change::Day {
                    key: watched.component.key.clone(),
                    day,
                    counts,
                });
            }
        }
    }

    /// The next thing to keep.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn reconcile(&mut self, now: Timestamp) {
        let seen: Vec<Seen<'_>> = self
            .watched
            .iter()
            .map(|watched| watched.seen(now, &self.maintenances))
            .collect();
        self.desk.reconcile(now, &seen, &self.affairs);
        self.collect();
    }

    /// How the component at `index` is, maintenance counted.
    pub fn level(&self, now: Timestamp, index: usize) -> Level {
        let watched = self.watched.get(index);
        watched.map_or(Level::NoData, |one| one.level(now, &self.maintenances))
    }

    /// The components with their past.
    pub fn watched(&self) -> &[Watched] {
        &self.watched
    }

    /// Incidents, the latest first.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.desk.incidents()
    }

    /// The incident of this number.
    pub fn incident(&self, id: u64) -> Option<&Incident> {
        self.desk.get(id)
    }

    /// Windows of maintenance, in the order of their announcement.
    pub fn maintenances(&self) -> &[Maintenance] {
        &self.maintenances
    }

    /// What the service said of itself.
    pub fn affairs(&self) -> &Affairs {
        &self.affairs
    }
}

/// What operators do; see [`Desk`].
impl Board {
    /// Publishes a draft.
    pub fn publish(&mut self, now: Timestamp, id: u64) -> Result<(), DeskError> {
        self.desk.publish(now, id)?;
        self.collect();
        Ok(())
    }

    /// Takes an incident away from everybody's eyes.
    pub fn discard(&mut self, now: Timestamp, id: u64) -> Result<(), DeskError> {
        self.desk.discard(now, id)?;
        self.collect();
        Ok(())
    }

    /// Adds an update in an operator's own words.
    pub fn update(
        &mut self,
        now: Timestamp,
        id: u64,
        phase: Phase,
        text: String,
    ) -> Result<(), DeskError> {
        self.desk.update(now, id, phase, text)?;
        self.collect();
        Ok(())
    }

    /// Publishes an incident of an operator's own.
    pub fn write(
        &mut self,
        now: Timestamp,
        title: String,
        impact: Impact,
        components: Vec<String>,
        text: String,
    ) -> u64 {
        let id = self.desk.write(now, title, impact, components, text);
        self.collect();
        id
    }

    /// Announces maintenance from `begins` to `ends`; it has no components for all of them.
    pub fn announce(&mut self, mut maintenance: Maintenance) -> u64 {
        let last = self.maintenances.iter().map(|one| one.id).max();
        maintenance.id = last.unwrap_or(0).saturating_add(1);
        if self.maintenances.len() >= WINDOWS_MAX {
            self.maintenances.remove(0);
        }
        let id = maintenance.id;
        self.changes
            .push_back(Change::Maintenance(maintenance.clone()));
        self.maintenances.push(maintenance);
        id
    }

    /// Calls maintenance off, or ends it early.
    pub fn call_off(&mut self, now: Timestamp, id: u64) -> Result<(), DeskError> {
        let found = self.maintenances.iter().position(|one| one.id == id);
        let index = found.ok_or(DeskError::Unknown)?;
        let Some(window) = self.maintenances.get_mut(index) else {
            return Err(DeskError::Unknown);
        };
        match window.stage(now) {
            Stage::Scheduled => {
                self.maintenances.remove(index);
                self.changes.push_back(Change::CalledOff(id));
            }
            Stage::InProgress => {
                window.ends = now;
                let ended = window.clone();
                self.changes.push_back(Change::Maintenance(ended));
            }
            Stage::Completed => return Err(DeskError::Over),
        }
        Ok(())
    }

    fn collect(&mut self) {
        let changed = self.desk.take_changed();
        self.changes
            .extend(changed.into_iter().map(Change::Incident));
    }
}

#[cfg(test)]
#[path = "board_test.rs"]
mod tests;
