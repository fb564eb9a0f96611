//! A connection to another process on which one thread waits, in the clear or under TLS; every wait has
//! an end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::Clock;
use crate::congestion;

/// Encryption, and the name that the certificate must have.
pub(crate) type DialTls = (Arc<ClientConfig>, ServerName<'static>);

/// An open connection.
#[derive(Debug)]
pub(crate) struct Dialed {
    stream: Stream,
    clock: Clock,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Dialed {
    /// Connects to `HOST:PORT`, encryption included.
    ///
    /// # Errors
    /// It did not come about until `deadline`.
    pub(crate) fn open(
        address: &str,
        tls: Option<&DialTls>,
        clock: Clock,
        deadline: Timestamp,
    ) -> io::Result<Self> {
        let addr = resolve(address)?;
        let tcp = TcpStream::connect_timeout(&addr, left(clock, deadline)?)?;
        // A port of this machine that nobody listens at may connect to itself (RFC 9293, section 3.5).
        if tcp.local_addr()? == tcp.peer_addr()? {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        tcp.set_nodelay(true)?;
        congestion::spare_on_loopback(&tcp, addr);
        let stream = match tls {
            None => Stream::Plain(tcp),
            Some(tls) => Stream::Tls(Box::new(shake_hands(tls, tcp, clock, deadline)?)),
        };
        Ok(Self { stream, clock })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// The other side did not take it until `deadline`, or has gone.
    pub(crate) fn write(&mut self, bytes: &[u8], deadline: Timestamp) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = left(self.clock, deadline)?;
            self.tcp().set_write_timeout(Some(left))?;
            self.tcp().set_read_timeout(Some(left))?;
            let count = match &mut self.stream {
                Stream::Plain(tcp) => tcp.write(rest),
                Stream::Tls(tls) => tls
                    .write(rest)
                    .and_then(|count| tls.flush().map(|()| count)),
            };
            match count {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what is there, at least a byte; 0 at the end.
    ///
    /// # Errors
    /// Nothing came until `deadline`.
    pub(crate) fn read(&mut self, buffer: &mut [u8], deadline: Timestamp) -> io::Result<usize> {
        let left = left(self.clock, deadline)?;
        self.tcp().set_read_timeout(Some(left))?;
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }

    /// The socket below.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => &tls.sock,
        }
    }
}

fn shake_hands(
    tls: &DialTls,
    mut tcp: TcpStream,
    clock: Clock,
    deadline: Timestamp,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let (config, name) = (Arc::clone(&tls.0), tls.1.clone());
    let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        let left = left(clock, deadline)?;
        tcp.set_read_timeout(Some(left))?;
        tcp.set_write_timeout(Some(left))?;
        if tls.complete_io(&mut tcp)? == (0, 0) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(StreamOwned::new(tls, tcp))
}

fn resolve(address: &str) -> io::Result<SocketAddr> {
    let mut found = address.to_socket_addrs()?;
    found
        .next()
        .ok_or_else(|| ErrorKind::AddrNotAvailable.into())
}

/// What is left of the time; none is an error, since the system takes it for "for ever".
fn left(clock: Clock, deadline: Timestamp) -> io::Result<Duration> {
    let left = deadline.since(clock.now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}
