//! Whether a server lets anybody in, told to it while it runs; and its sockets, for a successor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// What a server is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Serve,
    /// Whoever comes waits in the system's queue.
    Hold,
    End,
}

/// The way to a running server, from any thread. Closed, it lets nobody in, and nobody is refused:
/// they wait until it opens, or until a successor that has the sockets lets them in.
#[derive(Debug)]
pub struct Gate {
    wish: watch::Sender<Wish>,
    unix: OwnedFd,
    tcp: Option<OwnedFd>,
    leaves_file: AtomicBool,
}

impl Gate {
    pub(super) fn new(unix: OwnedFd, tcp: Option<OwnedFd>) -> Self {
        Self {
            wish: watch::Sender::new(Wish::Serve),
            unix,
            tcp,
            leaves_file: AtomicBool::new(false),
        }
    }

    /// Lets nobody in; who is in may go on.
    pub fn close(&self) {
        self.wish.send_replace(Wish::Hold);
    }

    /// Lets people in again.
    pub fn open(&self) {
        self.wish.send_replace(Wish::Serve);
    }

    /// Leaves the file of the Unix socket to a successor.
    pub fn leave_file(&self) {
        self.leaves_file.store(true, Ordering::Release);
    }

    /// The Unix socket, and the TCP port if there is one.
    pub fn sockets(&self) -> (BorrowedFd<'_>, Option<BorrowedFd<'_>>) {
        (self.unix.as_fd(), self.tcp.as_ref().map(AsFd::as_fd))
    }

    pub(super) fn end(&self) {
        self.wish.send_replace(Wish::End);
    }

    pub(super) fn leaves_file(&self) -> bool {
        self.leaves_file.load(Ordering::Acquire)
    }

    pub(super) fn wishes(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }
}
