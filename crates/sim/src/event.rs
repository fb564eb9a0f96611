//! What happens when: the events of the virtual world, in the order of their time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::Timestamp;

use crate::network::SocketId;

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Something that comes to pass at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A client's wish to connect reaches the server's kernel.
    Syn(SocketId),
    /// The client learns that it is connected.
    Connected(SocketId),
    /// The handshake is over at the server: somebody is there to be accepted.
    Established(SocketId),
    /// This many bytes reach that side.
    Arrive(SocketId, Side, u32),
    /// That side learns that the other sends no more.
    Fin(SocketId, Side),
    /// That side learns that the connection is void.
    Reset(SocketId, Side),
    /// That side, which has bytes that it could not send, learns of room at the other.
    Window(SocketId, Side),
    /// The server's kernel gives up a connection whose client does not acknowledge anything.
    GiveUp(SocketId),
    /// A client looks at its clock.
    Alarm(u32),
    /// The scenario's next change is due.
    Cue(u32),
}

/// Events to come; those of one moment in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    added: u64,
}

impl EventQueue {
    pub(crate) fn add(&mut self, at: Timestamp, event: Event) {
        self.added += 1;
        self.heap.push(Reverse((at, self.added, event)));
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(crate) fn take(&mut self) -> Option<(Timestamp, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }

    /// How many were ever added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }
}

#[cfg(test)]
#[path = "event_test.rs"]
mod tests;
