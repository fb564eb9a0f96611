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
use rustix::ioctl::{Getter, ioctl};
use rustix::net::{RecvFlags, SendFlags, getsockname, recv, send};

/// `SIOCOUTQ` (tcp(7), unix(7)), which has the number of `TIOCOUTQ`.
const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;

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

    /// Bytes that were written and that the peer has not acknowledged, or, on a Unix socket, not read.
    pub(super) fn unacknowledged(&self) -> u32 {
        // SAFETY: this request writes one `int`, which is what the getter makes room for.
        let count = unsafe { ioctl(self, Getter::<SIOCOUTQ, i32>::new()) };
        count.map_or(0, |count| u32::try_from(count).unwrap_or(0))
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
