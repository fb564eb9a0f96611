//! More work than the machine can do, measured by how long requests wait and not by its processor.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{TenantId, Timestamp};
use gateway::Delays;
use runtime::observe::host::{Cpu, HostSample};

use super::Observation;
use crate::observe::reading::TenantReading;
use crate::observe::signal::Signal;

/// Mean wait from which on the machine is overloaded, and down to which it still is.
const MEAN_HIGH: Duration = Duration::from_millis(5);
const MEAN_FINE: Duration = Duration::from_millis(2);
/// Fewer requests tell nothing of the machine.
const REQUESTS_MIN: u64 = 100;
/// Seconds in a row.
const SECONDS_MIN: u32 = 2;
/// Of the processors' time, so much taken by the host is the cause.
const STEAL_PERCENT: f64 = 10.0;

/// What was known at the look before.
#[derive(Debug, Default)]
pub(super) struct OverloadWatch {
    tenants: HashMap<TenantId, Before>,
    cpu: Option<Cpu>,
    /// Since when requests wait, and for how many seconds in a row.
    since: Option<(Timestamp, u32)>,
}

#[derive(Clone, Debug)]
struct Before {
    delays: Delays,
    paused_ns: u64,
    busy_ns: u64,
}

/// All tenants' last second.
#[derive(Debug, Default)]
struct LastSecond {
    requests: u64,
    waited_ns: u64,
    /// The longest 99th percentile of a tenant.
    p99: Duration,
    busy_ns: u64,
    busiest: Option<(Arc<str>, u64)>,
}

impl OverloadWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        let second = self.last_second(&seen.reading.tenants);
        let modes = self.processor(seen.host);
        let mean = Duration::from_nanos(second.waited_ns / second.requests.max(1));
        let bound = match self.since {
            Some((_, seconds)) if seconds >= SECONDS_MIN => MEAN_FINE,
            _ => MEAN_HIGH,
        };
        if second.requests < REQUESTS_MIN || mean < bound {
            self.since = None;
            return;
        }
        let (onset, seconds) = self.since.unwrap_or((seen.now, 0));
        let seconds = seconds.saturating_add(1);
        self.since = Some((onset, seconds));
        if seconds >= SECONDS_MIN {
            signals.push(overload(onset, mean, &second, &modes, seen.host));
        }
    }

    /// Requests of tenants that wait for their own limits say nothing of the machine.
    fn last_second(&mut self, tenants: &[TenantReading]) -> LastSecond {
        let mut second = LastSecond::default();
        let mut now = HashMap::new();
        for tenant in tenants {
            let clients = &tenant.clients;
            if let Some(before) = self.tenants.get(&tenant.id) {
                let busy_ns = clients.busy_ns.saturating_sub(before.busy_ns);
                second.busy_ns = second.busy_ns.saturating_add(busy_ns);
                if busy_ns > second.busiest.as_ref().map_or(0, |(_, most)| *most) {
                    second.busiest = Some((Arc::clone(&tenant.name), busy_ns));
                }
                if clients.paused_ns == before.paused_ns && clients.paused == 0 {
                    second.add(&tenant.delays.since(&before.delays));
                }
            }
            let before = Before {
                delays: tenant.delays.clone(),
                paused_ns: clients.paused_ns,
                busy_ns: clients.busy_ns,
            };
            now.insert(tenant.id, before);
        }
        self.tenants = now;
        second
    }

    /// Where the processors' time went since the look before, in parts of a hundred.
    fn processor(&mut self, host: &HostSample) -> Vec<(&'static str, f64)> {
        let (Some(cpu), before) = (host.cpu, self.cpu) else {
            return Vec::new();
        };
        self.cpu = Some(cpu);
        let Some(before) = before else {
            return Vec::new();
        };
        let total = cpu.total().saturating_sub(before.total()).as_secs_f64();
        let modes = cpu.modes().into_iter().zip(before.modes());
        modes
            .map(|((mode, now), (_, before))| {
                let time = now.saturating_sub(before).as_secs_f64();
                (mode, time / total.max(0.001) * 100.0)
            })
            .collect()
    }
}

impl LastSecond {
    fn add(&mut self, delays: &Delays) {
        self.requests = self.requests.saturating_add(delays.count());
        self.waited_ns = self.waited_ns.saturating_add(delays.sum_ns());
        self.p99 = self.p99.max(delays.p99().unwrap_or_default());
    }
}

fn overload(
    onset: Timestamp,
    mean: Duration,
    second: &LastSecond,
    modes: &[(&'static str, f64)],
    host: &HostSample,
) -> Signal {
    let percent = |name: &str| {
        let mode = modes.iter().find(|(mode, _)| *mode == name);
        mode.map_or(0.0, |(_, percent)| *percent)
    };
    let steal = percent("steal");
    let (cause, advice) = match steal >= STEAL_PERCENT {
        true => (
            "steal",
            "The host takes the processor away: move the machine, or have it given its share.",
        ),
        false => (
            "work",
            "Tenants above their share are slowed and refused first: limit the busiest one \
             (`cofferdam tenant limit`), or give the machine more cores.",
        ),
    };
    let busiest = second.busiest.as_ref().map(|(name, busy_ns)| {
        let share = *busy_ns as f64 / second.busy_ns.max(1) as f64 * 100.0;
        (name, share)
    });
    let most = busiest.map(|(name, share)| {
        format!("; tenant {name} takes {share:.0} % of the time that is served")
    });
    let sentence = format!(
        "Requests wait {:.1} ms for their turn on average, as there are more than this machine can \
         serve{}.",
        mean.as_secs_f64() * 1e3,
        most.unwrap_or_default()
    );
    let ended = "Requests no longer wait for their turn";
    let idle = percent("idle") + percent("iowait");
    let processor = [
        Figure::new("cpu_busy", (100.0 - idle).max(0.0), Unit::Percent),
        Figure::new("cpu_steal", steal, Unit::Percent),
        Figure::new("cpu_iowait", percent("iowait"), Unit::Percent),
        Figure::new("cpu_softirq", percent("softirq"), Unit::Percent),
    ];
    let pressure = host.pressure.iter().find(|(name, _)| *name == "cpu");
    let pressure =
        pressure.map(|(_, p)| Figure::new("cpu_pressure", p.some.avg10_percent, Unit::Percent));
    Signal::lasting(EventKind::HostOverload, onset, sentence, ended)
        .cause(cause)
        .advice(advice)
        .evidence([
            Figure::new("delay_mean", mean.as_secs_f64() * 1e3, Unit::Milliseconds),
            Figure::new(
                "delay_p99",
                second.p99.as_secs_f64() * 1e3,
                Unit::Milliseconds,
            ),
            Figure::new("requests", second.requests as f64, Unit::PerSecond),
        ])
        .evidence(busiest.map(|(_, share)| Figure::new("busiest_share", share, Unit::Percent)))
        .evidence(processor.into_iter().filter(|_| !modes.is_empty()))
        .evidence(pressure)
}

#[cfg(test)]
#[path = "overload_test.rs"]
mod tests;
