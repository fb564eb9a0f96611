//! Who looks at the figures, second by second, and says what they mean. All of it is pure.

mod connections;
mod door;
mod fleet;
mod host;
mod judging;
mod overload;
mod places;
mod process;
mod reconnects;
mod throttle;
mod volumes;
mod window;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use runtime::observe::host::HostSample;
use runtime::observe::sock_diag::Queue;
use runtime::volumes::VolumePulse;

use super::reading::Reading;
use super::signal::Signal;
pub(crate) use process::TURN_AGE_MAX;

/// Everything that was found out in one look.
#[derive(Debug)]
pub(crate) struct Observation<'a> {
    pub(crate) now: Timestamp,
    /// The wall clock, time since the Unix epoch.
    pub(crate) wall: Duration,
    pub(crate) reading: &'a Reading,
    /// The attached volumes.
    pub(crate) volumes: &'a [VolumePulse],
    pub(crate) host: &'a HostSample,
    /// Queues of our listeners, where the kernel tells of them.
    pub(crate) queues: &'a [ListenQueue],
    /// Connections that their clients closed and we did not.
    pub(crate) overdue: &'a [OverdueConnection],
    /// The room on the data directory's disk, free and in all, in bytes.
    pub(crate) room: Option<(u64, u64)>,
    /// Why the last event could not be written, if so.
    pub(crate) journal_failure: Option<&'a str>,
    /// The longest that this observer, who wakes ten times a second, slept since the last look.
    pub(crate) longest_sleep: Duration,
}

/// A listener and its queue.
#[derive(Clone, Debug)]
pub(crate) struct ListenQueue {
    pub(crate) listener: &'static str,
    /// As it is now.
    pub(crate) queue: Queue,
    /// The greatest depth of the last second.
    pub(crate) depth_max: u32,
}

/// A connection that its client closed and we did not, and whose it is, where that is known.
#[derive(Clone, Debug)]
pub(crate) struct OverdueConnection {
    pub(crate) listener: &'static str,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) peer: SocketAddr,
    pub(crate) age: Duration,
}

/// All detectors.
#[derive(Debug, Default)]
pub(crate) struct Detectors {
    throttles: throttle::Throttles,
    overload: overload::OverloadWatch,
    connections: connections::Connections,
    reconnects: reconnects::Reconnects,
    door: door::DoorWatch,
    places: places::Places,
    host: host::HostWatch,
    judging: judging::JudgingWatch,
    process: process::ProcessWatch,
}

impl Detectors {
    /// What is to be said of this second.
    pub(crate) fn observe(&mut self, seen: &Observation<'_>) -> Vec<Signal> {
        let mut signals = Vec::new();
        self.throttles.observe(seen, &mut signals);
        self.overload.observe(seen, &mut signals);
        self.connections.observe(seen, &mut signals);
        self.reconnects.observe(seen, &mut signals);
        self.door.observe(seen, &mut signals);
        self.places.observe(seen, &mut signals);
        self.host.observe(seen, &mut signals);
        self.process.observe(seen, &mut signals);
        fleet::observe(seen, &mut signals);
        self.judging.observe(seen, &mut signals);
        volumes::observe(seen, &mut signals);
        signals
    }
}

/// Growth as so much a second.
fn rate(growth: u64, time: Duration) -> f64 {
    match time.as_secs_f64() {
        secs if secs > 0.0 => growth as f64 / secs,
        _ => 0.0,
    }
}

/// A figure for a sentence: whole from ten on, thousands apart.
fn told(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "detect_test.rs"]
mod tests;
