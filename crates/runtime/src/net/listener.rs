//! Sockets that wait for clients: each bound to one tenant, or authenticating, never both.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::TenantId;
use gateway::Peer;
use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket as NewSocket, TcpKeepalive, Type};
use thiserror::Error;

use super::socket::Socket;
use super::tls::TlsServer;

/// What the kernel allows where it does not say.
const BACKLOG_UNKNOWN: i32 = 4096;
/// A peer from which nothing has come for so long is asked whether it is still there.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
/// How long it has to answer before it is asked again.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 4;

/// Why a listener cannot be had.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address is taken, not ours, or not permitted.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address or path asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A tenant without a password must not be reachable from other machines.
    #[error(
        "{0} is not a loopback address: the open tenant has no password; \
         give it a loopback address and let others use the authenticating listener"
    )]
    OpenOffLoopback(SocketAddr),
    /// Another server answers at this path.
    #[error("{0} is in use by a running server: stop it, or choose another path")]
    PathInUse(PathBuf),
    /// A descriptor that was handed over is something else.
    #[error(
        "a descriptor that was handed over as a listener is no socket that listens for streams"
    )]
    NotListening,
}

/// A listening socket and whom its connections speak for.
#[derive(Debug)]
pub struct Listener {
    /// Held for what its end does, which comes before the socket's: a successor may bind the path
    /// as soon as nobody answers there, and its file is not ours to remove.
    file: Option<SocketFile>,
    socket: OwnedFd,
    approach: Approach,
}

/// What a listener makes of its connections.
#[derive(Clone, Debug)]
pub(super) struct Approach {
    /// The tenant that it is bound to; without one it authenticates.
    pub(super) tenant: Option<TenantId>,
    /// What it speaks TLS with, if it does.
    pub(super) tls: Option<Arc<TlsServer>>,
}

/// What every accepted socket inherits from its listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// What the kernel may hold of one connection's replies, in bytes, if that is not left to it.
    pub send_buffer_bytes: Option<usize>,
    /// How long what was sent may stay unacknowledged, if that is not left to the system.
    pub user_timeout: Option<Duration>,
}

/// The file of a Unix socket, removed when the listener goes.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    is_ours: bool,
}

impl SocketFile {
    fn ours(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            is_ours: true,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_ours {
            // Somebody may have removed it before; then there is nothing left to do.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// A TCP listener whose clients must authenticate.
    pub fn authenticating(address: SocketAddr) -> Result<Self, ListenError> {
        Ok(Self::new(bind_tcp(address)?, None))
    }

    /// A TCP listener on a loopback address whose clients all speak for one tenant.
    pub fn open(address: SocketAddr, tenant: TenantId) -> Result<Self, ListenError> {
        check_loopback(address)?;
        Ok(Self::new(bind_tcp(address)?, Some(tenant)))
    }

    /// A Unix socket with these permissions, whose clients all speak for one tenant.
    pub fn unix(path: &Path, mode: u32, tenant: TenantId) -> Result<Self, ListenError> {
        let mut listener = Self::new(bind_unix(path, mode)?, Some(tenant));
        listener.file = Some(SocketFile::ours(path));
        Ok(listener)
    }

    /// A socket that somebody else has bound and listens on: a predecessor, or the service manager.
    /// Bound to a tenant it must be a Unix socket or on loopback.
    pub fn adopt(socket: OwnedFd, tenant: Option<TenantId>) -> Result<Self, ListenError> {
        let listener = Self::new(socket, tenant);
        listener.check_is_listening()?;
        if let (Some(address), Some(_)) = (listener.local_addr(), tenant) {
            check_loopback(address)?;
        }
        Ok(listener)
    }

    /// Lets the file at `path`, by which its Unix socket is known, go with it.
    #[must_use]
    pub fn owning_file(mut self, path: &Path) -> Self {
        self.file = Some(SocketFile::ours(path));
        self
    }

    /// Makes its connections speak TLS and nothing else.
    #[must_use]
    pub fn with_tls(mut self, server: Arc<TlsServer>) -> Self {
        self.approach.tls = Some(server);
        self
    }

    /// The address that it is bound to; none for a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        let address = SockRef::from(&self.socket).local_addr().ok()?;
        address.as_socket()
    }

    /// Sets what the sockets inherit that are accepted from now on.
    pub fn set_options(&self, options: &SocketOptions) -> io::Result<()> {
        let socket = SockRef::from(&self.socket);
        if let Some(bytes) = options.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        if self.local_addr().is_some() {
            socket.set_tcp_nodelay(true)?;
            let keepalive = TcpKeepalive::new()
                .with_time(KEEPALIVE_TIME)
                .with_interval(KEEPALIVE_INTERVAL)
                .with_retries(KEEPALIVE_RETRIES);
            socket.set_tcp_keepalive(&keepalive)?;
            socket.set_tcp_user_timeout(options.user_timeout)?;
        }
        Ok(())
    }

    /// Whether the file of its Unix socket goes with it.
    pub fn owns_file(&self) -> bool {
        self.file.is_some()
    }

    /// Leaves the file of its Unix socket to whoever listens on the socket next.
    pub(super) fn leave_file(&mut self) {
        if let Some(file) = &mut self.file {
            file.is_ours = false;
        }
    }

    pub(super) fn approach(&self) -> &Approach {
        &self.approach
    }

    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        SourceFd(&self.socket.as_raw_fd()).register(registry, token, Interest::READABLE)
    }

