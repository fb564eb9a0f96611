//! A client's connection: each request has until a time of its own, however its answer trickles in.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::load::clock;

/// One connection.
pub(crate) struct Connection(BufReader<Bounded>);

impl Connection {
    pub(crate) fn connect(address: SocketAddr, until_ns: u64) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, left(until_ns)?)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(Bounded { stream, until_ns })))
    }

    /// Sends a request, whose answer is to be there by then.
    pub(crate) fn send(&mut self, bytes: &[u8], until_ns: u64) -> io::Result<()> {
        self.0.get_mut().until_ns = until_ns;
        self.0.get_mut().write_all(bytes)
    }

    /// The next line of the answer, with its end.
    pub(crate) fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }

    pub(crate) fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(bytes)
    }
}

/// A stream on which everything ends at a time.
struct Bounded {
    stream: TcpStream,
    until_ns: u64,
}

impl Read for Bounded {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.until_ns)?))?;
        self.stream.read(bytes)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.until_ns)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Until then; an error once it has passed.
fn left(until_ns: u64) -> io::Result<Duration> {
    match until_ns.saturating_sub(clock::now_ns()) {
        0 => Err(ErrorKind::TimedOut.into()),
        left_ns => Ok(Duration::from_nanos(left_ns)),
    }
}

#[cfg(test)]
#[path = "connection_test.rs"]
mod tests;
