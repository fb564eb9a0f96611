//! The virtual network: connections with latency, windows, ends, resets, and peers that vanish.
//!
//! What it leaves out: bandwidth and lost segments other than those of connecting. The server's side
//! is told what an edge-triggered epoll would tell it.

mod client_side;
mod config;
mod pipe;
mod server_side;
mod socket;

use std::collections::VecDeque;
use std::time::Duration;

use base::Timestamp;
use slab::Slab;

use crate::event::{Event, EventQueue, Side};

pub use config::{NetworkConfig, NetworkFigures};
pub(crate) use server_side::{Read, Write};
pub(crate) use socket::{Readiness, Socket, SocketId};

/// What a client is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Connected,
    /// Bytes have come.
    Data,
    /// The server sends no more.
    Closed,
    /// The connection is void.
    Reset,
    /// There is room for more.
    Room,
}

/// Every connection, and the server's one listener.
#[derive(Debug)]
pub(crate) struct Network {
    config: NetworkConfig,
    began: Timestamp,
    sockets: Slab<Socket>,
    generation: u32,
    listener: Listener,
    /// By loop: connections that have news for it, in the order of the news.
    news: Vec<VecDeque<SocketId>>,
    figures: NetworkFigures,
}

/// A queue of connections that nobody has accepted yet.
#[derive(Debug, Default)]
struct Listener {
    queue: VecDeque<SocketId>,
    /// Places taken, those whose handshake is not over among them.
    reserved: usize,
    /// Somebody came since the server was told last.
    has_news: bool,
}

impl Network {
    pub(crate) fn new(config: NetworkConfig, began: Timestamp, loops: usize) -> Self {
        Self {
            began,
            sockets: Slab::new(),
            generation: 0,
            listener: Listener::default(),
            news: (0..loops).map(|_| VecDeque::new()).collect(),
            figures: NetworkFigures::default(),
            config,
        }
    }

    /// How many connections exist, half-closed ones too.
    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn figures(&self) -> NetworkFigures {
        self.figures
    }

    /// Lets an event happen; tells whom of the clients it concerns, and how.
    pub(crate) fn handle(
        &mut self,
        now: Timestamp,
        event: Event,
        events: &mut EventQueue,
    ) -> Option<(u32, SocketId, Notice)> {
        match event {
            Event::Syn(id) => self.take_syn(now, id, events),
            Event::Established(id) => self.establish(id),
            Event::Connected(id) => return self.notice(id, Notice::Connected),
            Event::Arrive(id, Side::Server, count) => self.arrive_up(id, count),
            Event::Arrive(id, Side::Client, count) => {
                return self.arrive_down(now, id, count, events);
            }
            Event::Fin(id, Side::Server) => self.fin_up(now, id),
            Event::Fin(id, Side::Client) => return self.notice(id, Notice::Closed),
            Event::Reset(id, Side::Server) => self.void(id),
            Event::Reset(id, Side::Client) => return self.notice(id, Notice::Reset),
            Event::Window(id, Side::Client) => {
                self.send_up(now, id, events);
                return self.notice(id, Notice::Room);
            }
            Event::Window(id, Side::Server) => self.take_window(now, id, events),
            Event::GiveUp(id) => {
                let is_news = self.get(id).is_some_and(|socket| !socket.is_void);
                self.figures.given_up += u64::from(is_news);
                self.void(id);
            }
            Event::Alarm(_) | Event::Cue(_) => {}
        }
        None
    }

    fn get(&self, id: SocketId) -> Option<&Socket> {
        self.sockets
            .get(id.slot())
            .filter(|socket| socket.generation == id.generation())
    }

    fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets
            .get_mut(id.slot())
            .filter(|socket| socket.generation == id.generation())
    }

    /// A notice for the client, unless it has turned away.
    fn notice(&self, id: SocketId, notice: Notice) -> Option<(u32, SocketId, Notice)> {
        let socket = self.get(id).filter(|socket| !socket.client_closed)?;
        Some((socket.client, id, notice))
    }

    fn take_syn(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        let (backlog, retries) = (self.config.backlog, self.config.syn_retries);
        let retry_after = self.config.syn_retry;
        let Some(socket) = self.sockets.get_mut(id.slot()) else {
            return;
        };
        if socket.generation != id.generation() || socket.client_closed {
            return;
        }
        let latency = us(socket.latency_us);
        let listener = &mut self.listener;
        if listener.reserved >= backlog {
            self.figures.syn_dropped += 1;
            socket.syn_tries += 1;
            if socket.syn_tries <= retries {
                let wait = retry_after * (1 << (socket.syn_tries - 1).min(6));
                events.add(now + wait, Event::Syn(id));
            }
            return;
        }
        listener.reserved += 1;
        socket.is_queued = true;
        events.add(now + latency, Event::Connected(id));
        events.add(now + latency * 2, Event::Established(id));
    }

    fn establish(&mut self, id: SocketId) {
        if self.get(id).is_some() {
            self.listener.queue.push_back(id);
            self.listener.has_news = true;
        }
    }

    fn arrive_up(&mut self, id: SocketId, count: u32) {
        if let Some(socket) = self.get_mut(id)
            && !socket.is_void
            && !socket.server_closed
        {
            socket.up.deliver(count);
            let news = Readiness {
                readable: true,
                ..Readiness::default()
            };
            self.tell(id, news);
        }
    }

    fn arrive_down(
        &mut self,
        now: Timestamp,
        id: SocketId,
        count: u32,
        events: &mut EventQueue,
    ) -> Option<(u32, SocketId, Notice)> {
        let socket = self.get_mut(id)?;
        if socket.vanished {
            return None;
        }
        let latency = us(socket.latency_us);
        if socket.client_closed {
            // Nobody reads there any more: that end's kernel says so.
            if !socket.server_closed {
                events.add(now + latency, Event::Reset(id, Side::Server));
            }
            return None;
        }
        socket.down.deliver(count);
        if socket.is_blocked {
            events.add(now + latency, Event::Window(id, Side::Server));
        }
        self.notice(id, Notice::Data)
    }

    fn fin_up(&mut self, now: Timestamp, id: SocketId) {
        let ms = self.run_ms(now);
        if let Some(socket) = self.get_mut(id) {
            socket.up.deliver_fin();
            if !socket.server_closed {
                socket.fin_ms = ms;
                self.figures.close_wait += 1;
                self.figures.close_wait_peak =
                    self.figures.close_wait_peak.max(self.figures.close_wait);
                let news = Readiness {
                    readable: true,
                    read_closed: true,
                    ..Readiness::default()
                };
                self.tell(id, news);
            }
        }
    }

    /// The server learns that a connection is void.
    fn void(&mut self, id: SocketId) {
        if let Some(socket) = self.get_mut(id) {
            socket.is_void = true;
            socket.client_closed = true;
            socket.up.clear();
            socket.down.clear();
            let news = Readiness {
                readable: true,
                writable: true,
                read_closed: true,
                error: true,
            };
            self.tell(id, news);
            self.forget_if_over(id);
        }
    }

    /// A connection that neither end holds any more is no connection.
    fn forget_if_over(&mut self, id: SocketId) {
        let is_over = self.get(id).is_some_and(|socket| {
            // Of one that the server has not accepted its kernel keeps the place in the queue.
            let server_holds = socket.is_queued || socket.is_accepted && !socket.server_closed;
            socket.client_closed && !server_holds
        });
        if is_over {
            self.sockets.remove(id.slot());
        }
    }

    fn run_ms(&self, now: Timestamp) -> u32 {
        u32::try_from(now.since(self.began).as_millis()).unwrap_or(u32::MAX - 1)
    }
}

fn us(micros: u32) -> Duration {
    Duration::from_micros(u64::from(micros))
}

#[cfg(test)]
#[path = "network_test.rs"]
mod tests;
