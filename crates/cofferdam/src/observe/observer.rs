//! The thread that looks: at queues ten times a second, at everything once a second.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::event::{Event, EventKind};
use base::{TenantId, Timestamp};
use runtime::observe::host::HostSampler;
use runtime::observe::{free_space, wall_clock};
use runtime::priority::{give_way, step_aside};

use super::Observatory;
use super::detect::{Detectors, Observation, OverdueConnection};
use super::ledger::Ledger;
use super::reading::Reading;
use super::service::Watchdog;
use super::signal::Signal;
use super::snapshot::Snapshot;
use super::tcp_eye::{QUEUE_PERIOD, TcpEye};

const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// Connections whose tenants are asked for at once: each loop looks through all that it has.
const OWNERS_MAX: usize = 256;

/// A running observer; [`Observer::end`] ends it.
#[derive(Debug)]
pub(crate) struct Observer {
    stop: mpsc::Sender<Left>,
    thread: JoinHandle<()>,
}

/// Says that a successor observes from now on.
#[derive(Debug)]
struct Left;

impl Observer {
    /// Watches the observatory's data plane and these TCP listeners from a thread of its own, which
    /// gives way to those that serve.
    pub(crate) fn start(
        observatory: Arc<Observatory>,
        listeners: &[(&'static str, SocketAddr)],
        dir: &Path,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let mut watch = Watch::new(observatory, listeners, dir);
        // Before anybody is told that we serve, so that the first question finds an answer.
        watch.begin();
        let thread = thread::Builder::new()
            .name("observe".into())
            .spawn(move || {
                give_way();
                watch.run(&stopped);
            })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread without a word: a successor has the journal.
    pub(crate) fn leave(self) {
        // The thread hears the end of the channel as well.
        let _ = self.stop.send(Left);
        let _ = self.thread.join();
    }

    /// Writes the last event and ends the thread.
    pub(crate) fn end(self) {
        drop(self.stop);
        // A panic there was reported by its own thread.
        let _ = self.thread.join();
    }
}

struct Watch {
    observatory: Arc<Observatory>,
    dir: PathBuf,
    sampler: HostSampler,
    eye: TcpEye,
    detectors: Detectors,
    ledger: Ledger,
    watchdog: Watchdog,
    next_look: Timestamp,
    last_wake: Timestamp,
    longest_sleep: Duration,
}

impl Watch {
    fn new(
        observatory: Arc<Observatory>,
        listeners: &[(&'static str, SocketAddr)],
        dir: &Path,
    ) -> Self {
        let now = observatory.clock().now();
        Self {
            dir: dir.to_owned(),
            sampler: HostSampler::new(),
            eye: TcpEye::new(observatory.clock(), listeners),
            detectors: Detectors::default(),
            ledger: Ledger::new(observatory.log.last_id().saturating_add(1)),
            watchdog: Watchdog::new(),
            next_look: now,
            last_wake: now,
            longest_sleep: Duration::ZERO,
            observatory,
        }
    }

    fn begin(&mut self) {
        let now = self.observatory.clock().now();
        self.say(lifecycle(now, EventKind::Started));
        self.eye.look_at_queues(now);
        self.look(now);
        self.next_look = now + LOOK_PERIOD;
    }

    fn run(&mut self, stopped: &mpsc::Receiver<Left>) {
        loop {
            match stopped.recv_timeout(QUEUE_PERIOD) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                // The journal is another's now.
                Ok(Left) => return,
            }
            let now = self.observatory.clock().now();
            self.longest_sleep = self.longest_sleep.max(now.since(self.last_wake));
            self.eye.look_at_queues(now);
            if now >= self.next_look {
                self.look(now);
                self.next_look = (self.next_look + LOOK_PERIOD).max(now);
            }
            self.watchdog.feed(now, self.observatory.is_turning());
            self.last_wake = self.observatory.clock().now();
        }
        let now = self.observatory.clock().now();
        self.say(lifecycle(now, EventKind::Stopping));
    }

    /// One look at everything.
    fn look(&mut self, now: Timestamp) {
        self.eye.look_at_connections(now);
        let host = self.sampler.sample();
        step_aside();
        let reading = Reading::of_clients(self.observatory.plane(), now);
        let owners = self.owners();
        let overdue = self.overdue(&reading, &owners);
        let failure = self.observatory.log.failure();
        let mut signals = self.detectors.observe(&Observation {
            now,
            wall: wall_clock(),
            reading: &reading,
            volumes: &self.observatory.pulses(),
            host: &host,
            queues: &self.eye.take_queues(),
            overdue: &overdue,
            room: free_space(&self.dir).ok(),
            journal_failure: failure.as_deref(),
            longest_sleep: std::mem::take(&mut self.longest_sleep),
        });
        step_aside();
        signals.extend(self.observatory.take_found());
        for event in self.ledger.handle(now, signals) {
            self.keep(&event);
        }
        self.observatory
            .log
            .set_held_back(self.ledger.held_back_total());
        let mut close_waits = BTreeMap::new();
        for owner in owners.values() {
            *close_waits.entry(*owner).or_default() += 1;
        }
        self.observatory.latest.publish(Snapshot {
            at: now,
            took: self.observatory.clock().now().since(now),
            host,
            listeners: self.eye.listeners(now),
            close_waits,
            affairs: self.ledger.under_way() as u64,
        });
    }

    /// The tenants of connections in CLOSE_WAIT, for which the loops are asked.
    fn owners(&self) -> HashMap<SocketAddr, TenantId> {
        let peers: Vec<SocketAddr> = self.eye.close_waits().take(OWNERS_MAX).collect();
        if peers.is_empty() {
            return HashMap::new();
        }
        let owners = self.observatory.plane().owners(&peers);
        owners.into_iter().collect()
    }

    /// The connections that should have been closed, each with its tenant.
    fn overdue(
        &self,
        reading: &Reading,
        owners: &HashMap<SocketAddr, TenantId>,
    ) -> Vec<OverdueConnection> {
        let named = self.eye.overdue().map(|(listener, overdue)| {
            let owner = owners.get(&overdue.peer);
            OverdueConnection {
                listener,
                tenant: owner.and_then(|id| reading.name(*id)).cloned(),
                peer: overdue.peer,
                age: overdue.age,
            }
        });
        named.collect()
    }

    fn say(&mut self, signal: Signal) {
        let now = signal.onset;
        for event in self.ledger.handle(now, vec![signal]) {
            self.keep(&event);
        }
    }

    /// Into the journal, and into the log for those who read only that.
    fn keep(&self, event: &Event) {
        self.observatory.log.add(event);
        let tenant = event.tenant.as_deref();
        let (kind, state) = (event.kind.code(), event.state.code());
        match event.kind {
            EventKind::Started | EventKind::Stopping => {
                tracing::debug!(id = event.id, event = kind, state, "{}", event.sentence);
            }
            _ => tracing::warn!(
                id = event.id,
                event = kind,
                state,
                tenant,
                "{}",
                event.sentence
            ),
        }
    }
}

fn lifecycle(now: Timestamp, kind: EventKind) -> Signal {
    let sentence = match kind {
        EventKind::Started => format!(
            "Cofferdam {} serves, as process {}.",
            env!("CARGO_PKG_VERSION"),
            std::process::id()
        ),
        _ => format!("Process {} has drained and ends.", std::process::id()),
    };
    Signal::moment(kind, now, sentence)
}
