//! Counting and timing of requests, mergeable over threads and intervals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};

use super::op::{OPS, Op};
use super::report::{Errors, Latency};

/// The longest time that is told apart, in nanoseconds: an hour. Longer ones count as that.
const TIME_MAX_NS: u64 = 3_600_000_000_000;

/// A distribution of times in nanoseconds; costs nothing until the first is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    /// Significant decimal digits.
    digits: u8,
    histogram: Option<Box<Histogram<u64>>>,
}

impl Timing {
    /// To three digits, at 270 KiB.
    pub(crate) fn fine() -> Self {
        Self {
            digits: 3,
            histogram: None,
        }
    }

    /// To two digits, at 37 KiB: for figures that exist once per tenant.
    pub(crate) fn coarse() -> Self {
        Self {
            digits: 2,
            histogram: None,
        }
    }

    /// Counts one time.
    #[inline]
    pub(crate) fn record(&mut self, time_ns: u64) {
        if self.histogram.is_none() {
            self.histogram = Histogram::new_with_bounds(1, TIME_MAX_NS, self.digits)
                .ok()
                .map(Box::new);
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(time_ns);
        }
    }

    /// Adds what another counted.
    pub(crate) fn merge(&mut self, other: Self) {
        match (&mut self.histogram, other.histogram) {
            (_, None) => {}
            (mine @ None, theirs) => *mine = theirs,
            // Adding fails only where the bounds differ, and all are made with the same.
            (Some(mine), Some(theirs)) => drop(mine.add(&*theirs)),
        }
    }

    /// Its figures.
    pub(crate) fn summary(&self) -> Latency {
        let Some(histogram) = &self.histogram else {
            return Latency::default();
        };
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Latency {
            count: histogram.len(),
            mean_us: histogram.mean() / 1e3,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p99_9_us: at(0.999),
            max_us: histogram.max() as f64 / 1e3,
        }
    }

    /// The whole of it as HdrHistogram's V2 encoding in base64.
    pub(crate) fn dump(&self) -> Option<String> {
        let histogram = self.histogram.as_ref()?;
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(histogram, &mut bytes).ok()?;
        Some(STANDARD.encode(bytes))
    }

    /// What [`Timing::dump`] gave; empty for anything else.
    pub(crate) fn parse(text: &str) -> Self {
        let bytes = STANDARD.decode(text).unwrap_or_default();
        let read = Deserializer::new().deserialize(&mut bytes.as_slice());
        Self {
            digits: 3,
            histogram: read.ok().map(Box::new),
        }
    }

    /// The time in milliseconds that this part of all was as quick as; 0 where nothing was counted.
    pub(crate) fn at_ms(&self, quantile: f64) -> f64 {
        let histogram = self.histogram.as_ref();
        histogram.map_or(0.0, |it| it.value_at_quantile(quantile) as f64 / 1e6)
    }
}

/// One operation's counts.
#[derive(Clone, Debug)]
pub(crate) struct OpTally {
    pub(crate) requests: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Timing,
}

impl OpTally {
    fn new() -> Self {
        Self {
            requests: 0,
            hits: 0,
            misses: 0,
            errors: 0,
            latency: Timing::fine(),
        }
    }
}

