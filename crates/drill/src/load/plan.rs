//! What a run is to do: everything that can be asked of the generator, and whether it makes sense.

use std::path::PathBuf;
use std::time::Duration;

use super::error::LoadError;

/// One run of the generator. Start from [`Plan::default`] and set what differs.
///
/// `cofferdam load` has a flag for each: `--target` (repeatable), `--login USER:PASSWORD`
/// (repeatable), `--protocol`, `--auth`, `--mix`, `--keys`, `--key-len`, `--distribution`,
/// `--value-len`, `--expiry`, `--connections`, `--pipeline`, `--rate` (makes it an open loop) with
/// `--arrivals`, `--duration`, `--warmup`, `--no-prefill`, `--requests`, `--hold`, `--verify`,
/// `--timeout`, `--threads`, `--seed`, `--histogram`. Those of a type of this module are read by its
/// `FromStr`, which says what is wrong with a bad one.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where to connect; connections are spread evenly over all of them.
    pub targets: Vec<Target>,
    /// Whom to connect as; connections are spread evenly over all. Empty: without authentication.
    pub tenants: Vec<Login>,
    /// The protocol spoken.
    pub protocol: Protocol,
    /// How a login is said; of no effect without tenants.
    pub auth: AuthDialect,
    /// Which operations, in which proportion.
    pub mix: Mix,
    /// Which keys.
    pub keys: KeySpace,
    /// How long values are; a key always has the same value of the same length for one seed.
    pub value_len: ValueLen,
    /// The expiry sent with every `set` and `touch`, in seconds; 0 is never.
    pub expiry_s: u32,
    /// Connections in total.
    pub connections: u32,
    /// Requests that one connection may have under way.
    pub pipeline: u32,
    /// Whether the next request waits for a reply (closed) or for its time (open).
    pub mode: Mode,
    /// How long is measured.
    pub duration: Duration,
    /// How long load runs before anything is measured.
    pub warmup: Duration,
    /// Store every key once before the run, and fail unless all were stored.
    pub prefill: bool,
    /// End after this many measured requests, if that is before `duration`.
    pub requests: Option<u64>,
    /// Instead of load: one `get` on each connection, then keep all open and idle for this long.
    pub hold: Option<Duration>,
    /// Compare every byte of every hit with what the key's value must be; so nobody else, and no run
    /// with another seed or other lengths, may have stored values under these keys.
    pub verify: bool,
    /// A request without its reply after this long is given up and its connection reopened; also
    /// the longest that connecting and authenticating may take.
    pub timeout: Duration,
    /// How long a connection that broke is left alone before it is opened again; longer after each
    /// further failure, up to a second.
    pub reconnect_delay: Duration,
    /// Requests of an open loop that are due together and leave in one write.
    pub batch: u32,
    /// Whether a thread of an open loop spins shortly before a request is due. It leaves sooner
    /// then, but nobody else can use the core.
    pub spin: bool,
    /// How often progress is told; without it nobody but the load itself runs while it is measured.
    pub progress_every: Option<Duration>,
    /// Threads that share the connections.
    pub threads: u32,
    /// Every random choice and every value byte follow from it.
    pub seed: u64,
    /// Put the whole latency histogram into the report.
    pub dump_histogram: bool,
}

