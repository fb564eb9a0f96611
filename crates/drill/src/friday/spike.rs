//! The large tenant: its mix, the capacity for it, and the spike at several times that.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::task::Task;
use super::timeline::Span;
use super::victim_process::{FAILURE_DELAY, TIMEOUT};
use crate::error::DrillError;
use crate::load::{
    self, Arrivals, KeySpace, LoadError, Login, Mix, Mode, Plan, Target, ValueLen, Window,
};

const GENERATOR: &str = "the large tenant's generator";
const KEYS: u64 = 20_000;
const KEY_LEN: u32 = 12;
const MGET_KEYS: u32 = 100;
/// Requests that leave in one write, as a page that needs much at once sends them.
const BATCH: u32 = 16;
const CONNECTIONS: u32 = 256;
/// Enough to keep a server busy without pause.
const CONNECTIONS_FOR_CAPACITY: u32 = 64;
/// Requests under way on a connection at the most; sockets are full before that.
const PIPELINE_MAX: u32 = 4_096;
const WINDOW: Duration = Duration::from_millis(100);
/// One value in so many is large.
const LARGE_ONE_IN: usize = 200;
const LARGE_LEN: u32 = 64 * 1024;
const SMALL_LEN: u32 = 100;

/// How fast the server is at the large tenant's mix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Capacity {
    /// Requests a second.
    pub(crate) per_s: f64,
    /// Keys a second that were asked for and there.
    pub(crate) keys_per_s: f64,
    /// Bytes that the client sends for one.
    pub(crate) bytes_per_request: f64,
}

/// What the spike brought about in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Served {
    /// Requests that were answered with what they asked for. One that was given some of its keys
    /// counts as that part of a request: so do its costs.
    pub(crate) requests: f64,
    /// Keys that were asked for and there.
    pub(crate) keys: f64,
    /// Requests that were told that nothing is there though it is, or that nothing was stored.
    pub(crate) refused: f64,
    /// Requests that were written to sockets.
    pub(crate) offered: f64,
    /// Connections that were given up or lost, and opened again.
    pub(crate) reconnects: u64,
    pub(crate) seconds: f64,
}

/// Whom the large tenant is to bother, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    pub(crate) target: SocketAddr,
    pub(crate) login: Option<Login>,
    pub(crate) seed: u64,
    /// It ends by itself after this.
    pub(crate) longest: Duration,
}

/// A spike under way.
#[derive(Debug)]
pub(crate) struct Spike {
    task: Task<Result<(), LoadError>>,
    windows: Receiver<Window>,
    seen: Vec<Window>,
}

impl Spike {
    /// As fast as the server answers: what its capacity is measured by. Stores all keys first.
    pub(crate) fn saturate(aim: &Aim) -> Result<Self, DrillError> {
        Self::start(Plan {
            connections: CONNECTIONS_FOR_CAPACITY,
            pipeline: 2 * BATCH,
            mode: Mode::Closed,
            timeout: Duration::from_secs(5),
            prefill: true,
            ..plan(aim)
        })
    }

    /// So many requests a second, whatever the server does.
    pub(crate) fn offer(aim: &Aim, rate_per_s: f64) -> Result<Self, DrillError> {
        Self::start(Plan {
            mode: Mode::Open {
                rate_per_s,
                arrivals: Arrivals::Poisson,
            },
            ..plan(aim)
        })
    }

    fn start(plan: Plan) -> Result<Self, DrillError> {
        let (news, windows) = channel();
        let task = Task::start("spike", move |stop| {
            // Nobody listens only if the drill is being given up.
            load::stream(&plan, stop, &mut |window| drop(news.send(window)))
        })?;
        Ok(Self {
            task,
            windows,
            seen: Vec::new(),
        })
    }

    /// Takes in what was told since the last time; an error if it has ended by itself.
    pub(crate) fn listen(&mut self) -> Result<(), DrillError> {
        self.seen.extend(self.windows.try_iter());
        if !self.task.is_over() {
            return Ok(());
        }
        Err(match self.task.take_outcome() {
            Some(Err(error)) => DrillError::load(GENERATOR)(error),
            // It runs for longer than all phases together.
            Some(Ok(())) => DrillError::CannotRun(format!("{GENERATOR} ended before its time")),
            None => DrillError::load(GENERATOR)(LoadError::ThreadLost),
        })
    }

