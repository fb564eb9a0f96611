//! TCP and Unix sockets behind one face.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

use super::error::LoadError;
use super::plan::Target;

/// A target whose name has been looked up.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Looks the target's name up; of several addresses the first is taken.
    pub(crate) fn resolve(target: &Target) -> Result<Self, LoadError> {
        let name = match target {
            Target::Unix(path) => return Ok(Self::Unix(path.clone())),
            Target::Tcp(name) => name,
        };
        let failed = |source| LoadError::Resolve {
            target: name.clone(),
            source,
        };
        let mut found = name.to_socket_addrs().map_err(failed)?;
        match found.next() {
            Some(address) => Ok(Self::Tcp(address)),
            None => Err(failed(io::Error::from(io::ErrorKind::AddrNotAvailable))),
        }
    }
}

/// A socket that never blocks.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Begins to connect; [`Socket::is_connected`] tells the outcome once it is writable.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Address::Unix(path) => Ok(Self::Unix(UnixStream::connect(path)?)),
        }
    }

    /// Asks for edges of both directions under `token`.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => registry.register(stream, token, both),
            Self::Unix(stream) => registry.register(stream, token, both),
        }
    }

    /// Whether connecting is over; an error if it failed.
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        let (error, peer) = match self {
            Self::Tcp(stream) => (stream.take_error()?, other_end(stream)),
            Self::Unix(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
        };
        match (error, peer) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(true),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            (None, Err(error)) => Err(error),
        }
    }
}

/// That there is another end. A port of this machine that nobody listens at and that the kernel takes
/// for the connection's own end connects to itself (simultaneous open, RFC 9293, section 3.5): a dead
/// server's port would then answer each request with the request.
fn other_end(stream: &TcpStream) -> io::Result<()> {
    if stream.peer_addr()? == stream.local_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

impl Read for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "socket_test.rs"]
mod tests;