impl Default for Plan {
    /// Ten seconds of 90 % `get` and 10 % `set` on 50 connections, one request at a time.
    fn default() -> Self {
        Self {
            targets: vec![Target::Tcp("127.0.0.1:11211".into())],
            tenants: Vec::new(),
            protocol: Protocol::Text,
            auth: AuthDialect::MemcachedY,
            mix: Mix::default(),
            keys: KeySpace::default(),
            value_len: ValueLen::Fixed(100),
            expiry_s: 0,
            connections: 50,
            pipeline: 1,
            mode: Mode::Closed,
            duration: Duration::from_secs(10),
            warmup: Duration::from_secs(1),
            prefill: true,
            requests: None,
            hold: None,
            verify: false,
            timeout: Duration::from_secs(5),
            reconnect_delay: Duration::ZERO,
            batch: 1,
            spin: true,
            progress_every: Some(Duration::from_secs(1)),
            threads: 1,
            seed: 1,
            dump_histogram: false,
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// `HOST:PORT`; a name is looked up when the run starts.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A tenant's name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password; never shown by `Debug`.
    pub password: String,
}

/// The protocol spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `get`, `set` and their kin.
    Text,
    /// `mg`, `ms` and their kin.
    Meta,
    /// The binary protocol.
    Binary,
}

/// How a login is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthDialect {
    /// A first `set` of any key whose value is `user password`, as `memcached -Y` has it.
    MemcachedY,
    /// A first `set` whose key is the user and whose value is the password.
    KeyIsUser,
    /// SASL PLAIN; binary protocol only.
    Sasl,
}

/// Shares of the operations; they need not add up to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Retrievals of one key.
    pub get: u32,
    /// Stores.
    pub set: u32,
    /// Retrievals of `mget_keys` keys in one request.
    pub mget: u32,
    /// Removals.
    pub delete: u32,
    /// Changes of an item's end.
    pub touch: u32,
    /// Keys in one `mget`.
    pub mget_keys: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            get: 90,
            set: 10,
            mget: 0,
            delete: 0,
            touch: 0,
            mget_keys: 50,
        }
    }
}

/// The keys that every tenant has, and how often each is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeySpace {
    /// How many.
    pub count: u64,
    /// Their length in bytes.
    pub len: u32,
    /// Which are asked for.
    pub distribution: Distribution,
}

impl Default for KeySpace {
    fn default() -> Self {
        Self {
            count: 100_000,
            len: 12,
            distribution: Distribution::Uniform,
        }
    }
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// All equally often.
    Uniform,
    /// The k-th most popular key in proportion to 1 / k^theta.
    Zipf(f64),
    /// One after another; each connection walks through its own part.
    Sequential,
}

/// How long values are, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueLen {
    /// All equally long.
    Fixed(u32),
    /// Any length from the first to the second, both included.
    Uniform(u32, u32),
    /// One of these.
    List(Vec<u32>),
}

impl ValueLen {
    /// The longest that occurs, in bytes.
    pub fn max(&self) -> u32 {
        match self {
            Self::Fixed(len) => *len,
            Self::Uniform(_, high) => *high,
            Self::List(lens) => lens.iter().copied().max().unwrap_or(0),
        }
    }
}

/// What the next request waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// A reply on the same connection: as fast as the server answers.
    Closed,
    /// Its own time: latency counts from then, however late the request could leave.
    Open {
        /// Requests per second over all connections.
        rate_per_s: f64,
        /// How they are spread in time.
        arrivals: Arrivals,
    },
}

/// How requests are spread in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// At random and independently of each other, as many users send them.
    Poisson,
    /// At equal distances.
    Fixed,
}

/// The longest value, in bytes.
const VALUE_LEN_MAX: u32 = 1 << 30;
/// The most requests that one connection may have under way.
const PIPELINE_MAX: u32 = 65_536;
/// The most keys in one `mget`.
const MGET_KEYS_MAX: u32 = 10_000;

impl Plan {
    /// Says what is wrong with the plan, if anything is, with its remedy.
    pub fn validate(&self) -> Result<(), LoadError> {
        self.validate_parties()?;
        self.validate_requests()?;
        self.validate_pace()
    }

