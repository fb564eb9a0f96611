//! What happens when: the events of the virtual world, in the order of their time.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use base::Timestamp;

use crate::network::SocketId;

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Something that comes to pass at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
///
/// Only those of the next moments are kept in order: most of the others are timeouts, of which there
/// is one for each client, and a heap of them all would not fit the processor's caches.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    /// Those before the horizon; empty only if there are none at all.
    near: BinaryHeap<Due>,
    /// The others, by their millisecond.
    far: BTreeMap<u64, Vec<Due>>,
    /// In milliseconds.
    horizon: u64,
    added: u64,
}

/// An event and its place in the order, where less comes first.
#[derive(Clone, Copy, Debug)]
struct Due {
    at: Timestamp,
    number: u64,
    event: Event,
}

impl Due {
    /// One comparison of one number: it is what a run does most.
    fn key(&self) -> Reverse<u128> {
        Reverse(u128::from(self.at.as_nanos()) << 64 | u128::from(self.number))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Due {}

impl EventQueue {
    pub(crate) fn add(&mut self, at: Timestamp, event: Event) {
        self.added += 1;
        let number = self.added;
        let due = Due { at, number, event };
        let millis = at.as_nanos() / 1_000_000;
        if millis < self.horizon {
            self.near.push(due);
        } else {
            self.far.entry(millis).or_default().push(due);
            self.look_ahead();
        }
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.near.peek().map(|due| due.at)
    }

    pub(crate) fn take(&mut self) -> Option<(Timestamp, Event)> {
        let due = self.near.pop()?;
        self.look_ahead();
        Some((due.at, due.event))
    }

    fn look_ahead(&mut self) {
        if self.near.is_empty()
            && let Some((millis, events)) = self.far.pop_first()
        {
            self.horizon = millis + 1;
            self.near.extend(events);
        }
    }

    /// How many were ever added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }
}

#[cfg(test)]
#[path = "event_test.rs"]
mod tests;
