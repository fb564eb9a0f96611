//! What a run has found.

use serde::Serialize;

/// The figures of one run. Latencies are in microseconds.
///
/// Latency counts every request that was due: answered ones with the time to their reply, and those
/// that were given up with the time until then. Replies that are errors, and requests lost with their
/// connection, are counted, not timed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// `text`, `meta` or `binary`.
    pub protocol: String,
    /// `closed`, `open` or `hold`.
    pub mode: &'static str,
    /// Connections in total.
    pub connections: u32,
    /// Requests that one connection may have under way.
    pub pipeline: u32,
    /// The seed to run it again.
    pub seed: u64,
    /// How long was measured, in seconds.
    pub elapsed_s: f64,
    /// Requests answered without an error; an `mget` is one.
    pub requests: u64,
    /// Of these, per second.
    pub ops_per_s: f64,
    /// Keys asked for by all retrievals.
    pub keys_read: u64,
    /// Keys found.
    pub hits: u64,
    /// Keys not found.
    pub misses: u64,
    /// Bytes written to sockets.
    pub bytes_sent: u64,
    /// Bytes read from sockets.
    pub bytes_received: u64,
    /// What went wrong, by kind.
    pub errors: Errors,
    /// The first reply that was an error, in the server's words.
    pub first_error: Option<String>,
    /// Connections opened again after they broke or timed out.
    pub reconnects: u64,
    /// All operations together.
    pub latency: Latency,
    /// From connecting until ready for requests, login included.
    pub connect: Latency,
    /// Each operation that occurred.
    pub by_op: Vec<OpReport>,
    /// Each tenant, if logins were given.
    pub by_tenant: Vec<TenantReport>,
    /// What was stored before the run.
    pub prefill: Option<Prefill>,
    /// What an open loop adds.
    pub open: Option<OpenReport>,
    /// What holding idle connections adds.
    pub hold: Option<HoldReport>,
    /// How the generator itself fared.
    pub generator: Generator,
    /// The whole latency histogram in nanoseconds, HdrHistogram V2 in base64, if asked for.
    pub histogram: Option<String>,
}

/// What went wrong, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// `SERVER_ERROR` and its binary kin.
    pub server: u64,
    /// `ERROR`, `CLIENT_ERROR` and their binary kin.
    pub client: u64,
    /// `NOT_STORED` where a value should have been stored.
    pub not_stored: u64,
    /// Requests given up after the timeout.
    pub timeouts: u64,
    /// Requests lost because the server closed the connection.
    pub closed: u64,
    /// Replies that are none, or not to the request made.
    pub protocol: u64,
    /// Hits with other bytes than were stored.
    pub corrupt: u64,
    /// Attempts to connect again that failed.
    pub connect: u64,
    /// Logins refused when connecting again.
    pub login: u64,
}

impl Errors {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_name().iter().map(|(_, count)| count).sum()
    }

    /// Each with the name that it has in the report.
    pub fn by_name(&self) -> [(&'static str, u64); 9] {
        [
            ("server", self.server),
            ("client", self.client),
            ("not_stored", self.not_stored),
            ("timeouts", self.timeouts),
            ("closed", self.closed),
            ("protocol", self.protocol),
            ("corrupt", self.corrupt),
            ("connect", self.connect),
            ("login", self.login),
        ]
    }
}

/// A latency distribution in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// Their mean.
    pub mean_us: f64,
    /// Half were as quick as this.
    pub p50_us: f64,
    /// 90 %.
    pub p90_us: f64,
    /// 99 %.
    pub p99_us: f64,
    /// 99.9 %.
    pub p99_9_us: f64,
    /// The slowest.
    pub max_us: f64,
}

/// One operation's figures.
#[derive(Clone, Debug, Serialize)]
pub struct OpReport {
    /// `get`, `set`, `mget`, `delete` or `touch`.
    pub op: &'static str,
    /// Requests answered without an error.
    pub requests: u64,
    /// Keys that were there.
    pub hits: u64,
    /// Keys that were not.
    pub misses: u64,
    /// Requests that went wrong.
    pub errors: u64,
    /// Its latency.
    pub latency: Latency,
}

/// One tenant's figures.
#[derive(Clone, Debug, Serialize)]
pub struct TenantReport {
    /// Its user name.
    pub tenant: String,
    /// Requests answered without an error.
    pub requests: u64,
    /// Of these, per second.
    pub ops_per_s: f64,
    /// Keys found.
    pub hits: u64,
    /// Keys not found.
    pub misses: u64,
    /// What went wrong, by kind.
    pub errors: Errors,
    /// Connections opened again.
    pub reconnects: u64,
    /// Its latency, of all operations together.
    pub latency: Latency,
}

/// What was stored before the run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Prefill {
    /// Items confirmed by the server, over all tenants and targets.
    pub items: u64,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
}

/// What an open loop adds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct OpenReport {
    /// Requests per second that the plan asked for.
    pub rate_asked_per_s: f64,
    /// Requests that were due.
    pub due: u64,
    /// Of these, sent late because every connection was full.
    pub waited: u64,
    /// Of these, never sent: still waiting when the run was given up.
    pub unsent: u64,
}

/// What holding idle connections adds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct HoldReport {
    /// Connections that answered their one `get`.
    pub opened: u64,
    /// Connections that were still open at the end.
    pub alive: u64,
}

/// How the generator itself fared: whether its figures can be trusted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Generator {
    /// CPU that its threads used while measuring, in seconds.
    pub cpu_s: f64,
    /// The busiest thread's CPU as a part of its wall time, waiting in a spin not counted.
    pub busy: f64,
    /// Every thread's.
    pub threads: Vec<ThreadReport>,
    /// Open loop only: how late requests left although a connection was free.
    pub lag: Latency,
    /// What else went on while requests were due.
    pub outside: Outside,
}

/// What went on beside the generator while it measured, from shortly before on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outside {
    /// Taken from all cores together by the host: exactly where debugfs is mounted and may be read, in
    /// whole clock ticks elsewhere.
    pub stolen_ms: f64,
    /// How long the generator's first thread waited for a core.
    pub waited_ms: f64,
    /// Who else ran: the servers, if they are here, and threads of the kernel among them.
    pub others: Vec<Other>,
}

/// Another process, or thread of the kernel, that ran.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Other {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// How long its threads ran, those that are still there.
    pub ran_ms: f64,
}

/// One thread of the generator.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ThreadReport {
    /// CPU used while measuring, in seconds.
    pub cpu_s: f64,
    /// Of that, spent spinning for the next request's time.
    pub spin_s: f64,
    /// CPU less spinning, as a part of wall time.
    pub busy: f64,
}

/// How a run is going; given about once a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Seconds since this phase began.
    pub elapsed_s: f64,
    /// Requests answered since the last progress (in `Prefill`: items stored).
    pub requests: u64,
    /// Of these, per second.
    pub ops_per_s: f64,
    /// Keys found and not found since the last progress.
    pub hits: u64,
    /// Keys not found since the last progress.
    pub misses: u64,
    /// Errors since the last progress.
    pub errors: u64,
    /// Connections opened again since the last progress.
    pub reconnects: u64,
    /// Half of the requests since the last progress were as quick as this, in microseconds.
    pub p50_us: f64,
    /// 99 % of the requests since the last progress were as quick as this, in microseconds.
    pub p99_us: f64,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening connections.
    Connect,
    /// Storing every key.
    Prefill,
    /// Load that is not measured.
    Warmup,
    /// Load that is measured.
    Measure,
    /// Keeping idle connections open.
    Hold,
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
