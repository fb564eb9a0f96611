//! Which requests count: sorts what happens into intervals, tenants and the prefill.

use super::connection::{Corruption, Flight};
use super::op::Op;
use super::tally::{Fault, Tally, TenantTally, Timing};
use super::wire::Ending;

/// One thread's records.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Requests due before this belong to an earlier phase and are not counted.
    pub(crate) since_ns: u64,
    /// The interval since the last report of progress.
    pub(crate) interval: Tally,
    /// Whether the phase is the one that tenants' figures are about.
    pub(crate) is_measured: bool,
    pub(crate) tenants: Vec<TenantTally>,
    pub(crate) connect: Timing,
    /// Items confirmed, whatever the phase.
    pub(crate) stored: u64,
    /// The phase's first reply that was an error, in the server's words.
    pub(crate) first_error: Option<String>,
    /// When the last request was answered.
    pub(crate) last_ns: u64,
}

impl Recorder {
    /// For so many tenants; 0 where there are no logins.
    pub(crate) fn new(tenants: usize) -> Self {
        Self {
            since_ns: 0,
            interval: Tally::new(),
            is_measured: false,
            tenants: (0..tenants).map(|_| TenantTally::new()).collect(),
            connect: Timing::fine(),
            stored: 0,
            first_error: None,
            last_ns: 0,
        }
    }

    /// Begins a phase: only requests due from `since_ns` on count.
    pub(crate) fn begin(&mut self, since_ns: u64, is_measured: bool) {
        self.since_ns = since_ns;
        self.is_measured = is_measured;
        self.last_ns = since_ns;
        self.first_error = None;
    }

    /// Whether a request that is due then counts.
    #[inline]
    pub(crate) fn counts(&self, due_ns: u64) -> bool {
        due_ns >= self.since_ns
    }

    /// Hands out the interval and begins the next.
    pub(crate) fn take_interval(&mut self) -> Tally {
        std::mem::replace(&mut self.interval, Tally::new())
    }

    /// Bytes came in.
    #[inline]
    pub(crate) fn received(&mut self, count: usize) {
        self.interval.bytes_received += count as u64;
    }

    /// Bytes went out.
    #[inline]
    pub(crate) fn sent(&mut self, count: usize) {
        self.interval.bytes_sent += count as u64;
    }

    /// A request was answered at `now_ns`.
    #[inline]
    pub(crate) fn answered(&mut self, tenant: usize, flight: &Flight, hits: u32, now_ns: u64) {
        self.stored += u64::from(flight.op == Op::Set);
        if !self.counts(flight.due_ns) {
            return;
        }
        self.last_ns = now_ns;
        let latency_ns = now_ns.saturating_sub(flight.due_ns);
        self.interval
            .answered(flight.op, flight.keys, hits, latency_ns);
        if let Some(tally) = self.measured_tenant(tenant) {
            tally.answered(flight.op, flight.keys, hits, latency_ns);
        }
    }

    /// A request was answered by an error, or by nonsense.
    pub(crate) fn failed(
        &mut self,
        tenant: usize,
        flight: &Flight,
        fault: Fault,
        ending: Ending<'_>,
    ) {
        if self.first_error.is_none() && flight.due_ns >= self.since_ns {
            self.first_error = Some(words(fault, ending));
        }
        self.lost(tenant, flight, fault);
    }

    /// A request was answered by other bytes than were stored.
    pub(crate) fn corrupt(&mut self, tenant: usize, flight: &Flight, corruption: Corruption) {
        if self.first_error.is_none() && flight.due_ns >= self.since_ns {
            let id = flight.id;
            self.first_error = Some(match (flight.op, corruption) {
                (Op::Mget, wrong) => format!("corrupt hit in an mget: {wrong:?}"),
                (_, wrong) => format!("corrupt hit of key number {id}: {wrong:?}"),
            });
        }
        self.lost(tenant, flight, Fault::Corrupt);
    }

    /// A request will get no answer.
    pub(crate) fn lost(&mut self, tenant: usize, flight: &Flight, fault: Fault) {
        if flight.due_ns < self.since_ns {
            return;
        }
        self.interval.failed(flight.op, fault);
        if let Some(tally) = self.measured_tenant(tenant) {
            fault.count(&mut tally.errors);
        }
    }

    /// A request was given up at `now_ns`: it was at least as slow as that.
    pub(crate) fn gave_up(&mut self, tenant: usize, flight: &Flight, now_ns: u64) {
        self.lost(tenant, flight, Fault::Timeout);
        self.overdue(tenant, flight, now_ns);
    }

    /// A request was due, and has taken this long without an end.
    pub(crate) fn overdue(&mut self, tenant: usize, flight: &Flight, now_ns: u64) {
        if flight.due_ns < self.since_ns {
            return;
        }
        let latency_ns = now_ns.saturating_sub(flight.due_ns);
        self.interval.ops[flight.op.index()]
            .latency
            .record(latency_ns);
        if let Some(tally) = self.measured_tenant(tenant) {
            tally.latency.record(latency_ns);
        }
    }

    /// A connection could not be opened again.
    pub(crate) fn not_opened(&mut self, tenant: usize, fault: Fault) {
        fault.count(&mut self.interval.errors);
        if let Some(tally) = self.measured_tenant(tenant) {
            fault.count(&mut tally.errors);
        }
    }

    /// A connection was opened again.
    pub(crate) fn reconnected(&mut self, tenant: usize) {
        self.interval.reconnects += 1;
        if let Some(tally) = self.measured_tenant(tenant) {
            tally.reconnects += 1;
        }
    }

    fn measured_tenant(&mut self, tenant: usize) -> Option<&mut TenantTally> {
        if !self.is_measured {
            return None;
        }
        self.tenants.get_mut(tenant)
    }
}

fn words(fault: Fault, ending: Ending<'_>) -> String {
    let text = match ending {
        Ending::ServerError(words) | Ending::ClientError(words) | Ending::Garbage(words) => {
            String::from_utf8_lossy(words).into_owned()
        }
        _ => format!("{fault:?}"),
    };
    text.chars().take(100).collect()
}

#[cfg(test)]
#[path = "recorder_test.rs"]
mod tests;
