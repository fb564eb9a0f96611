//! Events where they are kept: the last ones in memory, more of them in the journal.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::event::{Event, EventKind};
use runtime::observe::{Journal, read_journal};
use tokio::sync::watch;

use super::event_view::EventView;

/// Where the journal is, in the data directory.
pub(crate) const JOURNAL: &str = "events.jsonl";
/// Each of its two files.
const FILE_LEN_MAX: u64 = 8 << 20;
/// Events that those who follow get without a look into the journal.
const RECENT_MAX: usize = 1024;

/// The journal and what of it is in memory.
#[derive(Debug)]
pub(crate) struct EventLog {
    path: PathBuf,
    inner: Mutex<Inner>,
    last_id: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    recent: VecDeque<EventView>,
    /// By kind, since the start.
    counts: BTreeMap<EventKind, u64>,
    held_back: u64,
    failure: Option<String>,
}

impl EventLog {
    /// The journal in the data directory `dir`, continued. One that cannot be read begins anew,
    /// which the log says.
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join(JOURNAL);
        let mut events = read(&path).unwrap_or_else(|error| {
            tracing::error!(%error, journal = %path.display(), "the journal of events is unreadable");
            Vec::new()
        });
        let last_id = events.iter().map(|event| event.id).max().unwrap_or(0);
        let recent = events.split_off(events.len().saturating_sub(RECENT_MAX));
        Self {
            inner: Mutex::new(Inner {
                journal: Journal::new(&path, FILE_LEN_MAX),
                recent: recent.into(),
                counts: BTreeMap::new(),
                held_back: 0,
                failure: None,
            }),
            path,
            last_id: watch::Sender::new(last_id),
        }
    }

    /// The number of the last event, 0 if there is none.
    pub(crate) fn last_id(&self) -> u64 {
        *self.last_id.borrow()
    }

    /// Changes whenever there is a new event.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last_id.subscribe()
    }

    /// Keeps an event, and writes it if that is possible.
    pub(crate) fn add(&self, event: &Event) {
        let view = EventView::from(event);
        let mut inner = self.inner();
        let line = serde_json::to_string(&view).map_err(io::Error::other);
        let written = line.and_then(|line| inner.journal.append(&line));
        inner.failure = written.err().map(|error| error.to_string());
        *inner.counts.entry(event.kind).or_default() += 1;
        if inner.recent.len() >= RECENT_MAX {
            inner.recent.pop_front();
        }
        inner.recent.push_back(view);
        drop(inner);
        self.last_id.send_replace(event.id);
    }

    /// Why the last event could not be written, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.inner().failure.clone()
    }

    /// Events that were not written since the start.
    pub(crate) fn held_back(&self) -> u64 {
        self.inner().held_back
    }

    /// Takes over how many were not written.
    pub(crate) fn set_held_back(&self, total: u64) {
        self.inner().held_back = total;
    }

    /// Events by kind since the start; every kind is there.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        let inner = self.inner();
        let count = |kind: &EventKind| inner.counts.get(kind).copied().unwrap_or(0);
        let kinds = EventKind::ALL.iter();
        kinds.map(|kind| (kind.code(), count(kind))).collect()
    }

    /// The last events, the oldest first, as many as memory has.
    pub(crate) fn recent(&self) -> Vec<EventView> {
        self.inner().recent.iter().cloned().collect()
    }

    /// Events after `since`, the oldest first; reads the journal if memory does not reach so far.
    pub(crate) fn after(&self, since: u64) -> io::Result<Vec<EventView>> {
        let inner = self.inner();
        let first = inner.recent.front().map_or(u64::MAX, |event| event.id);
        if since.saturating_add(1) >= first || first == u64::MAX {
            let recent = inner.recent.iter().filter(|event| event.id > since);
            return Ok(recent.cloned().collect());
        }
        drop(inner);
        let mut events = read(&self.path)?;
        events.retain(|event| event.id > since);
        Ok(events)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing in it is left half changed by a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of a journal, whether or not a process writes it; lines that are none are passed over.
pub(crate) fn read(path: &Path) -> io::Result<Vec<EventView>> {
    let lines = read_journal(path)?;
    let events = lines.iter();
    Ok(events
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

#[cfg(test)]
#[path = "log_test.rs"]
mod tests;
