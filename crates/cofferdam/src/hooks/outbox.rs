//! What each hook has been told, over restarts too, and what it is to be told next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::Timestamp;

use super::{Audience, Backoff};
use crate::files;
use crate::observe::event_view::EventView;

/// The file, in the data directory.
const FILE: &str = "webhooks.json";

/// The number of the last event that each hook was told, by the hook's key.
#[derive(Clone, Debug)]
pub(super) struct Cursors {
    path: PathBuf,
    told: BTreeMap<String, u64>,
    is_failing: bool,
}

impl Cursors {
    /// Those in the data directory. Without any each hook begins with what happens from now on.
    pub(super) fn open(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let told = std::fs::read(&path).ok();
        let told = told.and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            path,
            told: told.unwrap_or_default(),
            is_failing: false,
        }
    }

    /// Where a hook stands; one that is new stands at `newest`.
    pub(super) fn of(&self, key: &str, newest: u64) -> u64 {
        // A journal that was begun anew counts from the beginning.
        let told = self.told.get(key).copied().unwrap_or(newest);
        told.min(newest)
    }

    /// Keeps where hooks stand, and nothing of those that there are no more.
    pub(super) fn keep(&mut self, now: BTreeMap<String, u64>) {
        if self.told == now {
            return;
        }
        self.told = now;
        let text = serde_json::to_vec(&self.told).unwrap_or_default();
        let written = files::write_private(&self.path, &text);
        if let (Err(error), false) = (&written, self.is_failing) {
            tracing::error!(%error, "after a restart webhooks may be told things twice");
        }
        self.is_failing = written.is_err();
    }
}

/// One hook's.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    /// The number of the last event that is dealt with.
    pub(super) told: u64,
    pub(super) backoff: Backoff,
    /// Whether a message is on its way.
    pub(super) is_busy: bool,
}

impl Outbox {
    pub(super) fn at(told: u64) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// The next event for somebody, of those that came after the last that is dealt with; passes
    /// over what is none of his.
    pub(super) fn next<'a>(
        &mut self,
        now: Timestamp,
        events: &'a [EventView],
        audience: &Audience,
        tenant: Option<&str>,
    ) -> Option<&'a EventView> {
        if self.is_busy || !self.backoff.is_due(now) {
            return None;
        }
        let told = self.told;
        for event in events.iter().filter(|event| event.id > told) {
            if is_for(event, audience, tenant) {
                return Some(event);
            }
            self.told = event.id;
        }
        None
    }

    /// The message about `id` was taken, or is given up.
    pub(super) fn done(&mut self, id: u64) {
        self.told = self.told.max(id);
        self.backoff.reset();
        self.is_busy = false;
    }

    /// It was not taken: false if it is given up.
    pub(super) fn failed(&mut self, now: Timestamp, id: u64) -> bool {
        self.is_busy = false;
        let is_tried_again = self.backoff.failed(now);
        if !is_tried_again {
            self.done(id);
        }
        is_tried_again
    }
}

fn is_for(event: &EventView, audience: &Audience, tenant: Option<&str>) -> bool {
    match audience {
        Audience::Operators(kinds) => kinds.is_empty() || kinds.contains(&event.event),
        Audience::Tenant(_) => tenant.is_some() && event.tenant.as_deref() == tenant,
    }
}

#[cfg(test)]
#[path = "outbox_test.rs"]
mod tests;
