//! A socket between a gateway and a node, in the clear or under mutual TLS.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use node_proto::gate::Segments;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use super::tcp_info;
use super::trust::Trust;
use crate::cluster::{Identity, Role, role_of};
use crate::congestion;

/// Bytes under TLS that wait for the socket at most.
const TLS_BUFFER_LEN: usize = 256 * 1024;

/// What both sides of the internal protocol show each other; without it nothing is encrypted.
#[derive(Clone, Debug)]
pub struct PeerTls {
    /// For the connections that this process makes.
    pub client: Arc<ClientConfig>,
    /// For those that it takes.
    pub server: Arc<ServerConfig>,
    /// What both show.
    pub(super) identity: Arc<Identity>,
    /// Whom both believe.
    pub(super) trust: Arc<Trust>,
}

/// One connection.
pub(crate) struct PeerStream {
    socket: TcpStream,
    tls: Option<Box<Connection>>,
    /// Reading may give something.
    pub(crate) readable: bool,
    /// Writing may take something.
    pub(crate) writable: bool,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes, perhaps none for now.
    Bytes(usize),
    /// The other side has ended.
    End,
}

impl PeerStream {
    /// Begins to connect. It is made once it is writable and [`error`](Self::error) tells of none.
    pub(crate) fn connect(addr: SocketAddr, name: &str, tls: Option<&PeerTls>) -> io::Result<Self> {
        let tls = match tls {
            None => None,
            Some(tls) => {
                let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
                let client = ClientConnection::new(Arc::clone(&tls.client), name);
                Some(client.map_err(io::Error::other)?.into())
            }
        };
        let socket = TcpStream::connect(addr)?;
        congestion::spare_on_loopback(&socket, addr);
        Self::new(socket, tls, false)
    }

    /// Takes a connection over that was accepted.
    pub(crate) fn accept(socket: TcpStream, tls: Option<&PeerTls>) -> io::Result<Self> {
        let tls = match tls {
            None => None,
            Some(tls) => {
                let server = ServerConnection::new(Arc::clone(&tls.server));
                Some(server.map_err(io::Error::other)?.into())
            }
        };
        congestion::spare_on_loopback(&socket, socket.local_addr()?);
        Self::new(socket, tls, true)
    }

    fn new(socket: TcpStream, tls: Option<Connection>, is_connected: bool) -> io::Result<Self> {
        let tls = tls.map(|mut tls| {
            tls.set_buffer_limit(Some(TLS_BUFFER_LEN));
            Box::new(tls)
        });
        if is_connected {
            socket.set_nodelay(true)?;
        }
        Ok(Self {
            socket,
            tls,
            readable: is_connected,
            writable: is_connected,
        })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut self.socket, token, interest)
    }

    /// Whether connecting failed, once it is writable.
    pub(crate) fn check_connected(&self) -> io::Result<()> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        // A port of this machine that nobody listens at may connect to itself (simultaneous open, RFC
        // 9293, section 3.5), and would keep a node that starts again from its port.
        if self.socket.peer_addr()? == self.socket.local_addr()? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.socket.set_nodelay(true)
    }

    /// Whether the other side has shown the certificate of a node; `None` while it has shown none.
    pub(crate) fn is_node(&self) -> Option<bool> {
        let Some(tls) = &self.tls else {
            // Nobody shows anything, and anybody is believed.
            return Some(false);
        };
        let certificate = tls.peer_certificates()?.first()?;
        Some(matches!(role_of(certificate), Ok(Some(Role::Node))))
    }

    /// What this side has sent.
    pub(crate) fn segments(&self) -> Segments {
        tcp_info::segments(&self.socket)
    }

    /// Reads once. Once it gives less than there is room for, the next bytes make a new edge.
    pub(crate) fn read(&mut self, bytes: &mut [u8]) -> io::Result<Received> {
        let Some(tls) = &mut self.tls else {
            return match self.socket.read(bytes) {
                Ok(0) => Ok(Received::End),
                Ok(count) => {
                    self.readable = count == bytes.len();
                    Ok(Received::Bytes(count))
                }
                Err(error) => self.nothing_or(error),
            };
        };
        match tls.read_tls(&mut self.socket) {
            Ok(0) => return Ok(Received::End),
            Ok(_) => {
                tls.process_new_packets().map_err(io::Error::other)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The plaintext that is there is to be taken first.
            Err(error) if error.kind() == io::ErrorKind::Other => {}
            Err(error) => return Err(error),
        }
        let mut count = 0;
        while count < bytes.len() {
            match tls.reader().read(&mut bytes[count..]) {
                Ok(0) => return Ok(Received::End),
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if count == bytes.len() {
            self.readable = true;
        }
        self.push_tls()?;
        Ok(Received::Bytes(count))
    }

    /// Writes once; how much was taken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return match self.socket.write(bytes) {
                Ok(count) => {
                    self.writable = count == bytes.len();
                    Ok(count)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    Ok(0)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                Err(error) => Err(error),
            };
        };
        let count = tls.writer().write(bytes)?;
        self.push_tls()?;
        Ok(count)
    }

    /// Writes what TLS itself has to say, and what it holds back.
    pub(crate) fn push_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn nothing_or(&mut self, error: io::Error) -> io::Result<Received> {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(Received::Bytes(0))
            }
            io::ErrorKind::Interrupted => Ok(Received::Bytes(0)),
            _ => Err(error),
        }
    }
}

#[cfg(test)]
#[path = "stream_test.rs"]
mod tests;
