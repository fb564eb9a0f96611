//! The well-behaved tenants' side, a process of its own: load in an open loop, and fresh connects.
//!
//! It takes one order, a line of JSON on standard input, tells what it sees as lines of JSON on
//! standard output, and ends when standard input does: so it never outlives whoever ordered it.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::DrillError;
use crate::load::{
    self, Arrivals, AuthDialect, KeySpace, Login, Mix, Mode, Plan, Target, ValueLen, Window, clock,
    login_request, login_verdict,
};

/// Dalli's defaults: a request or a connect is given up after half a second, and a server that
/// failed is left alone for 10 ms.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);
pub(crate) const FAILURE_DELAY: Duration = Duration::from_millis(10);

/// Fresh connects wait for each other on so many threads only, so that slow ones hide none.
const PROBERS: u32 = 8;
const KEYS: u64 = 1_000;
/// Not the large tenant's, where both share a cache.
const KEY_LEN: u32 = 11;

/// What the process is to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) target: SocketAddr,
    /// User name and password of each tenant; none for a server without.
    pub(crate) logins: Vec<(String, String)>,
    pub(crate) connections: u32,
    pub(crate) rate_per_s: f64,
    /// Fresh connects a second.
    pub(crate) probes_per_s: f64,
    pub(crate) seed: u64,
    pub(crate) window_ms: u64,
    /// It ends by itself after this.
    pub(crate) longest_s: u64,
}

/// What the process tells.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tell {
    /// What was seen in a stretch of time.
    Window {
        from_ns: u64,
        to_ns: u64,
        latency: Option<String>,
        lag: Option<String>,
        requests: u64,
        errors: u64,
        connect_failures: u64,
        reconnects: u64,
    },
    /// One fresh connect.
    Probe {
        due_ns: u64,
        took_ns: u64,
        failed: bool,
    },
}

/// What `drill victims` does.
pub fn run_victims() -> Result<(), DrillError> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    input
        .read_line(&mut line)
        .map_err(DrillError::system("cannot read the order"))?;
    let order: Order = serde_json::from_str(&line)
        .map_err(|error| DrillError::CannotRun(format!("not an order: {error}")))?;
    drop(input);
    let stop: &'static AtomicBool = Box::leak(Box::default());
    thread::spawn(move || {
        // Whatever ends it: the end of the input is the end of the order.
        let _ = io::copy(&mut io::stdin().lock().take(u64::MAX), &mut io::sink());
        stop.store(true, Ordering::Relaxed);
    });
    work(&order, stop)
}

fn work(order: &Order, stop: &AtomicBool) -> Result<(), DrillError> {
    let (tells, told) = channel::<Tell>();
    thread::scope(|scope| {
        for index in 0..PROBERS {
            let tells = tells.clone();
            scope.spawn(move || probe(order, index, stop, &tells));
        }
        let writer = scope.spawn(move || {
            let mut out = io::stdout().lock();
            for tell in told {
                let is_told = serde_json::to_writer(&mut out, &tell).is_ok()
                    && out.write_all(b"\n").and_then(|()| out.flush()).is_ok();
                if !is_told {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
        let mut each = |window: Window| {
            // Nobody listens only if the process is about to end.
            let _ = tells.send(tell(&window));
        };
        let outcome = load::stream(&plan(order), stop, &mut each);
        stop.store(true, Ordering::Relaxed);
        drop(tells);
        // A panic there was told by its own thread.
        let _ = writer.join();
        outcome.map_err(DrillError::load("the victims' generator"))
    })
}

fn plan(order: &Order) -> Plan {
    Plan {
        targets: vec![Target::Tcp(order.target.to_string())],
        tenants: logins(order),
        mix: Mix::default(),
        keys: KeySpace {
            count: KEYS,
            len: KEY_LEN,
            ..KeySpace::default()
        },
        value_len: ValueLen::Fixed(100),
        connections: order.connections,
        pipeline: 64,
        mode: Mode::Open {
            rate_per_s: order.rate_per_s,
            arrivals: Arrivals::Poisson,
        },
        duration: Duration::from_secs(order.longest_s),
        warmup: Duration::ZERO,
        timeout: TIMEOUT,
        reconnect_delay: FAILURE_DELAY,
        spin: false,
        progress_every: Some(Duration::from_millis(order.window_ms)),
        seed: order.seed,
        ..Plan::default()
    }
}

fn logins(order: &Order) -> Vec<Login> {
    let logins = order.logins.iter().cloned();
    logins
        .map(|(username, password)| Login { username, password })
        .collect()
}

fn tell(window: &Window) -> Tell {
    let connect_failures = window.errors.connect + window.errors.login;
    Tell::Window {
        from_ns: window.from_ns,
        to_ns: window.to_ns,
        latency: window.latency.dump(),
        lag: window.lag.dump(),
        requests: window.requests,
        // What the victims ask for was stored before, and nobody has a reason to drop it.
        errors: window.errors.total() - connect_failures + window.misses,
        connect_failures,
        reconnects: window.reconnects,
    }
}

/// One of the threads that connect, log in and go away, each at its own times.
fn probe(order: &Order, index: u32, stop: &AtomicBool, tells: &Sender<Tell>) {
    let logins = logins(order);
    let words = logins
        .first()
        .map(|login| login_request(login, AuthDialect::MemcachedY));
    let gap_ns = 1e9 * f64::from(PROBERS) / order.probes_per_s;
    let begin_ns = clock::now_ns() as f64 + gap_ns * f64::from(index) / f64::from(PROBERS);
    for number in 0u32.. {
        let due_ns = (begin_ns + gap_ns * f64::from(number)) as u64;
        clock::sleep_until(due_ns);
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let failed = connect(order.target, words.as_deref()).is_err();
        let took_ns = clock::now_ns().saturating_sub(due_ns);
        let tell = Tell::Probe {
            due_ns,
            took_ns,
            failed,
        };
        if tells.send(tell).is_err() {
            return;
        }
    }
}

/// Connects and logs in, or asks for the version where there is nothing to log in to.
fn connect(target: SocketAddr, login: Option<&[u8]>) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&target, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(login.unwrap_or(b"version\r\n"))?;
    let mut reply = [0; 256];
    let len = stream.read(&mut reply)?;
    let is_right = match login {
        Some(_) => matches!(
            login_verdict(&reply[..len], AuthDialect::MemcachedY),
            Some(Ok(_))
        ),
        None => reply[..len].starts_with(b"VERSION"),
    };
    match is_right {
        true => Ok(()),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
#[path = "victim_process_test.rs"]
mod tests;
