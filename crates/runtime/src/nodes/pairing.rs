//! Tries out the way to another node: round trips at an even pace, while bytes go both ways over a second
//! connection.

use std::io;
use std::thread;
use std::time::Duration;

use base::Timestamp;
use fleet::gate::Pace;
use node_proto::PIECE_LEN_MAX;
use node_proto::gate::{PairResult, ROUND_TRIPS_MAX, Segments};

use super::call::{Call, Callee, is_late};
use crate::Clock;

/// How long connecting may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// A round trip that takes longer is not answered.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// The longest that a way is tried out.
const LENGTH_MAX: Duration = Duration::from_secs(10);
const SMALL: [u8; 64] = [1; 64];
/// Pieces of a burst. It grows while it is over in less than [`QUICK`]: on a slow way one is enough.
const BURST_MAX: u64 = 16;
const QUICK: Duration = Duration::from_millis(50);

/// How it is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// For how long.
    pub length: Duration,
    /// Round trips a second at most.
    pub requests_per_s: u32,
    /// Bytes a second at most, both ways together.
    pub bytes_per_s: u64,
}

/// How it is told that one node cannot use another; anything else that is told says nothing of the other.
pub fn cannot_use(caller: &str, called: &str) -> String {
    format!("{caller} cannot use {called}")
}

/// Tries the way to `callee` out.
///
/// # Errors
/// It cannot be reached, or went away.
pub fn pair(callee: &Callee, load: &Load) -> io::Result<PairResult> {
    let (mut small, mut bulk) = (
        Call::open(callee, CONNECT_PATIENCE)?,
        Call::open(callee, CONNECT_PATIENCE)?,
    );
    let clock = callee.clock;
    let until = clock.now() + load.length.min(LENGTH_MAX);
    let (seen, carried) = thread::scope(|scope| {
        let carrying = thread::Builder::new().name("gate-bulk".into());
        let carrying = carrying.spawn_scoped(scope, || carry(&mut bulk, clock, load, until))?;
        let seen = go_round(&mut small, clock, load, until);
        let carried = carrying.join().unwrap_or_else(|_| {
            let text = "the thread that carries bytes broke off";
            Err(io::Error::other(text))
        });
        Ok::<_, io::Error>((seen, carried))
    })?;
    let (mut seen, carried) = (seen?, carried?);
    let all = [
        seen.segments,
        carried.segments,
        small.segments(),
        bulk.segments(),
    ];
    seen.segments = all
        .into_iter()
        .fold(Segments::default(), |sum, it| Segments {
            sent: sum.sent.saturating_add(it.sent),
            resent: sum.resent.saturating_add(it.resent),
        });
    Ok(PairResult {
        up_per_s: carried.up.per_s(),
        down_per_s: carried.down.per_s(),
        ..seen
    })
}

/// Round trips of small messages, one at a time.
fn go_round(
    call: &mut Call,
    clock: Clock,
    load: &Load,
    until: Timestamp,
) -> io::Result<PairResult> {
    let mut pace = Pace::new(clock.now(), f64::from(load.requests_per_s.max(1)));
    let mut result = PairResult::default();
    let mut served = Vec::new();
    let mut token = 0;
    while wait_until(clock, pace.due(), until) && result.round_trips_ns.len() < ROUND_TRIPS_MAX {
        let now = clock.now();
        pace.spend(now, 1.0);
        token += 1;
        match call.round_trip(token, &SMALL, SMALL.len() as u32, now + ANSWER_PATIENCE) {
            Ok(answer) => {
                result.round_trips_ns.push(nanos(answer.took));
                served.push(nanos(answer.served));
                result.segments = answer.segments;
            }
            Err(error) if is_late(&error) => result.unanswered += 1,
            Err(error) => return Err(error),
        }
    }
    served.sort_unstable();
    result.served_ns = served.get(served.len() / 2).copied().unwrap_or(0);
    Ok(result)
}

/// Bytes that went one way, and the time that it took.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    bytes: u64,
    time: Duration,
}

impl Carried {
    fn per_s(&self) -> u64 {
        match self.time.is_zero() {
            true => 0,
            false => (self.bytes as f64 / self.time.as_secs_f64()) as u64,
        }
    }
}

struct BothWays {
    up: Carried,
    down: Carried,
    segments: Segments,
}

/// Bursts of bytes, one way and the other in turn.
fn carry(call: &mut Call, clock: Clock, load: &Load, until: Timestamp) -> io::Result<BothWays> {
    let mut pace = Pace::new(clock.now(), (load.bytes_per_s as f64).max(1.0));
    let piece = vec![2; PIECE_LEN_MAX];
    let mut both = BothWays {
        up: Carried::default(),
        down: Carried::default(),
        segments: Segments::default(),
    };
    let (mut count, mut token) = ([1, 1], 0);
    for turn in 0.. {
        // Each way has its first turn, however slow the other is.
        let is_first = turn < 2;
        if !is_first && !wait_until(clock, pace.due(), until) {
            break;
        }
        let began = clock.now();
        let is_up = turn % 2 == 0;
        let (bytes, answer_len) = match is_up {
            true => (piece.as_slice(), 0),
            false => (&SMALL[..1], PIECE_LEN_MAX as u32),
        };
        let grown: &mut u64 = &mut count[turn % 2];
        let first = token + 1;
        let deadline = until.max(began) + ANSWER_PATIENCE;
        for _ in 0..*grown {
            token += 1;
            call.ask(token, bytes, answer_len, deadline)?;
        }
        let (come, segments) = call.answers(first, *grown, deadline)?;
        both.segments = segments.unwrap_or(both.segments);
        let took = clock.now().since(began);
        let way = if is_up { &mut both.up } else { &mut both.down };
        way.bytes += come * PIECE_LEN_MAX as u64;
        way.time += took;
        pace.spend(began, (*grown * PIECE_LEN_MAX as u64) as f64);
        if come < *grown {
            break;
        }
        // A tenth of a second's worth at once is no more than what the pace allows within it.
        let allowed = load.bytes_per_s / 10 / PIECE_LEN_MAX as u64;
        if took < QUICK {
            *grown = (*grown * 2).min(allowed.clamp(1, BURST_MAX));
        }
    }
    Ok(both)
}

/// Waits for `due`; false if the time is up before that.
fn wait_until(clock: Clock, due: Timestamp, until: Timestamp) -> bool {
    if due >= until {
        return false;
    }
    loop {
        let left = due.since(clock.now());
        if left.is_zero() {
            return clock.now() < until;
        }
        thread::park_timeout(left);
    }
}

fn nanos(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
}
