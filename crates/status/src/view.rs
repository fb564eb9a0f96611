//! The board as readers see it at one moment, before it is put into words of HTML, JSON or XML.

use base::Timestamp;

use crate::board::{Board, Watched};
use crate::component::Component;
use crate::history::{Day, uptime_ppm};
use crate::incident::Incident;
use crate::level::Level;
use crate::maintenance::{Maintenance, Stage};

/// Whose page it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The title.
    pub name: String,
    /// The address under which readers reach it, without a slash at its end; empty if unknown.
    pub url: String,
    /// When the page began to be kept.
    pub since: Timestamp,
}

/// One component at this moment.
#[derive(Clone, Debug)]
pub struct ComponentView<'a> {
    /// Which, with its past.
    pub watched: &'a Watched,
    /// How it is.
    pub level: Level,
    /// The days shown, oldest first.
    pub days: Vec<(u64, Day)>,
}

impl ComponentView<'_> {
    /// Which.
    pub fn component(&self) -> &Component {
        &self.watched.component
    }

    /// The share of the days shown in which it worked, in millionths.
    pub fn uptime_ppm(&self) -> Option<u32> {
        uptime_ppm(self.days.iter().map(|(_, day)| day))
    }

    /// What each of the days is shown as.
    pub fn levels(&self) -> Vec<Level> {
        let last = self.days.len().saturating_sub(1);
        let days = self.days.iter().enumerate();
        days.map(|(at, (_, day))| day.level(at < last)).collect()
    }
}

/// Components of one gateway.
#[derive(Clone, Debug)]
pub struct GroupView<'a> {
    /// Its key.
    pub key: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// How it is.
    pub level: Level,
    /// Its components.
    pub components: Vec<ComponentView<'a>>,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Whose.
    pub site: &'a Site,
    /// When.
    pub now: Timestamp,
    /// How it all is.
    pub level: Level,
    /// Gateways, in the order of the configuration.
    pub groups: Vec<GroupView<'a>>,
    /// Published incidents, the latest first.
    pub incidents: Vec<&'a Incident>,
    /// Windows of maintenance, the latest first.
    pub maintenances: Vec<&'a Maintenance>,
}

impl<'a> View<'a> {
    /// What `board` shows `now`.
    pub fn of(board: &'a Board, site: &'a Site, now: Timestamp) -> Self {
        let mut groups: Vec<GroupView<'a>> = Vec::new();
        for (index, watched) in board.watched().iter().enumerate() {
            let component = ComponentView {
                watched,
                level: board.level(now, index),
                days: watched.history.shown(now).collect(),
            };
            let key = watched.component.group_key();
            match groups.iter_mut().find(|group| group.key == key) {
                Some(group) => group.components.push(component),
                None => groups.push(GroupView {
                    key,
                    name: &watched.component.group,
                    level: Level::NoData,
                    components: vec![component],
                }),
            }
        }
        for group in &mut groups {
            group.level = Level::of_group(group.components.iter().map(|one| one.level));
        }
        let all = groups.iter().flat_map(|group| &group.components);
        let level = Level::of_group(all.map(|one| one.level));
        let mut maintenances: Vec<&Maintenance> = board.maintenances().iter().collect();
        maintenances.sort_by_key(|one| std::cmp::Reverse(one.begins));
        Self {
            site,
            now,
            level,
            groups,
            incidents: board.incidents().filter(|one| one.is_public()).collect(),
            maintenances,
        }
    }

    /// How it all is, in a line.
    pub fn headline(&self) -> &'static str {
        let some_grey = self.components().any(|one| one.level == Level::NoData);
        let all_grey = self.components().all(|one| one.level == Level::NoData);
        match self.level {
            _ if all_grey => "No current data",
            Level::Operational => "All systems operational",
            Level::Maintenance => "Maintenance in progress",
            Level::NoData => "Not all of the service is observed",
            Level::Degraded if some_grey => "Answers are slow, and not all is observed",
            Level::Degraded => "Answers are slow",
            Level::Partial => "Partial outage",
            Level::Major => "Major outage",
        }
    }

    /// The word of Statuspage's API for it.
    pub fn indicator(&self) -> &'static str {
        match self.level {
            Level::Operational => "none",
            Level::Maintenance => "maintenance",
            Level::NoData | Level::Degraded => "minor",
            Level::Partial => "major",
            Level::Major => "critical",
        }
    }

    /// All components.
    pub fn components(&self) -> impl Iterator<Item = &ComponentView<'a>> {
        self.groups.iter().flat_map(|group| &group.components)
    }

    /// Incidents that go on.
    pub fn open_incidents(&self) -> impl Iterator<Item = &'a Incident> {
        self.incidents.iter().copied().filter(|one| one.is_open())
    }

    /// Windows of maintenance at this stage.
    pub fn maintenances_at(&self, stage: Stage) -> impl Iterator<Item = &'a Maintenance> {
        let all = self.maintenances.iter().copied();
        all.filter(move |one| one.stage(self.now) == stage)
    }

    /// Since when nothing has changed, as far as incidents and maintenance go.
    pub fn updated(&self) -> Timestamp {
        let incidents = self.incidents.iter().map(|one| one.updated());
        let maintenances = self.maintenances.iter().map(|one| one.updated(self.now));
        incidents
            .chain(maintenances)
            .max()
            .unwrap_or(self.site.since)
    }

    /// An address of ours, absolute where that is known.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.site.url)
    }
}

#[cfg(test)]
#[path = "view_test.rs"]
mod tests;
