//! Incidents and windows of maintenance as pages show them.

use base::Timestamp;

use crate::civil::{moment, span};
use crate::incident::{Impact, Incident, Visibility};
use crate::maintenance::{Maintenance, Stage};

/// An incident as pages show it.
#[derive(Clone, Debug)]
pub(crate) struct IncidentRow {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) impact: &'static str,
    pub(crate) impact_text: &'static str,
    pub(crate) phase: &'static str,
    pub(crate) visibility: &'static str,
    pub(crate) is_held: bool,
    pub(crate) confidence: u8,
    pub(crate) began: String,
    pub(crate) length: String,
    pub(crate) last: String,
    pub(crate) components: String,
    pub(crate) updates: Vec<UpdateRow>,
}

#[derive(Clone, Debug)]
pub(crate) struct UpdateRow {
    pub(crate) at: String,
    pub(crate) phase: &'static str,
    pub(crate) text: String,
}

impl IncidentRow {
    pub(crate) fn of(one: &Incident, now: Timestamp, updates_max: usize) -> Self {
        let latest = one.updates.iter().rev();
        Self {
            id: one.id,
            title: one.title.clone(),
            impact: one.impact.word(),
            impact_text: impact_text(one.impact),
            phase: one.phase.text(),
            visibility: match one.visibility {
                Visibility::Held => "Held: only operators see it",
                Visibility::Published => "Published",
                Visibility::Discarded => "Discarded",
            },
            is_held: one.visibility == Visibility::Held,
            confidence: one.confidence_percent,
            began: moment(one.began),
            length: span(one.length(now)),
            last: one
                .updates
                .last()
                .map_or(String::new(), |last| last.text.replace('\n', " ")),
            components: String::new(),
            updates: latest
                .take(updates_max)
                .map(|update| UpdateRow {
                    at: moment(update.at),
                    phase: update.phase.text(),
                    text: update.text.clone(),
                })
                .collect(),
        }
    }
}

const fn impact_text(impact: Impact) -> &'static str {
    match impact {
        Impact::None => "Not noticeable",
        Impact::Minor => "Slow",
        Impact::Major => "Some clients not served",
        Impact::Critical => "No client served",
    }
}

/// A window of maintenance as pages show it.
#[derive(Clone, Debug)]
pub(crate) struct WindowRow {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) stage: &'static str,
    pub(crate) begins: String,
    pub(crate) ends: String,
}

impl WindowRow {
    pub(crate) fn of(one: &Maintenance, now: Timestamp) -> Self {
        Self {
            id: one.id,
            title: one.title.clone(),
            text: one.text.clone(),
            stage: one.stage(now).text(),
            begins: moment(one.begins),
            ends: moment(one.ends),
        }
    }

    /// Those that are not over.
    pub(crate) fn pending<'a>(
        all: impl IntoIterator<Item = &'a Maintenance>,
        now: Timestamp,
    ) -> Vec<Self> {
        let pending = all
            .into_iter()
            .filter(|one| one.stage(now) != Stage::Completed);
        pending.map(|one| Self::of(one, now)).collect()
    }
}
