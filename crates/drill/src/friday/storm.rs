//! The reconnect storm: thousands of connections opened, abandoned with data unread and opened
//! again by a script that does not look at what the server does.
//!
//! No events are waited for. Over loopback a connection is there when connecting returns, unless the
//! server's listen queue is full, and then a later tick sends its login.

use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send,
    socket_with, sockopt,
};

use super::script::Script;
use crate::load::clock;

/// Between two looks at the clock, in nanoseconds.
const TICK_NS: u64 = 500_000;
/// Openings and endings in one tick: what is left over comes with the next, none is skipped.
const BATCH_MAX: u64 = 64;
/// Bytes that are read at once before a connection is abandoned.
const DRAIN_LEN: usize = 16 * 1024;

/// What to send on the storm's connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// The first bytes of a connection.
    pub(crate) login: Vec<u8>,
    /// What is left unread.
    pub(crate) request: Vec<u8>,
}

/// Figures that are read while the storm goes on.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) opened: AtomicU64,
    /// When the first round was complete, since the begin.
    pub(crate) first_round_ns: AtomicU64,
    /// Connections refused, or found closed before their time.
    pub(crate) closed_by_server: AtomicU64,
    /// Connections that the client holds.
    pub(crate) open: AtomicU64,
    /// Connections whose login was answered when they were abandoned, or at the end.
    pub(crate) greeted: AtomicU64,
}

impl Figures {
    fn add(&self, found: &Drained) {
        if found.bytes > 0 {
            count(&self.greeted);
        }
        if !found.stands {
            count(&self.closed_by_server);
        }
    }
}

#[derive(Debug, Default)]
struct Place {
    socket: Option<OwnedFd>,
    /// The login is still to be sent.
    is_new: bool,
}

/// One storm.
#[derive(Debug)]
pub(crate) struct Storm {
    script: Script,
    target: SocketAddr,
    words: Words,
    places: Vec<Place>,
    figures: Arc<Figures>,
    /// Numbers of openings and endings done.
    opened: u64,
    ended: u64,
    new: Vec<usize>,
    scratch: Vec<u8>,
}

impl Storm {
    /// Ready to begin.
    pub(crate) fn new(script: Script, connections: u32, target: SocketAddr, words: Words) -> Self {
        let places = (0..connections).map(|_| Place::default()).collect();
        Self {
            script,
            target,
            words,
            places,
            figures: Arc::default(),
            opened: 0,
            ended: 0,
            new: Vec::new(),
            scratch: vec![0; DRAIN_LEN],
        }
    }

    /// Its figures.
    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }

    /// Goes through the script until `stop` is set; `is_storm`: beyond the first round, which opens
    /// every connection once. All connections are closed when this returns.
    pub(crate) fn run(mut self, stop: &AtomicBool, is_storm: bool) {
        let begin_ns = clock::now_ns();
        while !stop.load(Ordering::Relaxed) {
            let elapsed_ns = clock::now_ns().saturating_sub(begin_ns);
            let mut openings = self.script.openings(elapsed_ns);
            if is_storm {
                self.end_due(self.script.endings(elapsed_ns));
            } else {
                openings = openings.min(self.places.len() as u64);
            }
            self.open_due(openings);
            self.send_logins();
            if self.opened >= self.places.len() as u64 {
                let first = &self.figures.first_round_ns;
                // Set once; whatever it was before was no time.
                let _ = first.compare_exchange(0, elapsed_ns, Ordering::Relaxed, Ordering::Relaxed);
            }
            clock::sleep_until(clock::now_ns().saturating_add(TICK_NS));
        }
        self.look_at_all();
    }

    fn open_due(&mut self, due: u64) {
        let until = due.min(self.opened.saturating_add(BATCH_MAX));
        while self.opened < until {
            let number = self.opened;
            self.opened += 1;
            let place = self.script.place(number);
            if self.places[place].socket.is_some() {
                continue;
            }
            match self.open(number) {
                Ok(socket) => {
                    self.places[place] = Place {
                        socket: Some(socket),
                        is_new: true,
                    };
                    self.new.push(place);
                    count(&self.figures.opened);
                    count(&self.figures.open);
                }
                Err(_) => count(&self.figures.closed_by_server),
            }
        }
    }

    fn open(&self, number: u64) -> rustix::io::Result<OwnedFd> {
        let (address, port) = self.script.source(number);
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(address, port))?;
        match connect(&socket, &self.target) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    /// Sends the login on every connection that has come to stand since the last tick.
    fn send_logins(&mut self) {
        let mut new = std::mem::take(&mut self.new);
        new.retain(|place| {
            let Place { socket, is_new } = &mut self.places[*place];
            let Some(socket) = socket.as_ref().filter(|_| *is_new) else {
                return false;
            };
            let is_sent = self.words.login.is_empty()
                || send(socket, &self.words.login, SendFlags::NOSIGNAL) != Err(Errno::AGAIN);
            *is_new = !is_sent;
            !is_sent
        });
        self.new = new;
    }

    fn end_due(&mut self, due: u64) {
        let until = due
            .min(self.opened)
            .min(self.ended.saturating_add(BATCH_MAX));
        while self.ended < until {
            let place = self.script.place(self.ended);
            self.ended += 1;
            let Some(socket) = &self.places[place].socket else {
                continue;
            };
            // Reading first: unread input would make the close a reset instead of an end.
            let found = drain(socket, &mut self.scratch);
            // What becomes of it is not looked at: that is what abandoning means.
            let _ = send(socket, &self.words.request, SendFlags::NOSIGNAL);
            self.figures.add(&found);
            if !(found.stands && self.script.is_kept(place)) {
                self.close(place);
            }
        }
    }

    fn close(&mut self, place: usize) {
        if self.places[place].socket.take().is_some() {
            self.figures.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Counts, at the end, the connections that were greeted and those that the server closed.
    fn look_at_all(&mut self) {
        for place in &mut self.places {
            let Some(socket) = place.socket.take() else {
                continue;
            };
            self.figures.add(&drain(&socket, &mut self.scratch));
        }
    }
}

/// What was found in a socket's input.
struct Drained {
    bytes: usize,
    stands: bool,
}

fn drain(socket: &OwnedFd, scratch: &mut [u8]) -> Drained {
    let mut bytes = 0;
    loop {
        match recv(socket, &mut *scratch, RecvFlags::DONTWAIT) {
            Ok((0, _)) => {
                return Drained {
                    bytes,
                    stands: false,
                };
            }
            Ok((len, _)) => bytes += len,
            Err(Errno::AGAIN) => {
                return Drained {
                    bytes,
                    stands: true,
                };
            }
            Err(Errno::INTR) => {}
            Err(_) => {
                return Drained {
                    bytes,
                    stands: false,
                };
            }
        }
    }
}

fn count(figure: &AtomicU64) {
    figure.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
#[path = "storm_test.rs"]
mod tests;
