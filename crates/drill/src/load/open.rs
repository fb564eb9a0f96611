//! The open loop: every request at its own time, whether or not the server keeps up.

use std::collections::VecDeque;
use std::time::Duration;

use base::rng::Rng;

use super::clock;
use super::connection::Flight;
use super::error::LoadError;
use super::op::Op;
use super::plan::{Mode, Plan};
use super::recorder::Recorder;
use super::report::OpenReport;
use super::schedule::{Lateness, Schedule};
use super::worker::Worker;

/// Less than this before the next request is due, the thread spins instead of sleeping, in
/// nanoseconds: waking a thread takes tens of microseconds.
const SPIN_NS: u64 = 100_000;
/// Requests that are put in buffers before these are written and the clock is read again.
const BATCH_MAX: usize = 64;

/// One thread's part of an open loop.
#[derive(Debug)]
pub(crate) struct OpenLoop {
    schedule: Schedule,
    until_ns: u64,
    /// From when on requests are counted.
    since_ns: u64,
    lateness: Lateness,
    /// Connections with room, the one that has waited longest first.
    free: VecDeque<usize>,
    /// Connections whose buffers this batch has filled.
    filled: Vec<usize>,
    alarm_ns: u64,
    pub(crate) spin_ns: u64,
    pub(crate) report: OpenReport,
}

impl OpenLoop {
    /// Thread number `index`'s part, if the plan asks for an open loop.
    pub(crate) fn new(plan: &Plan, index: usize) -> Option<Self> {
        let Mode::Open {
            rate_per_s,
            arrivals,
        } = plan.mode
        else {
            return None;
        };
        let threads = f64::from(plan.threads);
        let seed = Rng::new(plan.seed ^ 0x6f70_656e ^ (index as u64) << 32).next_u64();
        let phase = index as f64 / threads;
        let rng = Rng::new(seed);
        Some(Self {
            schedule: Schedule::new(
                arrivals,
                rate_per_s / threads / f64::from(plan.batch),
                phase,
                rng,
            ),
            until_ns: 0,
            since_ns: u64::MAX,
            lateness: Lateness::default(),
            free: VecDeque::new(),
            filled: Vec::new(),
            alarm_ns: 0,
            spin_ns: 0,
            report: OpenReport::default(),
        })
    }

    /// Requests are due from `began_ns` until `until_ns`.
    pub(crate) fn start(&mut self, began_ns: u64, until_ns: u64) {
        self.schedule.start(began_ns);
        self.until_ns = until_ns;
    }

    /// What is due from now on counts.
    pub(crate) fn begin(&mut self, since_ns: u64) {
        self.since_ns = since_ns;
        self.spin_ns = 0;
    }

    /// Whether any request is still to be sent.
    pub(crate) fn has_due(&self) -> bool {
        self.schedule.due_ns() < self.until_ns
    }

    /// The thread polled without sleeping since `from_ns`; if that found nothing, it was a spin.
    pub(crate) fn spun(&mut self, from_ns: u64, found_nothing: bool) {
        if found_nothing {
            self.spin_ns += clock::now_ns().saturating_sub(from_ns);
        }
    }

    /// How late a batch of `count` requests leaves that was due at `due_ns`, if it counts.
    fn left(&mut self, due_ns: u64, now_ns: u64, count: u64) -> Option<u64> {
        if due_ns < self.since_ns {
            return None;
        }
        let (late_ns, waited) = self.lateness.of(due_ns, now_ns);
        self.report.due += count;
        self.report.waited += if waited { count } else { 0 };
        Some(late_ns)
    }

    /// Counts at most `budget` requests that were due but never sent, with the time that they have
    /// waited so far.
    pub(crate) fn count_unsent(&mut self, budget: u64, now_ns: u64, recorder: &mut Recorder) {
        let mut left = budget;
        while self.has_due() && left > 0 {
            let due_ns = self.schedule.due_ns();
            let flight = Flight {
                op: Op::Get,
                keys: 1,
                id: 0,
                due_ns,
                sent_ns: now_ns,
            };
            // Which tenant's it would have been is not decided before a connection takes it.
            recorder.overdue(usize::MAX, &flight, now_ns);
            self.report.due += 1;
            self.report.unsent += 1;
            self.schedule.advance();
            left -= 1;
        }
    }
}

