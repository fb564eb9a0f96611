//! A service, a machine and tenants that tests change second by second.

use std::sync::Arc;
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp, TrafficLimits};
use gateway::{ConnectionFigures, Delays};
use runtime::observe::host::HostSample;
use runtime::volumes::VolumePulse;

use super::{Detectors, ListenQueue, Observation, OverdueConnection};
use crate::observe::reading::{FleetReading, Reading, TenantReading};
use crate::observe::signal::Signal;
use crate::plane::Totals;

/// The present second of a made-up service, and the detectors that watch it.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) wall: Duration,
    pub(super) tenants: Vec<TenantReading>,
    pub(super) volumes: Vec<VolumePulse>,
    pub(super) totals: Totals,
    pub(super) loop_ages: Vec<Duration>,
    pub(super) fleet: Option<FleetReading>,
    pub(super) host: HostSample,
    pub(super) queues: Vec<ListenQueue>,
    pub(super) overdue: Vec<OverdueConnection>,
    pub(super) room: Option<(u64, u64)>,
    pub(super) journal_failure: Option<String>,
    pub(super) longest_sleep: Duration,
    detectors: Detectors,
}

impl World {
    /// Tenants `default` and `acme`, at peace.
    pub(super) fn new() -> Self {
        let now = Timestamp::from_secs(1_000_000);
        Self {
            now,
            wall: Duration::from_nanos(now.as_nanos()),
            tenants: vec![tenant(0, "default"), tenant(1, "acme")],
            volumes: Vec::new(),
            totals: Totals {
                connections: 10,
                connections_max: 1000,
                ..Totals::default()
            },
            loop_ages: vec![Duration::from_millis(3); 2],
            fleet: None,
            host: HostSample::default(),
            queues: Vec::new(),
            overdue: Vec::new(),
            room: Some((1 << 30, 1 << 32)),
            journal_failure: None,
            longest_sleep: Duration::from_millis(100),
            detectors: Detectors::default(),
        }
    }

    pub(super) fn acme(&mut self) -> &mut TenantReading {
        &mut self.tenants[1]
    }

    /// What is said of this second; then the next one begins.
    pub(super) fn look(&mut self) -> Vec<Signal> {
        let reading = Reading {
            at: self.now,
            tenants: self.tenants.clone(),
            totals: self.totals,
            loop_ages: self.loop_ages.clone(),
            fleet: self.fleet.clone(),
        };
        let signals = self.detectors.observe(&Observation {
            now: self.now,
            wall: self.wall,
            reading: &reading,
            volumes: &self.volumes,
            host: &self.host,
            queues: &self.queues,
            overdue: &self.overdue,
            room: self.room,
            journal_failure: self.journal_failure.as_deref(),
            longest_sleep: self.longest_sleep,
        });
        self.now = self.now + Duration::from_secs(1);
        self.wall += Duration::from_secs(1);
        signals
    }

    /// So many seconds, each with this change; what is said of the last one.
    pub(super) fn run(&mut self, seconds: u32, mut change: impl FnMut(&mut Self)) -> Vec<Signal> {
        let mut last = Vec::new();
        for _ in 0..seconds {
            change(self);
            last = self.look();
        }
        last
    }
}

pub(super) fn tenant(id: u32, name: &str) -> TenantReading {
    TenantReading {
        id: TenantId(id),
        name: Arc::from(name),
        traffic: TrafficLimits::default(),
        cache: Stats::default(),
        clients: ConnectionFigures::default(),
        delays: Delays::default(),
        close_waits: 0,
    }
}

/// The only signal.
pub(super) fn one(signals: &[Signal]) -> &Signal {
    assert_eq!(signals.len(), 1, "{signals:#?}");
    &signals[0]
}

/// A figure of its evidence.
pub(super) fn figure(signal: &Signal, name: &str) -> f64 {
    let found = signal.evidence.iter().find(|figure| figure.name == name);
    found
        .unwrap_or_else(|| panic!("{name} in {signal:#?}"))
        .value
}