/// What happened in one stretch of a run.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) ops: [OpTally; OPS.len()],
    pub(crate) errors: Errors,
    pub(crate) reconnects: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    /// How late the requests of an open loop left although a connection was free.
    pub(crate) lag: Timing,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            ops: std::array::from_fn(|_| OpTally::new()),
            errors: Errors::default(),
            reconnects: 0,
            bytes_sent: 0,
            bytes_received: 0,
            lag: Timing::fine(),
        }
    }

    /// A request was answered: `hits` of its `keys` were there.
    #[inline]
    pub(crate) fn answered(&mut self, op: Op, keys: u32, hits: u32, latency_ns: u64) {
        let tally = &mut self.ops[op.index()];
        tally.requests += 1;
        if op != Op::Set {
            tally.hits += u64::from(hits);
            tally.misses += u64::from(keys.saturating_sub(hits));
        }
        tally.latency.record(latency_ns);
    }

    /// A request went wrong.
    pub(crate) fn failed(&mut self, op: Op, fault: Fault) {
        self.ops[op.index()].errors += 1;
        fault.count(&mut self.errors);
    }

    /// Adds what another counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, theirs) in self.ops.iter_mut().zip(other.ops) {
            mine.requests += theirs.requests;
            mine.hits += theirs.hits;
            mine.misses += theirs.misses;
            mine.errors += theirs.errors;
            mine.latency.merge(theirs.latency);
        }
        merge_errors(&mut self.errors, &other.errors);
        self.reconnects += other.reconnects;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.lag.merge(other.lag);
    }

    /// Requests answered, over all operations.
    pub(crate) fn requests(&self) -> u64 {
        self.ops.iter().map(|op| op.requests).sum()
    }

    /// Keys found and not found by retrievals.
    pub(crate) fn hits_and_misses(&self) -> (u64, u64) {
        let retrievals = OPS.iter().filter(|op| op.is_retrieval());
        retrievals.fold((0, 0), |(hits, misses), op| {
            let tally = &self.ops[op.index()];
            (hits + tally.hits, misses + tally.misses)
        })
    }

    /// The latency of all operations together.
    pub(crate) fn latency(&self) -> Timing {
        let mut all = Timing::fine();
        for op in &self.ops {
            all.merge(op.latency.clone());
        }
        all
    }
}

/// One tenant's counts over the whole measurement.
#[derive(Clone, Debug)]
pub(crate) struct TenantTally {
    pub(crate) requests: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) errors: Errors,
    pub(crate) reconnects: u64,
    pub(crate) latency: Timing,
}

impl TenantTally {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            requests: 0,
            hits: 0,
            misses: 0,
            errors: Errors::default(),
            reconnects: 0,
            latency: Timing::coarse(),
        }
    }

    /// A request was answered: `hits` of its `keys` were there.
    pub(crate) fn answered(&mut self, op: Op, keys: u32, hits: u32, latency_ns: u64) {
        self.requests += 1;
        if op.is_retrieval() {
            self.hits += u64::from(hits);
            self.misses += u64::from(keys.saturating_sub(hits));
        }
        self.latency.record(latency_ns);
    }

    /// Adds what another thread counted of the same tenant.
    pub(crate) fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.hits += other.hits;
        self.misses += other.misses;
        merge_errors(&mut self.errors, &other.errors);
        self.reconnects += other.reconnects;
        self.latency.merge(other.latency);
    }
}

/// What can go wrong, one name for each count of [`Errors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Server,
    Client,
    NotStored,
    Timeout,
    Closed,
    Protocol,
    Corrupt,
    Connect,
    Login,
}

impl Fault {
    /// Adds one to its count.
    pub(crate) fn count(self, errors: &mut Errors) {
        *match self {
            Self::Server => &mut errors.server,
            Self::Client => &mut errors.client,
            Self::NotStored => &mut errors.not_stored,
            Self::Timeout => &mut errors.timeouts,
            Self::Closed => &mut errors.closed,
            Self::Protocol => &mut errors.protocol,
            Self::Corrupt => &mut errors.corrupt,
            Self::Connect => &mut errors.connect,
            Self::Login => &mut errors.login,
        } += 1;
    }
}

fn merge_errors(mine: &mut Errors, theirs: &Errors) {
    mine.server += theirs.server;
    mine.client += theirs.client;
    mine.not_stored += theirs.not_stored;
    mine.timeouts += theirs.timeouts;
    mine.closed += theirs.closed;
    mine.protocol += theirs.protocol;
    mine.corrupt += theirs.corrupt;
    mine.connect += theirs.connect;
    mine.login += theirs.login;
}

#[cfg(test)]
#[path = "tally_test.rs"]
mod tests;
