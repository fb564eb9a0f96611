//! The threads that let time pass on the board, listen to events, and keep what has changed.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Timestamp;
use runtime::documents::{Documents, DocumentsError, Edit};
use serde::Serialize;
use serde::de::DeserializeOwned;
use status::board::{Change, Kept};
use status::civil::day_of;
use status::desk::INCIDENTS_MAX;
use status::history::{DAYS_KEPT, MINUTES_KEPT};
use status::maintenance::WINDOWS_MAX;
use status::subscribers;

use super::export::Exporter;
use super::hub::{Hub, Past};
use super::settings::Settings;
use crate::failure::Failure;

/// What all of the past may take; 400 days of 40 components are 3 MiB, their minutes 10 MiB.
const STORE_BYTES_MAX: u32 = 64 << 20;
const TICK: Duration = Duration::from_secs(1);
/// How often what is too old is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

const INCIDENT: &str = "incident";
const MAINTENANCE: &str = "maintenance";
const DAY: &str = "day";
const MINUTE: &str = "minute";
const SETTING: &str = "setting";
const SUBSCRIBER: &str = "subscriber";

/// Opens the store, and reads all that is in it.
pub(super) fn open(path: &Path, now: Timestamp) -> Result<(Documents, Past), Failure> {
    let mut store = Documents::open(path, STORE_BYTES_MAX)?;
    let since = since(&mut store, now)?;
    let mut kept = Kept {
        incidents: last_of(texts(&store, INCIDENT)?, INCIDENTS_MAX),
        maintenances: last_of(texts(&store, MAINTENANCE)?, WINDOWS_MAX),
        ..Kept::default()
    };
    for (key, text) in store.all(DAY)? {
        let split = key.split_once('|');
        if let Some((day, component)) = split
            && let (Ok(day), Ok(counts)) = (day.parse(), serde_json::from_str(&text))
        {
            let days = kept.days.entry(component.to_owned()).or_default();
            days.push((day, counts));
        }
    }
    for (key, text) in store.all(MINUTE)? {
        if let (Some((_, component)), Ok(minute)) =
            (key.split_once('|'), serde_json::from_str(&text))
        {
            let minutes = kept.minutes.entry(component.to_owned()).or_default();
            minutes.push(minute);
        }
    }
    let subscribers = texts(&store, SUBSCRIBER)?;
    let past = Past {
        kept,
        since,
        subscribers,
    };
    Ok((store, past))
}

/// Since when there is this page; written down when it is first asked for.
fn since(store: &mut Documents, now: Timestamp) -> Result<Timestamp, DocumentsError> {
    let known = store.all(SETTING)?.into_iter();
    let mut known = known.filter(|(key, _)| key == "since");
    if let Some(nanos) = known.next().and_then(|(_, text)| text.parse().ok()) {
        return Ok(Timestamp::from_nanos(nanos));
    }
    let text = now.as_nanos().to_string();
    store.edit(&[Edit::Put(SETTING, "since".to_owned(), text)])?;
    Ok(now)
}

/// What of a kind this release understands, by key.
fn texts<T: DeserializeOwned>(store: &Documents, kind: &str) -> Result<Vec<T>, DocumentsError> {
    let all = store.all(kind)?.into_iter();
    let read = all.filter_map(|(key, text)| {
        let value = serde_json::from_str(&text);
        if let Err(error) = &value {
            tracing::warn!(%error, kind, key, "status: passed over");
        }
        value.ok()
    });
    Ok(read.collect())
}

fn last_of<T>(mut all: Vec<T>, count: usize) -> Vec<T> {
    all.split_off(all.len().saturating_sub(count))
}

/// A change as it is written.
fn edit_of(change: &Change) -> Edit {
    match change {
        Change::Incident(one) => Edit::Put(INCIDENT, numbered(one.id), json(one)),
        Change::Maintenance(one) => Edit::Put(MAINTENANCE, numbered(one.id), json(one)),
        Change::CalledOff(id) => Edit::Remove(MAINTENANCE, numbered(*id)),
        Change::Day { key, day, counts } => Edit::Put(DAY, format!("{day:08}|{key}"), json(counts)),
        Change::Minute { key, minute } => {
            Edit::Put(MINUTE, format!("{:012}|{key}", minute.minute), json(minute))
        }
    }
}

fn edit_of_subscriber(change: &subscribers::Change) -> Edit {
    match change {
        subscribers::Change::Kept(one) => Edit::Put(SUBSCRIBER, numbered(one.id), json(one)),
        subscribers::Change::Gone(id) => Edit::Remove(SUBSCRIBER, numbered(*id)),
    }
}

