//! Sockets that the service manager has opened before it started this process (sd_listen_fds(3)).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_acceptconn;
use socket2::SockRef;

/// Where they begin: behind the standard streams.
const FIRST: RawFd = 3;
/// Whether they have been taken; each descriptor has one owner.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the descriptors from 3 on, `count` of them, which the service manager says it has left to
/// this very process (`LISTEN_FDS`, where `LISTEN_PID` is its own). To be called before anything is
/// opened. A second time there are none.
pub fn take(count: u8) -> io::Result<Vec<OwnedFd>> {
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Ok(Vec::new());
    }
    (FIRST..FIRST + RawFd::from(count)).map(take_one).collect()
}

/// Where a socket listens: the address of a TCP port, or the path of a Unix socket.
pub fn place_of(socket: &OwnedFd) -> (Option<SocketAddr>, Option<PathBuf>) {
    let Ok(address) = SockRef::from(socket).local_addr() else {
        return (None, None);
    };
    let path = address.as_pathname().map(Path::to_owned);
    (address.as_socket(), path)
}

fn take_one(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it is only asked about, and one that is not open is an answer.
    let asked = unsafe { BorrowedFd::borrow_raw(number) };
    if !socket_acceptconn(asked)? {
        let reason = format!("descriptor {number} is no socket that listens");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    // It shall not go on to a process that this one starts.
    fcntl_setfd(asked, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, it was there before this process opened anything, and it is taken once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
