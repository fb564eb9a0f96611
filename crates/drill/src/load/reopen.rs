//! Opening a thread's connections, logging in, and starting over with those that broke.

use std::io::{self, ErrorKind};

use mio::Token;

use super::clock;
use super::connection::{Connection, Lost, Stage};
use super::drive::Edge;
use super::error::LoadError;
use super::login;
use super::report::Phase;
use super::socket::Socket;
use super::tally::Fault;
use super::wire::Reader;
use super::worker::{Worker, nanos};

/// Sockets of one thread that may be connecting at the same time; more would overflow the listen
/// queue of many servers, which costs a second each.
const OPENING_MAX: usize = 128;
/// The wait before connecting again: doubled with every failure from the first to the second.
const RETRY_FIRST_NS: u64 = 1_000_000;
const RETRY_LAST_NS: u64 = 1_000_000_000;

impl Worker<'_> {
    /// Opens connections whose time to try again has come.
    pub(crate) fn open_due(&mut self, now_ns: u64) {
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

    /// A socket that was connecting has an event.
    pub(crate) fn handle_connecting(&mut self, edge: Edge) {
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

    /// A socket that waits for the answer to its login has an event.
    pub(crate) fn handle_login(&mut self, edge: Edge) {
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
                let error = io::Error::from(match fault {
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

    fn connect_failed(&mut self, index: usize, error: io::Error, now_ns: u64) {
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

    fn cannot_connect(&self, index: usize, source: io::Error) -> LoadError {
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
        let wait_ns = wait_ns.max(nanos(self.plan.reconnect_delay));
        connection.failures = connection.failures.saturating_add(1);
        let reader = Reader::new(self.plan.protocol);
        connection.reset(reader, now_ns.saturating_add(wait_ns));
        self.down.push_back(index);
    }
}
