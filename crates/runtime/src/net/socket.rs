//! A stream socket of any family, called without the C library, whose calls can be cancelled and pay
//! for that.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use gateway::Peer;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendFlags, getsockname, recv, send};

/// A connected socket that does not block.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Its own address.
    pub(super) fn local(&self) -> Peer {
        let address = getsockname(self).ok();
        let address = address.and_then(|address| SocketAddr::try_from(address).ok());
        address.map_or(Peer::Unix, Peer::from)
    }

    /// Reads once; 0 bytes into a room that is not empty are the end.
    pub(super) fn receive(&self, bytes: &mut [u8]) -> rustix::io::Result<usize> {
        let (count, _) = retry_on_intr(|| recv(self, &mut *bytes, RecvFlags::empty()))?;
        Ok(count)
    }

    /// Writes once. A peer that has gone is an error and no signal.
    pub(super) fn send(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        retry_on_intr(|| send(self, bytes, SendFlags::NOSIGNAL))
    }

    /// Watches it for everything; edges only, so a flag that is set stays set until a call blocks.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interest)
    }

    pub(super) fn deregister(&self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
