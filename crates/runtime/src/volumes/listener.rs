//! Where NBD clients connect.

use std::fs::Permissions;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::SockRef;
use thiserror::Error;

use super::spec::Identity;
use super::tls::NbdTls;

/// How long a listener waits before it looks whether it is to end.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Only whoever runs the server may open the socket.
const SOCKET_MODE: u32 = 0o600;

/// Why a listener cannot be had.
#[derive(Debug, Error)]
pub enum NbdListenError {
    /// The address is taken, not ours, or not permitted.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address or path asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Whoever reaches a listener without a login may use what it shows.
    #[error(
        "{0} is not a loopback address: volumes are served to other machines only over TLS with \
         client certificates"
    )]
    OffLoopback(SocketAddr),
}

/// A listening socket.
#[derive(Debug)]
pub struct NbdListener {
    socket: OwnedFd,
    path: Option<PathBuf>,
    tls: Option<NbdTls>,
}

impl NbdListener {
    /// A TCP listener, on loopback unless its clients show certificates.
    pub fn tcp(address: SocketAddr, tls: Option<NbdTls>) -> Result<Self, NbdListenError> {
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(NbdListenError::OffLoopback(address));
        }
        let listener = TcpListener::bind(address).map_err(|source| NbdListenError::Bind {
            address: address.to_string(),
            source,
        })?;
        Ok(Self {
            socket: listener.into(),
            path: None,
            tls,
        })
    }

    /// A Unix socket that only this user may open; it takes the place of a dead one.
    pub fn unix(path: &Path) -> Result<Self, NbdListenError> {
        let bind = || {
            if UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
                std::fs::remove_file(path)?;
            }
            let listener = UnixListener::bind(path)?;
            std::fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE))?;
            Ok(listener)
        };
        let listener = bind().map_err(|source| NbdListenError::Bind {
            address: path.display().to_string(),
            source,
        })?;
        Ok(Self {
            socket: listener.into(),
            path: Some(path.to_owned()),
            tls: None,
        })
    }

    /// A socket that a predecessor has bound.
    pub fn adopt(socket: OwnedFd, path: Option<&Path>, tls: Option<NbdTls>) -> Self {
        Self {
            socket,
            path: path.map(Path::to_owned),
            tls,
        }
    }

    /// What it speaks TLS with, if it does.
    pub(super) fn tls(&self) -> Option<&NbdTls> {
        self.tls.as_ref()
    }

    /// The address that it is bound to; none for a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        SockRef::from(&self.socket).local_addr().ok()?.as_socket()
    }

    /// Waits for a client for a moment.
    pub(super) fn accept(&self) -> io::Result<Option<(OwnedFd, Identity)>> {
        let mut awaited = [PollFd::new(&self.socket, PollFlags::IN)];
        if poll(&mut awaited, Some(&MOMENT))? == 0 {
            return Ok(None);
        }
        let (socket, address) = match acceptfrom_with(&self.socket, SocketFlags::CLOEXEC) {
            // Somebody else, a successor for instance, was quicker.
            Err(Errno::AGAIN) => return Ok(None),
            accepted => accepted?,
        };
        let address = address.and_then(|address| SocketAddr::try_from(address).ok());
        let identity = match address {
            Some(address) => {
                SockRef::from(&socket).set_tcp_nodelay(true)?;
                Identity::Address(address.ip())
            }
            None => Identity::User(socket_peercred(&socket)?.uid.as_raw()),
        };
        Ok(Some((socket, identity)))
    }

    /// Removes the file of a Unix socket, unless a successor has it.
    pub(super) fn remove_file(&self) {
        if let Some(path) = &self.path {
            // Somebody may have removed it before.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl AsFd for NbdListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
