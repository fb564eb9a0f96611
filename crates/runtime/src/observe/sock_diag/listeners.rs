//! What dumps of sockets say of our listeners: queues, connections by state, CLOSE_WAITs by age.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use base::Timestamp;

use super::codec::{TcpSocket, TcpState};

/// Connections by state, in the order of [`TcpState::ALL`].
pub type StateCounts = [u64; TcpState::ALL.len()];

/// The addresses that we listen on.
#[derive(Clone, Debug)]
pub struct Listeners(Vec<SocketAddr>);

impl Listeners {
    /// Those of a process; a port is bound once for an address.
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self(addresses)
    }

    /// Their addresses, in the order given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }

    /// The one that a socket belongs to: that of its very address, else that of any address.
    pub fn of(&self, socket: &TcpSocket) -> Option<usize> {
        let same_port = |addr: &SocketAddr| addr.port() == socket.local.port();
        let same_ip = |addr: &SocketAddr| addr.ip().to_canonical() == socket.local.ip();
        let find = |wanted: &dyn Fn(&SocketAddr) -> bool| self.0.iter().position(wanted);
        find(&|addr| same_port(addr) && same_ip(addr))
            .or_else(|| find(&|addr| same_port(addr) && addr.ip().is_unspecified()))
    }
}

/// A listener's queue of connections that wait to be accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many wait.
    pub depth: u32,
    /// How many may.
    pub limit: u32,
    /// Connection attempts that were dropped since the listener was made.
    pub drops: u64,
}

impl Queue {
    /// Adds a socket of the listener; there may be several of one address.
    pub fn add(&mut self, socket: &TcpSocket) {
        self.depth = self.depth.saturating_add(socket.receive_queue);
        self.limit = self.limit.saturating_add(socket.send_queue);
        let drops = u64::from(socket.drops.unwrap_or(0));
        self.drops = self.drops.saturating_add(drops);
    }
}

/// A connection whose peer has closed while we have not, for longer than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Which listener it came by, by place.
    pub listener: usize,
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// For how long it has been so, and nothing has moved, at least.
    pub age: Duration,
}

/// CLOSE_WAIT connections over successive dumps, told apart by their cookies.
///
/// Between two dumps a socket is seen by [`CloseWaits::see`]; [`CloseWaits::finish`] ends a dump.
#[derive(Debug, Default)]
pub struct CloseWaits {
    known: HashMap<u64, Known>,
    dump: u64,
}

#[derive(Debug)]
struct Known {
    first_seen: Timestamp,
    /// What the kernel holds in its queues, and since when that is so: a client that has closed its
    /// side may still read what it has asked for.
    queues: (u32, u32),
    unmoved_since: Timestamp,
    listener: usize,
    peer: SocketAddr,
    dump: u64,
}

impl CloseWaits {
    /// Notes a socket of the dump under way, if it is one.
    pub fn see(&mut self, now: Timestamp, listener: usize, socket: &TcpSocket) {
        if socket.state != TcpState::CloseWait {
            return;
        }
        let dump = self.dump;
        let queues = (socket.receive_queue, socket.send_queue);
        let new = || Known {
            first_seen: now,
            queues,
            unmoved_since: now,
            listener,
            peer: socket.remote,
            dump,
        };
        let known = self.known.entry(socket.cookie).or_insert_with(new);
        known.dump = dump;
        if known.queues != queues {
            (known.queues, known.unmoved_since) = (queues, now);
        }
    }

    /// Ends the dump: forgets who was not seen in it, and tells who has been there for `age_max`
    /// without that anything moved, the oldest first.
    pub fn finish(&mut self, now: Timestamp, age_max: Duration) -> Vec<Overdue> {
        let dump = self.dump;
        self.dump = dump.wrapping_add(1);
        self.known.retain(|_, known| known.dump == dump);
        let mut overdue: Vec<Overdue> = self
            .known
            .values()
            .map(|known| Overdue {
                listener: known.listener,
                peer: known.peer,
                age: now.since(known.unmoved_since),
            })
            .filter(|known| known.age >= age_max)
            .collect();
        overdue.sort_unstable_by(|a, b| b.age.cmp(&a.age).then(a.peer.cmp(&b.peer)));
        overdue
    }

    /// Who is at the other end of each.
    pub fn peers(&self) -> impl Iterator<Item = SocketAddr> {
        self.known.values().map(|known| known.peer)
    }

    /// How long the oldest one of a listener has been there.
    pub fn oldest(&self, now: Timestamp, listener: usize) -> Option<Duration> {
        let ours = self.known.values().filter(|k| k.listener == listener);
        ours.map(|known| now.since(known.first_seen)).max()
    }
}

#[cfg(test)]
#[path = "listeners_test.rs"]
mod tests;