impl Worker<'_> {
    /// A connection may have room again: let it stand in the queue for requests.
    pub(crate) fn offer(&mut self, index: usize, now_ns: u64) {
        let pipeline = self.pipeline();
        let connection = &mut self.connections[index];
        let Some(open) = &mut self.open else {
            return;
        };
        if connection.queued || !connection.has_room(pipeline) {
            return;
        }
        connection.queued = true;
        open.free.push_back(index);
        open.lateness.set_free(now_ns);
    }

    /// Sends everything that is due and that a connection has room for.
    pub(crate) fn dispatch(&mut self) {
        loop {
            let now_ns = clock::now_ns();
            let is_full = self.fill_batch(now_ns);
            let Some(open) = &mut self.open else {
                return;
            };
            let mut filled = std::mem::take(&mut open.filled);
            for index in filled.drain(..) {
                self.flush(index, now_ns);
            }
            if let Some(open) = &mut self.open {
                open.filled = filled;
            }
            if !is_full {
                return;
            }
        }
    }

    /// Puts up to [`BATCH_MAX`] requests in buffers; whether there may be more to do.
    fn fill_batch(&mut self, now_ns: u64) -> bool {
        for _ in 0..BATCH_MAX {
            let Some(open) = &mut self.open else {
                return false;
            };
            let due_ns = open.schedule.due_ns();
            if due_ns > now_ns || due_ns >= open.until_ns || self.budget == 0 {
                return false;
            }
            let Some(index) = self.take_free() else {
                return false;
            };
            let pushed = self.push_together(index, due_ns, now_ns);
            if let Some(open) = &mut self.open {
                if let Some(late_ns) = open.left(due_ns, now_ns, pushed) {
                    self.recorder.interval.lag.record(late_ns);
                }
                open.schedule.advance();
                if open.filled.last() != Some(&index) {
                    open.filled.push(index);
                }
            }
            self.offer(index, now_ns);
        }
        true
    }

    /// Puts the requests that are due together in one connection's buffer; returns how many.
    fn push_together(&mut self, index: usize, due_ns: u64, now_ns: u64) -> u64 {
        let mut pushed = 0;
        while pushed < self.plan.batch && self.push_next(index, due_ns, now_ns) {
            pushed += 1;
        }
        u64::from(pushed)
    }

    fn take_free(&mut self) -> Option<usize> {
        let pipeline = self.pipeline();
        let open = self.open.as_mut()?;
        while let Some(index) = open.free.pop_front() {
            let connection = &mut self.connections[index];
            connection.queued = false;
            if connection.has_room(pipeline) {
                return Some(index);
            }
        }
        open.lateness.set_full();
        None
    }

    /// How long to sleep before the next request: the alarm ends a sleep early and precisely.
    pub(crate) fn sleep_until_due(&mut self, now_ns: u64) -> Result<Duration, LoadError> {
        let longest = self.sleep_max();
        let Some(open) = &mut self.open else {
            return Ok(longest);
        };
        let is_stuck = open.free.is_empty();
        if is_stuck || !open.has_due() || self.budget == 0 {
            return Ok(longest);
        }
        let due_ns = open.schedule.due_ns();
        let spin_ns = if self.plan.spin { SPIN_NS } else { 0 };
        if due_ns <= now_ns.saturating_add(spin_ns) {
            return Ok(Duration::ZERO);
        }
        let alarm_ns = due_ns - spin_ns / 2;
        if open.alarm_ns != alarm_ns {
            open.alarm_ns = alarm_ns;
            self.alarm
                .set(alarm_ns)
                .map_err(|source| LoadError::System {
                    what: "cannot set a timer",
                    source,
                })?;
        }
        Ok(longest)
    }
}
