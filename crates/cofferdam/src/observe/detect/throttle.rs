//! Tenants that are made to wait, are refused, or may not connect: for their own limits, or for a
//! share that others want too.

use std::collections::HashMap;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{TenantId, Timestamp};

use super::window::Window;
use super::{Observation, rate, told};
use crate::observe::reading::TenantReading;
use crate::observe::signal::Signal;

/// Over how long rates are taken.
const SPAN: Duration = Duration::from_secs(3);
/// A tenant that waited less than this in a second was hardly throttled.
const PAUSED_MIN: Duration = Duration::from_millis(20);
/// Of a limit, so much must be used for it to be the one that a tenant ran into.
const REACHED: f64 = 0.8;
/// How long a tenant that waits no more is still taken to have run into the same limit.
const STICKY: Duration = Duration::from_secs(10);

/// Every tenant's counts.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    tenants: HashMap<TenantId, Track>,
}

#[derive(Debug)]
struct Track {
    window: Window<Counts>,
    /// Which limit it ran into, and until when that stands.
    limit: Option<(Reached, Timestamp)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    bytes_in: u64,
    bytes_out: u64,
    paused_ns: u64,
    reads_refused: u64,
    writes_refused: u64,
    connects_delayed: u64,
    connects_refused: u64,
    connects_abandoned: u64,
}

/// A limit of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Ops(u64),
    BytesIn(u64),
    BytesOut(u64),
    Inflight,
}

impl Throttles {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        let tenants = &seen.reading.tenants;
        self.tenants
            .retain(|id, _| tenants.iter().any(|tenant| tenant.id == *id));
        for tenant in tenants {
            let track = self.tenants.entry(tenant.id).or_insert_with(|| Track {
                window: Window::new(SPAN),
                limit: None,
            });
            track.window.push(seen.now, Counts::of(tenant));
            let throttled = track.throttled(seen.now, tenant);
            signals.extend(track.refused(seen.now, tenant, throttled.is_some()));
            signals.extend(throttled);
            signals.extend(track.connects(seen.now, tenant));
        }
    }
}

impl Counts {
    fn of(tenant: &TenantReading) -> Self {
        let clients = &tenant.clients;
        Self {
            requests: tenant.requests(),
            bytes_in: clients.bytes_read,
            bytes_out: clients.bytes_written,
            paused_ns: clients.paused_ns,
            reads_refused: clients.reads_refused,
            writes_refused: clients.writes_refused,
            connects_delayed: clients.connects_delayed,
            connects_refused: clients.connects_refused,
            connects_abandoned: clients.connects_abandoned,
        }
    }
}

impl Track {
    fn throttled(&mut self, now: Timestamp, tenant: &TenantReading) -> Option<Signal> {
        let (paused_ns, time) = self.window.last_growth(|counts| counts.paused_ns);
        let paused = Duration::from_nanos(paused_ns);
        if paused < PAUSED_MIN && tenant.clients.paused == 0 {
            return None;
        }
        let (reached, used) = self.limit_reached(now, tenant);
        let name = &tenant.name;
        let percent = (paused.as_secs_f64() / time.as_secs_f64().max(0.1) * 100.0).min(100.0);
        // Of a wait that has just begun nothing is counted yet.
        let share = match percent {
            ..1.0 => String::new(),
            _ => format!(": {percent:.0} % of the last second"),
        };
        let sentence = format!(
            "Tenant {name} has reached its limit of {} and is made to wait{share}.",
            reached.in_words()
        );
        let ended = format!("Tenant {name} is within its limits again");
        let misses = match tenant.traffic.max_delay {
            Duration::ZERO => "misses at once".to_owned(),
            delay => format!("misses once a request has waited {} ms", delay.as_millis()),
        };
        let signal = Signal::lasting(EventKind::TenantThrottled, now - time, sentence, ended)
            .cause(reached.cause())
            .tenant(Some(name))
            .advice(format!(
                "Its clients see slower answers, and {misses}: raise the limit (`cofferdam tenant \
                 limit {name} {}`), or have them ask less.",
                reached.flag()
            ))
            .evidence([
                Figure::new("paused", percent, Unit::Percent),
                Figure::new("used", used, reached.unit()),
            ])
            .evidence(
                reached
                    .limit()
                    .map(|limit| Figure::new("limit", limit as f64, reached.unit())),
            );
        Some(signal)
    }

    /// The limit that it is nearest to or over, and how much of it is used.
    fn limit_reached(&mut self, now: Timestamp, tenant: &TenantReading) -> (Reached, f64) {
        let per_second = |counter: fn(&Counts) -> u64| {
            let (growth, time) = self.window.growth(counter);
            rate(growth, time)
        };
        let used_of = |reached: Reached| match reached {
            Reached::Ops(_) => per_second(|counts| counts.requests),
            Reached::BytesIn(_) => per_second(|counts| counts.bytes_in),
            Reached::BytesOut(_) => per_second(|counts| counts.bytes_out),
            Reached::Inflight => tenant.clients.inflight_bytes as f64,
        };
        let traffic = &tenant.traffic;
        let rates = [
            traffic.ops_per_second.map(Reached::Ops),
            traffic.bytes_in_per_second.map(Reached::BytesIn),
            traffic.bytes_out_per_second.map(Reached::BytesOut),
        ];
        if let Some((reached, until)) = self.limit
            && now < until
            && (reached == Reached::Inflight || rates.contains(&Some(reached)))
        {
            self.limit = Some((reached, now + STICKY));
            return (reached, used_of(reached));
        }
        let part = |reached: &Reached| {
            let limit = reached.limit().unwrap_or(1).max(1);
            used_of(*reached) / limit as f64
        };
        let set = rates.into_iter().flatten();
        let nearest = set.max_by(|a, b| part(a).total_cmp(&part(b)));
        let reached = nearest
            .filter(|reached| part(reached) >= REACHED || traffic.inflight_bytes.is_none())
            .unwrap_or(Reached::Inflight);
        let used = used_of(reached);
        self.limit = Some((reached, now + STICKY));
        (reached, used)
    }

