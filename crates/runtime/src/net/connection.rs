//! One client's socket and what the loop knows of it.

use std::io;
use std::time::Duration;

use base::Timestamp;
use gateway::{EntrantId, Peer, SessionId};
use mio::{Registry, Token};
use rustix::io::Errno;

use super::proxy_lobby::LobbyId;
use super::socket::Socket;
use super::tls::TlsStream;

/// How long a client that has closed its side is kept while nothing moves. It may take its time to
/// read what it has asked for; one that does not read is one that has gone.
const CLOSED_PATIENCE: Duration = Duration::from_millis(750);

/// A client's bytes, in the clear or under TLS.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket().register(registry, token)
    }

    pub(super) fn deregister(&self, registry: &Registry) -> io::Result<()> {
        self.socket().deregister(registry)
    }

    /// Says something on a socket that has taken nothing yet, and tells whether it was taken.
    pub(super) fn send(&mut self, words: &[u8]) -> bool {
        let taken = match self {
            Self::Plain(socket) => socket.send(words).ok(),
            Self::Tls(stream) => stream.send(words).ok().map(|(count, _)| count),
        };
        taken == Some(words.len())
    }

    /// The address of ours at which the connection came in.
    pub(super) fn local(&self) -> Peer {
        self.socket().local()
    }

    fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.socket,
        }
    }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Lobby(LobbyId),
    Door(EntrantId),
    Session(SessionId),
}

/// A connection of this loop.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) place: Place,
    /// Tells it from those that had its slot before.
    pub(super) generation: u32,
    /// Reading may give something.
    pub(super) readable: bool,
    /// Writing may take something.
    pub(super) writable: bool,
    /// The peer has sent its last byte, though we may not have read up to it.
    pub(super) peer_closed: bool,
    /// We have read the peer's last byte.
    pub(super) at_end: bool,
    /// To be closed once its output is written.
    pub(super) closing: bool,
    /// To be closed as soon as its client is owed nothing.
    pub(super) leaving: bool,
    /// Stands among those to be closed; it is not served any more.
    pub(super) doomed: bool,
    /// Stands among those on their way in that have something to say.
    pub(super) to_be_heard: bool,
    /// Has stood there before.
    pub(super) was_heard: bool,
    /// What has come since the time for its present request began, in bytes; no more is counted than
    /// fits.
    pub(super) request_len: u16,
    /// When it is closed for not taking its output or not completing a request, or
    /// [`Timestamp::MAX`].
    pub(super) deadline: Timestamp,
    /// No deadline is later; earlier than [`Timestamp::MAX`] once the peer has closed, and then put off
    /// whenever something moves.
    pub(super) close_by: Timestamp,
    /// What the kernel held of our output when that was looked at last, in bytes.
    pub(super) unacknowledged: u32,
    /// Whether it stands among the deadlines, at [`Self::alarm_tick`].
    has_alarm: bool,
    alarm_tick: u32,
}

impl Connection {
    pub(super) fn new(stream: Stream, place: Place, generation: u32) -> Self {
        Self {
            stream,
            place,
            generation,
            readable: true,
            writable: true,
            peer_closed: false,
            at_end: false,
            closing: false,
            leaving: false,
            doomed: false,
            to_be_heard: false,
            was_heard: false,
            request_len: 0,
            deadline: Timestamp::MAX,
            close_by: Timestamp::MAX,
            unacknowledged: 0,
            has_alarm: false,
            alarm_tick: 0,
        }
    }

    /// Reads once. `Ok(0)` means that nothing is there now; the end sets [`Self::at_end`].
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let socket = match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => {
                let received = stream.receive(bytes)?;
                self.at_end = received.at_end;
                self.readable = received.more || (self.peer_closed && !received.at_end);
                return Ok(received.count);
            }
        };
        match socket.receive(bytes) {
            Ok(0) => {
                self.at_end = true;
                self.readable = false;
                Ok(0)
            }
            // A short read has emptied the socket: the next byte, or the end if it has not come
            // yet, makes a new edge (epoll(7), question 9).
            Ok(count) => {
                self.readable = count == bytes.len() || self.peer_closed;
                Ok(count)
            }
            Err(Errno::WOULDBLOCK) => {
                self.readable = false;
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that something was read, written, or taken by the peer.
    pub(super) fn note_moved(&mut self, now: Timestamp) {
        if self.peer_closed {
            self.close_by = now + CLOSED_PATIENCE;
        }
    }

    /// Has it closed no later than this, unless its deadline is put off again.
    pub(super) fn set_deadline(&mut self, deadline: Timestamp) {
        self.deadline = deadline.min(self.close_by);
    }

    /// When it is to be looked at whether its deadline has come, unless that is done as early already.
    pub(super) fn set_alarm(&mut self) -> Option<Timestamp> {
        let tick = tick_of(self.deadline);
        let is_earlier = tick.wrapping_sub(self.alarm_tick).cast_signed() < 0;
        if self.deadline == Timestamp::MAX || self.has_alarm && !is_earlier {
            return None;
        }
        (self.has_alarm, self.alarm_tick) = (true, tick);
        Some(self.deadline)
    }

    /// Whether the alarm that was set for `at` is the one that counts; then it has none any more.
    pub(super) fn take_alarm(&mut self, at: Timestamp) -> bool {
        let counts = self.has_alarm && self.alarm_tick == tick_of(at);
        self.has_alarm &= !counts;
        counts
    }

    /// Whether the kernel holds another number of bytes for the peer than when this was asked last.
    pub(super) fn has_drained(&mut self) -> bool {
        let now = self.stream.socket().unacknowledged();
        now != std::mem::replace(&mut self.unacknowledged, now)
    }

    /// How many bytes of input there are to read.
    pub(super) fn pending(&self) -> usize {
        let pending = rustix::io::ioctl_fionread(self.stream.socket()).unwrap_or(0);
        usize::try_from(pending).unwrap_or(usize::MAX)
    }

    /// Writes once; tells how much was taken. What was not is to be written next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let socket = match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => {
                let (count, writable) = stream.send(bytes)?;
                self.writable = writable;
                return Ok(count);
            }
        };
        match socket.send(bytes) {
            Ok(count) => {
                self.writable = count == bytes.len();
                Ok(count)
            }
            Err(Errno::WOULDBLOCK) => {
                self.writable = false;
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A millisecond, about, in as few bits as tell the next weeks apart.
fn tick_of(at: Timestamp) -> u32 {
    (at.as_nanos() >> 20) as u32
}

#[cfg(test)]
#[path = "connection_test.rs"]
mod tests;