    /// Whether requests are being sent.
    pub(crate) fn is_on(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Tells it to end, without waiting for it.
    pub(crate) fn end(&self) {
        self.task.end();
    }

    /// Ends it, whatever has become of it; what was seen until then.
    pub(crate) fn seen(self) -> Vec<Window> {
        self.task.finish();
        let mut seen = self.seen;
        seen.extend(self.windows.try_iter());
        seen
    }

    /// Ends it; an error if it could not do its work.
    pub(crate) fn finish(self) -> Result<Vec<Window>, DrillError> {
        let outcome = self.task.finish().unwrap_or(Err(LoadError::ThreadLost));
        let mut seen = self.seen;
        seen.extend(self.windows.try_iter());
        outcome.map_err(DrillError::load(GENERATOR))?;
        Ok(seen)
    }
}

impl Capacity {
    /// From the windows of a saturated server, the first of which is not counted.
    pub(crate) fn of(windows: &[Window]) -> Self {
        let full = windows.get(1..).unwrap_or_default();
        let requests: u64 = full.iter().map(|it| it.requests).sum();
        let keys: u64 = full.iter().map(|it| it.hits).sum();
        let bytes: u64 = full.iter().map(|it| it.bytes_sent).sum();
        let ns: u64 = full
            .iter()
            .map(|it| it.to_ns.saturating_sub(it.from_ns))
            .sum();
        let per_s = |count: u64| count as f64 * 1e9 / ns.max(1) as f64;
        Self {
            per_s: per_s(requests),
            keys_per_s: per_s(keys),
            bytes_per_request: bytes as f64 / requests.max(1) as f64,
        }
    }

    /// Between this and `other`, as the machine was between them.
    pub(crate) fn mean(self, other: Self) -> Self {
        let mean = |of: fn(&Self) -> f64| f64::midpoint(of(&self), of(&other));
        Self {
            per_s: mean(|it| it.per_s),
            keys_per_s: mean(|it| it.keys_per_s),
            bytes_per_request: mean(|it| it.bytes_per_request),
        }
    }
}

impl Served {
    /// From the windows within `span`.
    pub(crate) fn of(windows: &[Window], span: Span, capacity: Capacity) -> Self {
        let mut sum = Self::default();
        let within = |it: &&Window| it.from_ns >= span.from_ns && it.to_ns <= span.to_ns;
        for window in windows.iter().filter(within) {
            let keys = (window.hits + window.misses).max(1) as f64;
            let refused = window.requests as f64 * window.misses as f64 / keys;
            sum.requests += window.requests as f64 - refused;
            sum.keys += window.hits as f64;
            sum.reconnects += window.reconnects;
            sum.refused += refused + window.errors.not_stored as f64;
            sum.offered += window.bytes_sent as f64 / capacity.bytes_per_request.max(1.0);
            sum.seconds += window.to_ns.saturating_sub(window.from_ns) as f64 / 1e9;
        }
        sum
    }

    /// How many times the capacity was offered.
    pub(crate) fn multiple(&self, capacity: Capacity) -> f64 {
        self.offered / (capacity.per_s * self.seconds).max(1.0)
    }

    /// The served requests' cost as a part of what `victims_cpu`, the victims' part of the server's
    /// core, leaves of its capacity.
    ///
    /// It is told by the keys that were found: nearly all of the cost is in them, and all are of one
    /// mix, so that each costs the same in the long run, the core's time divided by the capacity. Of
    /// changes, which cost little, more may be carried out than there would be room for of lists.
    pub(crate) fn share(&self, capacity: Capacity, victims_cpu: f64) -> f64 {
        let left = capacity.keys_per_s * (1.0 - victims_cpu.clamp(0.0, 0.99)) * self.seconds;
        self.keys / left.max(1.0)
    }
}

fn plan(aim: &Aim) -> Plan {
    Plan {
        targets: vec![Target::Tcp(aim.target.to_string())],
        tenants: aim.login.iter().cloned().collect(),
        mix: Mix {
            get: 0,
            set: 5,
            mget: 95,
            mget_keys: MGET_KEYS,
            ..Mix::default()
        },
        keys: KeySpace {
            count: KEYS,
            len: KEY_LEN,
            ..KeySpace::default()
        },
        value_len: value_len(),
        connections: CONNECTIONS,
        pipeline: PIPELINE_MAX,
        batch: BATCH,
        duration: aim.longest,
        warmup: Duration::ZERO,
        prefill: false,
        timeout: TIMEOUT,
        reconnect_delay: FAILURE_DELAY,
        spin: false,
        progress_every: Some(WINDOW),
        seed: aim.seed,
        ..Plan::default()
    }
}

/// Small values, and a large one now and then.
fn value_len() -> ValueLen {
    let mut lens = vec![SMALL_LEN; LARGE_ONE_IN];
    lens[0] = LARGE_LEN;
    ValueLen::List(lens)
}

/// One request of the mix, for connections that will not read its reply.
pub(crate) fn request() -> Vec<u8> {
    let mut line = b"get".to_vec();
    for id in 0..MGET_KEYS {
        line.extend_from_slice(format!(" k{id:0width$}", width = KEY_LEN as usize - 1).as_bytes());
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
#[path = "spike_test.rs"]
mod tests;