    pub(super) fn deregister(&self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.socket.as_raw_fd()).deregister(registry)
    }

    pub(super) fn accept(&self) -> io::Result<(Socket, Peer)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, address) = acceptfrom_with(&self.socket, flags)?;
        let address = address.and_then(|address| SocketAddr::try_from(address).ok());
        let peer = address.map_or(Peer::Unix, Peer::from);
        Ok((Socket::from(socket), peer))
    }

    fn new(socket: OwnedFd, tenant: Option<TenantId>) -> Self {
        Self {
            file: None,
            socket,
            approach: Approach { tenant, tls: None },
        }
    }

    fn check_is_listening(&self) -> Result<(), ListenError> {
        let socket = SockRef::from(&self.socket);
        let listens = socket.is_listener().unwrap_or(false);
        let is_stream = socket.r#type().is_ok_and(|kind| kind == Type::STREAM);
        if !listens || !is_stream || socket.set_nonblocking(true).is_err() {
            return Err(ListenError::NotListening);
        }
        Ok(())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Connections that the kernel holds for us until we accept them: as many as it does for anybody,
/// since whoever comes when it is full waits a second for his next try.
pub(super) fn backlog() -> i32 {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(BACKLOG_UNKNOWN)
}

fn check_loopback(address: SocketAddr) -> Result<(), ListenError> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(ListenError::OpenOffLoopback(address)),
    }
}

fn bind_tcp(address: SocketAddr) -> Result<OwnedFd, ListenError> {
    let bind = || -> io::Result<OwnedFd> {
        let domain = Domain::for_address(address);
        let socket = NewSocket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(backlog())?;
        Ok(socket.into())
    };
    bind().map_err(|source| ListenError::Bind {
        address: address.to_string(),
        source,
    })
}

fn bind_unix(path: &Path, mode: u32) -> Result<OwnedFd, ListenError> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(ListenError::PathInUse(path.to_owned()));
    }
    let bind = || -> io::Result<OwnedFd> {
        // What a server that was killed has left behind; any other file is not ours to remove.
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
            std::fs::remove_file(path)?;
        }
        let socket = NewSocket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(backlog())?;
        Ok(socket.into())
    };
    bind().map_err(|source| ListenError::Bind {
        address: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
#[path = "listener_test.rs"]
mod tests;
