//! Moving a thread's connections: waiting for events, sending, receiving, connecting again.

use std::io::ErrorKind;
use std::time::Duration;

use mio::Token;

use super::clock;
use super::connection::{Connection, Flight, Lost, ReadContext, Stage};
use super::error::LoadError;
use super::login;
use super::op::Op;
use super::report::Phase;
use super::socket::Socket;
use super::tally::Fault;
use super::wire::Reader;
use super::worker::{ALARM, Stop, Work, Worker, nanos};

/// Sockets of one thread that may be connecting at the same time; more would overflow the listen
/// queue of many servers, which costs a second each.
const OPENING_MAX: usize = 128;
/// How long to sleep at most, in milliseconds: without and with connections to open again.
const SLEEP_MS: u64 = 20;
const SLEEP_DOWN_MS: u64 = 2;
/// How often timeouts are looked for at most, in nanoseconds.
const CHECK_EVERY_NS: u64 = 50_000_000;
/// How often news is sent, in nanoseconds.
const NEWS_EVERY_NS: u64 = 1_000_000_000;
/// The wait before connecting again: doubled with every failure from the first to the second.
const RETRY_FIRST_NS: u64 = 1_000_000;
const RETRY_LAST_NS: u64 = 1_000_000_000;

/// What an event says of a connection.
#[derive(Clone, Copy, Debug)]
struct Edge {
    index: usize,
    readable: bool,
    writable: bool,
    closed: bool,
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
        self.budget -= 1;
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

    /// Opens connections whose time to try again has come.
    fn open_due(&mut self, now_ns: u64) {
        if self.phase == Phase::Hold {
            return;
        }
        for _ in 0..self.down.len() {
            if self.opening >= OPENING_MAX {
                return;
            }
            let Some(index) = self.down.pop_front() else {
                return;
            };
            match self.connections[index].stage {
                Stage::Down { retry_ns } if retry_ns <= now_ns => self.open(index, now_ns),
                _ => self.down.push_back(index),
            }
        }
    }

