//! A client's socket: TCP or Unix, plain.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use socket2::SockRef;

/// A connected socket, shared by whoever reads and whoever writes.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    socket: Arc<OwnedFd>,
}

impl Stream {
    /// A socket in blocking mode.
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Arc::new(socket),
        }
    }

    /// Waits for bytes; 0 at the end.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                Ok((_, len)) => return Ok(len),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends some of it; without waiting, `WouldBlock` says that the socket takes nothing now.
    pub(super) fn send(&self, slices: &[IoSlice<'_>], waits: bool) -> io::Result<usize> {
        let flags = match waits {
            true => SendFlags::NOSIGNAL,
            false => SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        };
        let none = &mut SendAncillaryBuffer::default();
        Ok(sendmsg(self.socket.as_fd(), slices, none, flags)?)
    }

    /// Ends both directions, which wakes whoever waits.
    pub(super) fn shut_down(&self) {
        // Whoever is gone need not be told.
        let _ = SockRef::from(&*self.socket).shutdown(Shutdown::Both);
    }

    /// Ends what comes in: whoever reads sees the end, and answers still go out.
    pub(super) fn shut_input(&self) {
        let _ = SockRef::from(&*self.socket).shutdown(Shutdown::Read);
    }
}
