//! What is known, for whoever asks: the admin API asks here, the observer brings the news.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base::Timestamp;
use runtime::history::History;
use runtime::volumes::{VolumePulse, VolumeStatus, Volumes};
use runtime::{Clock, Published};
use tokio::sync::watch;

use super::cut::{Cuts, MemoryCut};
use super::detect::TURN_AGE_MAX;
use super::history::Frame;
use super::log::EventLog;
use super::metrics::{self, Sources, TenantRows};
use super::reading::{FleetReading, Reading};
use super::signal::{Length, Signal};
use super::snapshot::Snapshot;
use crate::alerts::AlertRules;
use crate::plane::DataPlane;

/// How long loops may stand still until the process is beyond help.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// Seconds that are at hand without a look into the history.
const RECENT_MAX: usize = 120;

/// The figures of this process and its journal.
pub(crate) struct Observatory {
    plane: Arc<dyn DataPlane>,
    /// The volumes of this process, once they are served.
    volumes: OnceLock<Arc<Volumes>>,
    clock: Clock,
    started: Timestamp,
    pub(super) latest: Published<Snapshot>,
    pub(crate) log: EventLog,
    /// What tenants want to be told of.
    pub(crate) alerts: Arc<AlertRules>,
    /// What the recorder, who asks the caches, found of that; the observer says it.
    found: Mutex<Vec<Signal>>,
    /// Quotas that were cut, until it is known what that has cost.
    cuts: Mutex<Cuts>,
    /// What the recorder remembers; none before it has begun.
    pub(crate) history: Published<Option<Arc<History>>>,
    /// The second that was recorded last.
    pub(crate) frames: watch::Sender<Arc<Frame>>,
    /// The seconds before it, the oldest first, as many as [`RECENT_MAX`].
    recent: Mutex<VecDeque<Arc<Frame>>>,
    rows: Mutex<TenantRows>,
}

impl Observatory {
    /// Over a data plane, with the journal in `dir`.
    pub(crate) fn new(plane: Arc<dyn DataPlane>, clock: Clock, dir: &Path) -> Self {
        Self {
            plane,
            volumes: OnceLock::new(),
            clock,
            started: clock.now(),
            latest: Published::default(),
            log: EventLog::open(dir),
            alerts: Arc::new(AlertRules::open(dir)),
            found: Mutex::default(),
            cuts: Mutex::default(),
            history: Published::default(),
            frames: watch::Sender::new(Arc::default()),
            recent: Mutex::default(),
            rows: Mutex::default(),
        }
    }

    /// Has volumes looked at too.
    pub(crate) fn watch_volumes(&self, volumes: &Arc<Volumes>) {
        // A second time it would be the same ones.
        let _ = self.volumes.set(Arc::clone(volumes));
    }

    /// Whether volumes move.
    pub(super) fn pulses(&self) -> Vec<VolumePulse> {
        let volumes = self.volumes.get();
        volumes.map_or_else(Vec::new, |volumes| volumes.pulses())
    }

    /// The fleet, at a gateway.
    pub(crate) fn fleet(&self, now: Timestamp) -> Option<FleetReading> {
        self.plane.fleet(now)
    }

    /// The page of metrics, in the text format of Prometheus.
    pub(crate) fn metrics(&self, volumes: &[VolumeStatus]) -> String {
        let snapshot = self.latest.get();
        let reading = Reading::take(&*self.plane, self.clock.now());
        let sources = Sources {
            reading: &reading.with_close_waits(&snapshot.close_waits),
            snapshot: &snapshot,
            volumes,
            events: &self.log.counts(),
            held_back: self.log.held_back(),
            started_s: Duration::from_nanos(self.started.as_nanos()).as_secs_f64(),
        };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        metrics::page(&sources, &mut rows)
    }

    /// Keeps what was found of this second until it is said.
    pub(super) fn found(&self, signals: Vec<Signal>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        // What lasts is found again; what happened once is not to be missed.
        found.retain(|signal| signal.length == Length::Moment);
        found.extend(signals);
    }

    /// Hears of a quota that was cut.
    pub(crate) fn hear_of_cut(&self, cut: MemoryCut) {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.add(self.clock.now(), cut);
    }

    /// What cuts of quotas have cost, of those of which that is known by now.
    pub(super) fn costs_of_cuts(&self, reading: &Reading) -> Vec<Signal> {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.observe(reading)
    }

    /// What was found and has not been said.
    pub(super) fn take_found(&self) -> Vec<Signal> {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in a second, and tells those who follow.
    pub(super) fn remember(&self, frame: Frame) {
        let frame = Arc::new(frame);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(Arc::clone(&frame));
        drop(recent);
        self.frames.send_replace(frame);
    }

    /// The last seconds, at most two minutes of them, the oldest first.
    pub(crate) fn recent(&self) -> Vec<Arc<Frame>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().cloned().collect()
    }

    /// Since when this process serves.
    pub(crate) fn started(&self) -> Timestamp {
        self.started
    }

    /// The data plane that is watched.
    pub(super) fn plane(&self) -> &dyn DataPlane {
        &*self.plane
    }

    /// The time.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether requests go through: every loop has turned within the last second.
    pub(crate) fn is_turning(&self) -> bool {
        self.turned_within(TURN_AGE_MAX)
    }

    /// Whether it still makes sense to wait for requests to go through.
    pub(crate) fn is_alive(&self) -> bool {
        self.turned_within(DEAD_AFTER)
    }

    fn turned_within(&self, age_max: Duration) -> bool {
        let ages = self.plane.loop_ages();
        ages.iter().all(|age| *age < age_max)
    }
}
