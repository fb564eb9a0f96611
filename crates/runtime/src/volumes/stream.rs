//! A client's socket: TCP or Unix, plain or under TLS.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use rustls::ServerConfig;
use socket2::SockRef;

use super::secure::Secure;

/// A connected socket, shared by whoever reads and whoever writes.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    socket: Arc<OwnedFd>,
    secure: Option<Arc<Secure>>,
}

impl Stream {
    /// A socket in blocking mode.
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Arc::new(socket),
            secure: None,
        }
    }

    /// The same under TLS from here on; each of the client's bytes may take as long as `left` says.
    pub(super) fn start_tls(
        &self,
        config: Arc<ServerConfig>,
        mut left: impl FnMut() -> Duration,
    ) -> io::Result<Self> {
        let receive = |buffer: &mut [u8]| self.receive_within(buffer, left());
        let secure = Secure::accept(&self.socket, config, receive)?;
        Ok(Self {
            socket: Arc::clone(&self.socket),
            secure: Some(Arc::new(secure)),
        })
    }

    /// The session, if this is under TLS.
    pub(super) fn secure(&self) -> Option<&Secure> {
        self.secure.as_deref()
    }

    /// Waits for bytes; 0 at the end.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(secure) = &self.secure {
            return secure.receive(&self.socket, buffer);
        }
        loop {
            match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                Ok((_, len)) => return Ok(len),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes the bytes that have come; `WouldBlock` if there are none, or if they are under TLS.
    pub(super) fn receive_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.secure.is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match recv(&self.socket, buffer, RecvFlags::DONTWAIT) {
            Err(rustix::io::Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
            received => Ok(received?.1),
        }
    }

    /// Waits for bytes for so long; `TimedOut` if none came.
    pub(super) fn receive_within(&self, buffer: &mut [u8], time: Duration) -> io::Result<usize> {
        // What the session has already needs no waiting for.
        if let Some(secure) = &self.secure {
            let got = secure.receive_open(buffer)?;
            if got > 0 {
                return Ok(got);
            }
        }
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut awaited = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut awaited, Some(&time))? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.receive(buffer),
        }
    }

    /// Sends some of it; without waiting, `WouldBlock` says that the socket takes nothing now, and
    /// the same bytes must come first again.
    pub(super) fn send(&self, slices: &[IoSlice<'_>], waits: bool) -> io::Result<usize> {
        if let Some(secure) = &self.secure {
            return secure.send(&self.socket, slices, waits);
        }
        let flags = match waits {
            true => SendFlags::NOSIGNAL,
            false => SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
        };
        let none = &mut SendAncillaryBuffer::default();
        Ok(sendmsg(self.socket.as_fd(), slices, none, flags)?)
    }

    /// Ends both directions, which wakes whoever waits.
    pub(super) fn shut_down(&self) {
        if let Some(secure) = &self.secure {
            secure.say_goodbye(&self.socket);
        }
        // Whoever is gone need not be told.
        let _ = SockRef::from(&*self.socket).shutdown(Shutdown::Both);
    }

    /// Ends what comes in: whoever reads sees the end, and answers still go out.
    pub(super) fn shut_input(&self) {
        let _ = SockRef::from(&*self.socket).shutdown(Shutdown::Read);
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
