//! One client's socket and what the loop knows of it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use base::Timestamp;
use gateway::{EntrantId, SessionId};
use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// A stream socket, whatever its family; called without the C library, whose calls can be
/// cancelled and pay for that.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn receive(&self, bytes: &mut [u8]) -> rustix::io::Result<usize> {
        let (count, _) = retry_on_intr(|| recv(self, &mut *bytes, RecvFlags::empty()))?;
        Ok(count)
    }

    pub(super) fn send(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        retry_on_intr(|| send(self, bytes, SendFlags::NOSIGNAL))
    }

    /// Watches it for everything; edges only, so a flag that is set stays set until a call blocks.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.as_source().register(registry, token, interest)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.as_source().deregister(registry)
    }

    fn as_source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
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
    /// When it is closed for not taking its output, or [`Timestamp::MAX`].
    pub(super) deadline: Timestamp,
    /// Whether it stands among the deadlines, at its own or an earlier one.
    pub(super) has_alarm: bool,
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
            deadline: Timestamp::MAX,
            has_alarm: false,
        }
    }

    /// Reads once. `Ok(0)` means that nothing is there now; the end sets [`Self::at_end`].
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.stream.receive(bytes) {
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

    /// Writes once; tells how much was taken.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.send(bytes) {
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

#[cfg(test)]
#[path = "connection_test.rs"]
mod tests;