/// So that they sort as numbers do.
fn numbered(id: u64) -> String {
    format!("{id:016}")
}

fn json(value: &impl Serialize) -> String {
    // Nothing of ours has a key that is no text.
    serde_json::to_string(value).unwrap_or_default()
}

/// The running thread; it keeps all and ends when this is dropped.
pub(super) struct Keeper {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Ends the one that listens, which may be waiting for an answer and is not waited for.
    _listening: Option<mpsc::Sender<()>>,
}

impl Keeper {
    pub(super) fn start(
        hub: Arc<Hub>,
        store: Documents,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let (end, ended) = mpsc::channel();
        let exporter = settings.export.clone().map(Exporter::new);
        let listening = listen(&hub, settings)?;
        let mut work = Work {
            hub,
            store,
            exporter,
            pruned: Timestamp::ZERO,
            is_failing: false,
        };
        let thread = thread::Builder::new()
            .name("status".into())
            .spawn(move || {
                while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    work.tick();
                }
                work.finish();
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
            _listening: listening,
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

/// Has a thread ask for events, if anybody tells them.
fn listen(hub: &Arc<Hub>, settings: &Settings) -> Result<Option<mpsc::Sender<()>>, Failure> {
    if settings.events.is_none() {
        return Ok(None);
    }
    let (hub, settings) = (Arc::clone(hub), settings.clone());
    let (end, ended) = mpsc::channel();
    thread::Builder::new()
        .name("status-events".into())
        .spawn(move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(answer) = settings.ask_events() else {
                    return;
                };
                hub.set_hears_events(answer.is_ok());
                match answer {
                    Ok(events) => {
                        let mut board = hub.board();
                        for event in &events {
                            board.handle_event(hub.now(), event);
                        }
                    }
                    Err(error) => tracing::debug!(error, "status: events cannot be heard"),
                }
            }
        })?;
    Ok(Some(end))
}

struct Work {
    hub: Arc<Hub>,
    store: Documents,
    exporter: Option<Exporter>,
    pruned: Timestamp,
    is_failing: bool,
}

impl Work {
    fn tick(&mut self) {
        let now = self.hub.now();
        self.hub.board().handle_timeout(now);
        self.keep();
        if now.since(self.pruned) >= PRUNE_EVERY {
            self.pruned = now;
            self.prune(now);
        }
        if let Some(exporter) = &mut self.exporter {
            exporter.tick(&self.hub, now);
        }
    }

    fn keep(&mut self) {
        let changes: Vec<Change> = {
            let mut board = self.hub.board();
            std::iter::from_fn(|| board.poll_change()).collect()
        };
        let subscribers: Vec<subscribers::Change> = {
            let mut subscribers = self.hub.subscribers();
            std::iter::from_fn(|| subscribers.poll_change()).collect()
        };
        if changes.is_empty() && subscribers.is_empty() {
            return;
        }
        let edits = changes.iter().map(edit_of);
        let edits: Vec<Edit> = edits
            .chain(subscribers.iter().map(edit_of_subscriber))
            .collect();
        self.write(&edits);
        for change in &changes {
            if let Change::Incident(one) = change {
                tracing::info!(
                    id = one.id,
                    title = one.title,
                    phase = one.phase.word(),
                    public = one.is_public(),
                    "status: incident"
                );
            }
        }
    }

    fn prune(&mut self, now: Timestamp) {
        let day = day_of(now).saturating_sub(DAYS_KEPT);
        let minute = (now.as_nanos() / 60_000_000_000).saturating_sub(MINUTES_KEPT);
        let oldest = self.hub.board().incidents().last().map_or(0, |one| one.id);
        self.write(&[
            Edit::RemoveBefore(DAY, format!("{day:08}")),
            Edit::RemoveBefore(MINUTE, format!("{minute:012}")),
            Edit::RemoveBefore(INCIDENT, numbered(oldest)),
        ]);
    }

    /// The page goes on without its store, and says once that it must.
    fn write(&mut self, edits: &[Edit]) {
        let written = self.store.edit(edits);
        match (&written, self.is_failing) {
            (Err(error), false) => tracing::error!(%error, "status: the past is not kept"),
            (Ok(()), true) => tracing::info!("status: the past is kept again"),
            _ => {}
        }
        self.is_failing = written.is_err();
    }

    fn finish(&mut self) {
        self.hub.board().keep_days();
        self.keep();
    }
}

#[cfg(test)]
#[path = "keeper_test.rs"]
mod tests;