    fn validate_parties(&self) -> Result<(), LoadError> {
        refuse_if(self.targets.is_empty(), || {
            "no target: give at least one HOST:PORT or socket path".into()
        })?;
        refuse_if(self.connections == 0, || {
            "connections is 0: give at least 1".into()
        })?;
        refuse_if(self.threads == 0, || "threads is 0: give at least 1".into())?;
        refuse_if(self.threads > self.connections, || {
            format!(
                "{} threads for {} connections: give each thread at least one",
                self.threads, self.connections
            )
        })?;
        refuse_if(self.tenants.len() > self.connections as usize, || {
            format!(
                "{} tenants for {} connections: give each tenant at least one",
                self.tenants.len(),
                self.connections
            )
        })?;
        let sasl = self.auth == AuthDialect::Sasl;
        let binary = self.protocol == Protocol::Binary;
        refuse_if(!self.tenants.is_empty() && sasl != binary, || {
            if sasl {
                "SASL needs the binary protocol: choose binary, or another way to log in".into()
            } else {
                "the binary protocol logs in by SASL only: choose sasl, or another protocol".into()
            }
        })
    }

    fn validate_requests(&self) -> Result<(), LoadError> {
        let mix = &self.mix;
        let shares = [mix.get, mix.set, mix.mget, mix.delete, mix.touch];
        refuse_if(shares.iter().all(|share| *share == 0), || {
            "every share of the mix is 0: give at least one operation".into()
        })?;
        refuse_if(
            mix.mget > 0 && !(1..=MGET_KEYS_MAX).contains(&mix.mget_keys),
            || {
                format!(
                    "{} keys in one mget: give 1 to {MGET_KEYS_MAX}",
                    mix.mget_keys
                )
            },
        )?;
        refuse_if(self.requests == Some(0), || {
            "no requests: give at least 1, or leave --requests out".into()
        })?;
        refuse_if(self.keys.count == 0, || "no keys: give at least 1".into())?;
        super::keys::Keys::check(self.keys.count, self.keys.len).map_err(LoadError::Plan)?;
        if let Distribution::Zipf(theta) = self.keys.distribution {
            refuse_if(!(theta.is_finite() && theta > 0.0 && theta <= 10.0), || {
                format!("Zipf exponent {theta}: give a number above 0, at most 10")
            })?;
        }
        self.validate_values()
    }

    fn validate_values(&self) -> Result<(), LoadError> {
        match &self.value_len {
            ValueLen::Uniform(low, high) => refuse_if(low > high, || {
                format!("value lengths from {low} to {high}: give the smaller first")
            })?,
            ValueLen::List(lens) => {
                refuse_if(lens.is_empty(), || {
                    "the list of value lengths is empty".into()
                })?;
            }
            ValueLen::Fixed(_) => {}
        }
        refuse_if(self.value_len.max() > VALUE_LEN_MAX, || {
            format!(
                "values of {} bytes: at most {VALUE_LEN_MAX}",
                self.value_len.max()
            )
        })
    }

    fn validate_pace(&self) -> Result<(), LoadError> {
        refuse_if(!(1..=PIPELINE_MAX).contains(&self.pipeline), || {
            format!("pipeline of {}: give 1 to {PIPELINE_MAX}", self.pipeline)
        })?;
        refuse_if(!(1..=PIPELINE_MAX).contains(&self.batch), || {
            format!("batch of {}: give 1 to {PIPELINE_MAX}", self.batch)
        })?;
        refuse_if(self.progress_every == Some(Duration::ZERO), || {
            "progress every 0 s: give the time between two reports".into()
        })?;
        refuse_if(self.timeout.is_zero(), || {
            "timeout is 0: give the time after which a request is given up".into()
        })?;
        refuse_if(self.duration.is_zero() && self.hold.is_none(), || {
            "duration is 0: give the time to measure".into()
        })?;
        if let Mode::Open { rate_per_s, .. } = self.mode {
            refuse_if(
                !(rate_per_s.is_finite() && rate_per_s > 0.0 && rate_per_s <= 1e8),
                || {
                    format!(
                        "rate of {rate_per_s} requests/s: give a number above 0, at most 100000000"
                    )
                },
            )?;
        }
        Ok(())
    }
}

fn refuse_if(wrong: bool, why: impl FnOnce() -> String) -> Result<(), LoadError> {
    if wrong {
        return Err(LoadError::Plan(why()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