    fn refused(&self, now: Timestamp, tenant: &TenantReading, throttled: bool) -> Option<Signal> {
        let (reads, time) = self.window.last_growth(|counts| counts.reads_refused);
        let (writes, _) = self.window.last_growth(|counts| counts.writes_refused);
        if reads == 0 && writes == 0 {
            return None;
        }
        let name = &tenant.name;
        let max_delay_ms = tenant.traffic.max_delay.as_millis();
        let (cause, why) = match throttled {
            true => ("limit", "its own limits"),
            false => ("share", "its share of a busy machine"),
        };
        let waited = match max_delay_ms {
            0 => format!("were not let wait for {why} (its max delay is 0)"),
            _ => format!("waited longer than {max_delay_ms} ms for {why}"),
        };
        let sentence = format!(
            "Requests of tenant {name} {waited}: {} reads were answered as misses and {} writes were \
             not stored in the last second.",
            told(reads as f64),
            told(writes as f64)
        );
        let ended = format!("Requests of tenant {name} are no longer refused");
        let signal = Signal::lasting(EventKind::TenantRefused, now - time, sentence, ended)
            .cause(cause)
            .tenant(Some(name))
            .advice(match throttled {
                true => "Raise the limit, or have its clients ask less.",
                false => {
                    "It wants more than its share: give it weight, or the machine more cores; the \
                     other tenants do not wait for it."
                }
            })
            .evidence([
                Figure::new("reads_refused", rate(reads, time), Unit::PerSecond),
                Figure::new("writes_refused", rate(writes, time), Unit::PerSecond),
                Figure::new("max_delay", max_delay_ms as f64, Unit::Milliseconds),
            ]);
        Some(signal)
    }

    fn connects(&self, now: Timestamp, tenant: &TenantReading) -> Option<Signal> {
        let (delayed, time) = self.window.last_growth(|counts| counts.connects_delayed);
        let (refused, _) = self.window.last_growth(|counts| counts.connects_refused);
        let (abandoned, _) = self.window.last_growth(|counts| counts.connects_abandoned);
        if delayed == 0 && refused == 0 && abandoned == 0 {
            return None;
        }
        let name = &tenant.name;
        let open = tenant.clients.connections;
        let traffic = &tenant.traffic;
        let full = traffic.connections.filter(|max| open >= u64::from(*max));
        let (cause, limit, flag) = match (full, traffic.connects_per_second) {
            (Some(max), _) => ("connections", format!("{max} connections"), "--connections"),
            (None, Some(max)) => {
                let limit = format!("{max} new connections a second");
                ("connects_per_second", limit, "--connects-per-second")
            }
            (None, None) => ("connections", "connections".to_owned(), "--connections"),
        };
        let sentence = format!(
            "Tenant {name} has reached its limit of {limit}: {} more had to wait at the door, {} gave \
             up waiting, and {} were closed after their time there.",
            told(delayed as f64),
            told(abandoned as f64),
            told(refused as f64)
        );
        let ended = format!("Tenant {name} may connect again");
        let signal = Signal::lasting(
            EventKind::TenantConnectionsRefused,
            now - time,
            sentence,
            ended,
        )
        .cause(cause)
        .tenant(Some(name))
        .advice(format!(
            "Lower the pool size of its clients, or raise the limit (`cofferdam tenant limit {name} \
             {flag} N`)."
        ))
        .evidence([
            Figure::new("connections", open as f64, Unit::Count),
            Figure::new("connects_delayed", rate(delayed, time), Unit::PerSecond),
            Figure::new("connects_refused", rate(refused, time), Unit::PerSecond),
            Figure::new("connects_abandoned", rate(abandoned, time), Unit::PerSecond),
        ]);
        Some(signal)
    }
}

impl Reached {
    fn cause(self) -> &'static str {
        match self {
            Self::Ops(_) => "ops",
            Self::BytesIn(_) => "bytes_in",
            Self::BytesOut(_) => "bytes_out",
            Self::Inflight => "inflight_bytes",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::Ops(_) => "--ops",
            Self::BytesIn(_) => "--bytes-in",
            Self::BytesOut(_) => "--bytes-out",
            Self::Inflight => "--inflight-bytes",
        }
    }

    fn limit(self) -> Option<u64> {
        match self {
            Self::Ops(limit) | Self::BytesIn(limit) | Self::BytesOut(limit) => Some(limit),
            Self::Inflight => None,
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Ops(_) => Unit::PerSecond,
            Self::BytesIn(_) | Self::BytesOut(_) => Unit::BytesPerSecond,
            Self::Inflight => Unit::Bytes,
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Ops(limit) => format!("{} requests a second", told(limit as f64)),
            Self::BytesIn(limit) => format!("{} bytes received a second", told(limit as f64)),
            Self::BytesOut(limit) => format!("{} bytes sent a second", told(limit as f64)),
            Self::Inflight => "bytes in flight".to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "throttle_test.rs"]
mod tests;
