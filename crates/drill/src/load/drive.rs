//! Moving a thread's connections: waiting for events, sending, receiving, finding timeouts.

use std::io::ErrorKind;
use std::time::Duration;

use super::clock;
use super::connection::{Flight, Lost, ReadContext, Stage};
use super::error::LoadError;
use super::op::Op;
use super::tally::Fault;
use super::worker::{ALARM, Stop, Work, Worker, nanos};

/// How long to sleep at most, in milliseconds: without and with connections to open again.
const SLEEP_MS: u64 = 20;
const SLEEP_DOWN_MS: u64 = 2;
/// How often timeouts are looked for at most, in nanoseconds.
const CHECK_EVERY_NS: u64 = 50_000_000;

/// What an event says of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) index: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) closed: bool,
}

impl Worker<'_> {
    /// Goes on as long as `more` says so.
    pub(crate) fn run_while(
        &mut self,
        mut more: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), Stop> {
        while more(self) {
            self.turn()?;
            if let Some(error) = self.fatal.take() {
                return Err(Stop::Error(error));
            }
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Stop> {
        if self.work == Work::Open {
            self.dispatch();
        }
        let now_ns = clock::now_ns();
        if !self.down.is_empty() {
            self.open_due(now_ns);
        }
        if now_ns >= self.next_check_ns {
            self.check(now_ns)?;
        }
        let sleep = match self.work {
            Work::Open => self.sleep_until_due(now_ns)?,
            _ => self.sleep_max(),
        };
        self.wait(sleep)?;
        if sleep.is_zero()
            && let Some(open) = &mut self.open
        {
            open.spun(now_ns, self.events.is_empty());
        }
        self.handle_events();
        Ok(())
    }

    /// The longest sleep that misses nothing that has no event.
    pub(crate) fn sleep_max(&self) -> Duration {
        Duration::from_millis(if self.down.is_empty() {
            SLEEP_MS
        } else {
            SLEEP_DOWN_MS
        })
    }

    fn wait(&mut self, sleep: Duration) -> Result<(), LoadError> {
        match self.poll.poll(&mut self.events, Some(sleep)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            Err(source) => Err(LoadError::System {
                what: "cannot wait for events",
                source,
            }),
        }
    }

    fn handle_events(&mut self) {
        // The events are lent out for the time of the loop; an empty set costs nothing.
        let events = std::mem::replace(&mut self.events, mio::Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != ALARM) {
            self.handle(Edge {
                index: event.token().0,
                readable: event.is_readable(),
                writable: event.is_writable(),
                closed: event.is_read_closed() || event.is_error(),
            });
        }
        self.events = events;
    }

    fn handle(&mut self, edge: Edge) {
        match self.connections[edge.index].stage {
            Stage::Down { .. } => {}
            Stage::Connecting => self.handle_connecting(edge),
            Stage::LoggingIn => self.handle_login(edge),
            Stage::Ready => self.handle_ready(edge),
        }
    }

    fn handle_ready(&mut self, edge: Edge) {
        let index = edge.index;
        let connection = &mut self.connections[index];
        let mut context = ReadContext {
            recorder: &mut self.recorder,
            keys: &self.shared.keys,
            values: &self.shared.values,
            verify: self.plan.verify,
            now_ns: 0,
        };
        if edge.readable || edge.closed {
            let result = connection.receive(&mut self.scratch, &mut context, edge.closed);
            let now_ns = context.now_ns;
            if let Err(Lost(fault)) = result {
                self.lose(index, fault, clock::now_ns());
                return;
            }
            if now_ns > 0 {
                self.refill(index, now_ns);
            }
        }
        if edge.writable && self.connections[index].has_unsent() {
            let now_ns = clock::now_ns();
            self.flush(index, now_ns);
            self.refill(index, now_ns);
        }
    }

    /// Gives a connection as much as it has room for.
    pub(crate) fn refill(&mut self, index: usize, now_ns: u64) {
        match self.work {
            Work::Idle => {}
            Work::Open => self.offer(index, now_ns),
            Work::Closed { until_ns } if now_ns >= until_ns => {}
            Work::Closed { .. } | Work::Fill => {
                let pipeline = self.pipeline();
                while self.push_batch(index, pipeline, now_ns) {
                    self.flush(index, now_ns);
                }
            }
        }
    }

    fn push_batch(&mut self, index: usize, pipeline: usize, now_ns: u64) -> bool {
        let mut pushed = false;
        while self.connections[index].has_room(pipeline) {
            let is_pushed = match self.work {
                Work::Fill => self.push_fill(index, now_ns),
                _ => self.push_next(index, now_ns, now_ns),
            };
            if !is_pushed {
                break;
            }
            pushed = true;
        }
        pushed
    }

    fn push_fill(&mut self, index: usize, now_ns: u64) -> bool {
        let connection = &mut self.connections[index];
        let Some(id) = connection.fill.next() else {
            return false;
        };
        let flight = Flight {
            op: Op::Set,
            keys: 1,
            id,
            due_ns: now_ns,
            sent_ns: now_ns,
        };
        connection.push(&mut self.encoder, flight, &[id]);
        true
    }

    /// Puts the next request of the mix in a connection's buffer, unless all allowed ones were sent.
    pub(crate) fn push_next(&mut self, index: usize, due_ns: u64, now_ns: u64) -> bool {
        if self.budget == 0 {
            return false;
        }
        if self.recorder.counts(due_ns) {
            self.budget -= 1;
        }
        let op = self.ops.next(&mut self.rng);
        let keys = match op {
            Op::Mget => self.plan.mix.mget_keys,
            _ => 1,
        };
        let connection = &mut self.connections[index];
        self.ids.clear();
        for _ in 0..keys {
            self.ids.push(connection.draw.next(&mut self.rng));
        }
        let flight = Flight {
            op,
            keys,
            id: self.ids[0],
            due_ns,
            sent_ns: now_ns,
        };
        connection.push(&mut self.encoder, flight, &self.ids);
        true
    }

    /// Writes what a connection has in its buffer.
    pub(crate) fn flush(&mut self, index: usize, now_ns: u64) {
        match self.connections[index].flush() {
            Ok(count) => self.recorder.sent(count),
            Err(Lost(fault)) => self.lose(index, fault, now_ns),
        }
    }

    /// Looks for what has no event: timeouts, another thread's end, the time for news.
    fn check(&mut self, now_ns: u64) -> Result<(), Stop> {
        let timeout_ns = nanos(self.plan.timeout);
        let news_every_ns = self.plan.progress_every.map_or(u64::MAX, nanos);
        let check_every_ns = CHECK_EVERY_NS.min(timeout_ns / 4).min(news_every_ns / 2);
        self.next_check_ns = now_ns.saturating_add(check_every_ns);
        if self.shared.gate.is_abandoned() {
            return Err(Stop::Abandoned);
        }
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            let since_ns = match connection.stage {
                Stage::Down { .. } => None,
                Stage::Ready => connection.flights.front().map(|flight| flight.sent_ns),
                Stage::Connecting | Stage::LoggingIn => Some(connection.opened_ns),
            };
            if since_ns.is_some_and(|since| now_ns.saturating_sub(since) > timeout_ns) {
                self.lose(index, Fault::Timeout, now_ns);
            }
        }
        if now_ns.saturating_sub(self.news_sent_ns) >= news_every_ns {
            self.send_news(now_ns);
        }
        Ok(())
    }
}
