//! One connection as the kernels of both ends see it.

use gateway::Peer;

use super::pipe::Pipe;

/// Names a connection: its slot, and a generation that tells it from those that had it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(pub(crate) u64);

impl SocketId {
    /// Of no connection.
    pub(crate) const NONE: Self = Self(u64::MAX);

    pub(super) fn new(slot: usize, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | slot as u64)
    }

    pub(crate) fn slot(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What the server's kernel has to tell of a connection, as epoll does with edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The client sends no more.
    pub(crate) read_closed: bool,
    pub(crate) error: bool,
}

/// A connection, both ends of it.
#[derive(Debug)]
pub(crate) struct Socket {
    /// From the client to the server.
    pub(super) up: Pipe,
    /// From the server to the client.
    pub(super) down: Pipe,
    pub(crate) client: u32,
    pub(super) generation: u32,
    /// Of one way, in microseconds.
    pub(super) latency_us: u32,
    /// When the client's end reached the server, in milliseconds of the run; until then the maximum.
    pub(super) fin_ms: u32,
    pub(super) source: u32,
    pub(super) syn_tries: u8,
    /// The loop that watches it.
    pub(super) watched_by: u8,
    pub(super) is_watched: bool,
    pub(super) news: Readiness,
    /// Stands among those that have news.
    pub(super) has_news: bool,
    /// The server wanted to write more than there was room for.
    pub(super) is_blocked: bool,
    pub(super) is_void: bool,
    pub(super) client_closed: bool,
    pub(super) server_closed: bool,
    /// The client's host is gone and answers nothing.
    pub(super) vanished: bool,
    /// The client's program reads whatever comes at once, so that its window never closes.
    pub(super) reads: bool,
    /// The server's kernel will give it up unless something is acknowledged.
    pub(super) is_given_up: bool,
    /// Its place in the queue of those to be accepted is taken.
    pub(super) is_queued: bool,
    /// The server's program has it.
    pub(super) is_accepted: bool,
}

impl Socket {
    pub(super) fn peer(&self) -> Peer {
        let ip = std::net::Ipv4Addr::from(self.source);
        let port = 1024 + (self.generation % 60_000) as u16;
        Peer::Ip(ip.into(), port)
    }
}