    fn open(&mut self, index: usize, now_ns: u64) {
        let connection = &mut self.connections[index];
        connection.opened_ns = now_ns;
        let address = &self.shared.addresses[connection.target];
        let registry = self.poll.registry();
        let opened = Socket::connect(address).and_then(|mut socket| {
            socket.register(registry, Token(index))?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => {
                connection.socket = Some(socket);
                connection.stage = Stage::Connecting;
                self.opening += 1;
            }
            // A Unix socket whose listen queue is full says so at once.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                connection.stage = Stage::Down {
                    retry_ns: now_ns + RETRY_FIRST_NS,
                };
                self.down.push_back(index);
            }
            Err(error) => self.connect_failed(index, error, now_ns),
        }
    }

    fn handle_connecting(&mut self, edge: Edge) {
        if !(edge.writable || edge.closed) {
            return;
        }
        let connection = &mut self.connections[edge.index];
        let is_connected = match &connection.socket {
            Some(socket) => socket.is_connected(),
            None => return,
        };
        let now_ns = clock::now_ns();
        match is_connected {
            Ok(false) => {}
            Err(error) => {
                self.opening -= 1;
                self.connect_failed(edge.index, error, now_ns);
            }
            Ok(true) => match self.shared.logins.get(connection.tenant) {
                None => self.ready(edge.index, now_ns),
                Some(login) => {
                    connection.stage = Stage::LoggingIn;
                    connection.push_raw(login);
                    self.flush(edge.index, now_ns);
                }
            },
        }
    }

    fn handle_login(&mut self, edge: Edge) {
        let index = edge.index;
        if edge.writable && self.connections[index].has_unsent() {
            self.flush(index, clock::now_ns());
        }
        let connection = &mut self.connections[index];
        if connection.stage != Stage::LoggingIn || !(edge.readable || edge.closed) {
            return;
        }
        let now_ns = clock::now_ns();
        match connection.read_into(&mut self.scratch) {
            Ok(None) => {}
            Err(Lost(fault)) => self.lose(index, fault, now_ns),
            Ok(Some(len)) => {
                let input = &self.scratch[..len];
                match login::verdict(input, self.plan.auth) {
                    None => connection.keep(input),
                    Some(Ok(used)) => {
                        connection.keep(&input[used..]);
                        self.ready(index, now_ns);
                    }
                    Some(Err(words)) => self.login_refused(index, words, now_ns),
                }
            }
        }
    }

    fn ready(&mut self, index: usize, now_ns: u64) {
        self.opening -= 1;
        let connection = &mut self.connections[index];
        connection.stage = Stage::Ready;
        connection.failures = 0;
        let took_ns = now_ns.saturating_sub(connection.opened_ns);
        self.recorder.connect.record(took_ns);
        if self.phase != Phase::Connect {
            self.recorder.reconnected(connection.tenant);
        }
        self.refill(index, now_ns);
    }

    /// A connection broke, or timed out: what was under way on it is lost.
    pub(crate) fn lose(&mut self, index: usize, fault: Fault, now_ns: u64) {
        let connection = &mut self.connections[index];
        match connection.stage {
            Stage::Down { .. } => return,
            Stage::Connecting | Stage::LoggingIn => {
                self.opening -= 1;
                let error = std::io::Error::from(match fault {
                    Fault::Timeout => ErrorKind::TimedOut,
                    _ => ErrorKind::ConnectionReset,
                });
                self.connect_failed(index, error, now_ns);
                return;
            }
            Stage::Ready => {}
        }
        for flight in &connection.flights {
            match fault {
                Fault::Timeout => self.recorder.gave_up(connection.tenant, flight, now_ns),
                _ => self.recorder.lost(connection.tenant, flight, fault),
            }
        }
        if self.phase == Phase::Prefill {
            let error = ErrorKind::ConnectionReset.into();
            self.fatal = Some(self.cannot_connect(index, error));
        }
        self.put_down(index, now_ns);
    }

    fn connect_failed(&mut self, index: usize, error: std::io::Error, now_ns: u64) {
        if self.phase == Phase::Connect {
            self.fatal = Some(self.cannot_connect(index, error));
        }
        let tenant = self.connections[index].tenant;
        self.recorder.not_opened(tenant, Fault::Connect);
        self.put_down(index, now_ns);
    }

    fn login_refused(&mut self, index: usize, words: String, now_ns: u64) {
        self.opening -= 1;
        let Connection { tenant, target, .. } = self.connections[index];
        if self.phase == Phase::Connect {
            let login = self.plan.tenants.get(tenant);
            self.fatal = Some(LoadError::Login {
                target: self.plan.targets[target].to_string(),
                username: login.map(|it| it.username.clone()).unwrap_or_default(),
                reply: words,
            });
        }
        self.recorder.not_opened(tenant, Fault::Login);
        self.put_down(index, now_ns);
    }

    fn cannot_connect(&self, index: usize, source: std::io::Error) -> LoadError {
        let target = &self.plan.targets[self.connections[index].target];
        LoadError::Connect {
            target: target.to_string(),
            source,
        }
    }

    fn put_down(&mut self, index: usize, now_ns: u64) {
        let connection = &mut self.connections[index];
        let wait_ns = match connection.failures {
            0 => 0,
            failures => (RETRY_FIRST_NS << failures.min(10)).min(RETRY_LAST_NS),
        };
        connection.failures = connection.failures.saturating_add(1);
        let reader = Reader::new(self.plan.protocol);
        connection.reset(reader, now_ns.saturating_add(wait_ns));
        self.down.push_back(index);
    }

    /// Looks for what has no event: timeouts, another thread's end, the time for news.
    fn check(&mut self, now_ns: u64) -> Result<(), Stop> {
        let timeout_ns = nanos(self.plan.timeout);
        self.next_check_ns = now_ns.saturating_add(CHECK_EVERY_NS.min(timeout_ns / 4));
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
        if now_ns.saturating_sub(self.news_sent_ns) >= NEWS_EVERY_NS {
            self.send_news(now_ns);
        }
        Ok(())
    }
}
