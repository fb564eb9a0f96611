//! The thread that writes the history, once after each look of the observer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime::history::{HISTORY_DIR, History};
use runtime::priority::step_aside;

use super::figures::Figures;
use super::second::Seconds;
use super::tenants::Lines;
use super::{Frame, Row, host, nodes, service};
use crate::alerts::AlertWatch;
use crate::observe::Observatory;
use crate::observe::reading::Reading;
use crate::observe::snapshot::Snapshot;

/// How often it is seen whether the observer has looked.
const POLL: Duration = Duration::from_millis(100);

/// A running recorder; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Recorder {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Records what `observatory` sees in the data directory `dir`.
    ///
    /// It keeps the priority of the loops: it asks the caches, and whoever asks them holds each for a
    /// moment, which must not last for as long as a thread of low priority waits for a processor.
    pub(crate) fn start(observatory: Arc<Observatory>, dir: &Path) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut work = Work::new(observatory, dir);
        work.open();
        let thread = thread::Builder::new()
            .name("history".into())
            .spawn(move || {
                while stopped.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                    work.look();
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

struct Work {
    observatory: Arc<Observatory>,
    dir: PathBuf,
    history: Option<Arc<History>>,
    seen: u64,
    before: Option<(Reading, Arc<Snapshot>)>,
    lines: Lines,
    /// The last figures of service and machine.
    row: Row,
    alerts: AlertWatch,
    seconds: Seconds,
    has_failed: bool,
    has_left_out: bool,
}

impl Work {
    fn new(observatory: Arc<Observatory>, dir: &Path) -> Self {
        Self {
            seen: 0,
            observatory,
            dir: dir.join(HISTORY_DIR),
            history: None,
            before: None,
            lines: Lines::default(),
            row: Row::default(),
            alerts: AlertWatch::default(),
            seconds: Seconds::default(),
            has_failed: false,
            has_left_out: false,
        }
    }

    fn open(&mut self) {
        let now_s = u64::from(self.observatory.clock().now().unix_secs());
        match History::open(&self.dir, now_s) {
            Ok(history) => {
                let history = Arc::new(history);
                self.history = Some(Arc::clone(&history));
                self.observatory.history.publish(Some(history));
            }
            Err(error) => {
                let dir = self.dir.display();
                tracing::error!(%error, %dir, "no history is kept: mend that and restart");
            }
        }
    }

    fn look(&mut self) {
        let version = self.observatory.latest.version();
        if version == self.seen {
            return;
        }
        self.seen = version;
        let snapshot = self.observatory.latest.get();
        let reading = Reading::take(self.observatory.plane(), self.observatory.clock().now());
        let rules = self.observatory.alerts.all();
        let mut signals = self.alerts.observe(&rules, &reading);
        signals.extend(self.observatory.costs_of_cuts(&reading));
        self.observatory.found(signals);
        step_aside();
        let frame = self.frame(&reading, &snapshot);
        self.before = Some((reading, snapshot));
        step_aside();
        self.write(&frame);
        self.observatory.remember(frame);
    }

    fn frame(&mut self, now: &Reading, snapshot: &Snapshot) -> Frame {
        let before = self.before.as_ref();
        let tenants = self.lines.of(before.map(|(reading, _)| reading), now);
        let time = before.map_or(Duration::ZERO, |(reading, _)| now.at.since(reading.at));
        let mut figures = Figures::over(time);
        service::add(
            &mut figures,
            before.map(|(reading, _)| reading),
            now,
            &tenants,
        );
        figures.gauge("service/affairs", Some(snapshot.affairs as f64));
        nodes::add(&mut figures, before.map(|(reading, _)| reading), now);
        if let Some((_, old)) = before {
            figures.seconds = snapshot.at.since(old.at).as_secs_f64();
            host::add(&mut figures, old, snapshot);
        }
        self.row = Row::new(figures.all, &self.row);
        Frame {
            time_s: self.seconds.of(now.at),
            figures: self.row.clone(),
            tenants,
        }
    }

    fn write(&mut self, frame: &Frame) {
        let Some(history) = &self.history else { return };
        let flat = frame.flat();
        let figures: Vec<(&str, f32)> = flat.iter().map(|(name, v)| (name.as_str(), *v)).collect();
        match history.record(frame.time_s, &figures) {
            Ok(left_out) => {
                if left_out > 0 && !self.has_left_out {
                    tracing::warn!(left_out, "the history has no room for some figures");
                }
                self.has_left_out = left_out > 0;
                self.has_failed = false;
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::error!(%error, "the history cannot be written");
                }
                self.has_failed = true;
            }
        }
    }
}
