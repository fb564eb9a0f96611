//! Sockets that wait for clients: each bound to one tenant, or authenticating, never both.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::TenantId;
use gateway::Peer;
use mio::net::{TcpListener, UnixListener};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;

use super::connection::Stream;

/// Connections that the kernel holds for us until we accept them: enough for a storm's burst, since
/// whoever comes when it is full waits a second for his next try.
pub(super) const BACKLOG: i32 = 4096;

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
}

/// A listening socket and whom its connections speak for.
#[derive(Debug)]
pub struct Listener {
    /// Held for what its end does, which comes before the socket's: a successor may bind the path
    /// as soon as nobody answers there, and its file is not ours to remove.
    _file: Option<SocketFile>,
    pub(super) socket: ListenSocket,
    /// The tenant that it is bound to; without one it authenticates.
    pub(super) tenant: Option<TenantId>,
}

#[derive(Debug)]
pub(super) enum ListenSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The file of a Unix socket, removed when the listener goes.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it before; then there is nothing left to do.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// A TCP listener whose clients must authenticate.
    pub fn authenticating(address: SocketAddr) -> Result<Self, ListenError> {
        Ok(Self {
            socket: ListenSocket::Tcp(bind_tcp(address)?),
            _file: None,
            tenant: None,
        })
    }

    /// A TCP listener on a loopback address whose clients all speak for one tenant.
    pub fn open(address: SocketAddr, tenant: TenantId) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() {
            return Err(ListenError::OpenOffLoopback(address));
        }
        Ok(Self {
            socket: ListenSocket::Tcp(bind_tcp(address)?),
            _file: None,
            tenant: Some(tenant),
        })
    }

    /// A Unix socket with these permissions, whose clients all speak for one tenant.
    pub fn unix(path: &Path, mode: u32, tenant: TenantId) -> Result<Self, ListenError> {
        Ok(Self {
            socket: ListenSocket::Unix(bind_unix(path, mode)?),
            _file: Some(SocketFile(path.to_owned())),
            tenant: Some(tenant),
        })
    }

    /// The address that it is bound to; none for a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            ListenSocket::Tcp(socket) => socket.local_addr().ok(),
            ListenSocket::Unix(_) => None,
        }
    }

    pub(super) fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            ListenSocket::Tcp(socket) => {
                let (stream, address) = socket.accept()?;
                Ok((Stream::Tcp(stream), Peer::from(address)))
            }
            ListenSocket::Unix(socket) => {
                let (stream, _) = socket.accept()?;
                Ok((Stream::Unix(stream), Peer::Unix))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let bind = || -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Linux hands these on to every accepted socket, which saves a call for each.
        socket.set_tcp_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(60))
            .with_interval(Duration::from_secs(15))
            .with_retries(4);
        socket.set_tcp_keepalive(&keepalive)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::from(address))?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from_std(StdTcpListener::from(socket)))
    };
    bind().map_err(|source| ListenError::Bind {
        address: address.to_string(),
        source,
    })
}

fn bind_unix(path: &Path, mode: u32) -> Result<UnixListener, ListenError> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(ListenError::PathInUse(path.to_owned()));
    }
    let bind = || -> io::Result<UnixListener> {
        // What a server that was killed has left behind; any other file is not ours to remove.
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
            std::fs::remove_file(path)?;
        }
        let listener = StdUnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        SockRef::from(&listener).listen(BACKLOG)?;
        listener.set_nonblocking(true)?;
        Ok(UnixListener::from_std(listener))
    };
    bind().map_err(|source| ListenError::Bind {
        address: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
#[path = "listener_test.rs"]
mod tests;
