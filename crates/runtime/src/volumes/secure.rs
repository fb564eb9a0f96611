//! A client's socket under TLS: whoever reads and whoever writes share one session.

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustls::{ServerConfig, ServerConnection};

/// What is received at once: some records.
const SEALED_LEN: usize = 64 << 10;
/// What is sealed at once: four records.
const OPEN_LEN_MAX: usize = 64 << 10;

/// One session, after its handshake.
#[derive(Debug)]
pub(super) struct Secure {
    session: Mutex<ServerConnection>,
    incoming: Mutex<Incoming>,
    outgoing: Mutex<Outgoing>,
}

/// Bytes of the network that the session has not taken yet.
#[derive(Debug)]
struct Incoming {
    sealed: Vec<u8>,
    from: usize,
    to: usize,
}

/// Bytes that are sealed and not sent, and how many of the caller's they are.
#[derive(Debug, Default)]
struct Outgoing {
    sealed: Vec<u8>,
    sent: usize,
    owed: usize,
}

impl Secure {
    /// Shakes hands on a socket in blocking mode; `receive` waits for bytes, as long as it may.
    pub(super) fn accept(
        socket: &OwnedFd,
        config: Arc<ServerConfig>,
        mut receive: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Self> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut sealed = vec![0; SEALED_LEN];
        loop {
            // What is sent by now fits every socket's buffer.
            flush_all(socket, &mut session)?;
            if !session.is_handshaking() {
                break;
            }
            let got = receive(&mut sealed)?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut rest = sealed.get(..got).unwrap_or_default();
            while !rest.is_empty() {
                session.read_tls(&mut rest)?;
                if let Err(error) = session.process_new_packets() {
                    // Why, if the client still listens.
                    let _ = flush_all(socket, &mut session);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
        Ok(Self {
            session: Mutex::new(session),
            incoming: Mutex::new(Incoming {
                sealed,
                from: 0,
                to: 0,
            }),
            outgoing: Mutex::default(),
        })
    }

    /// What the client has shown.
    pub(super) fn with_certificates<T>(
        &self,
        look: impl FnOnce(Option<&[rustls::pki_types::CertificateDer<'static>]>) -> T,
    ) -> T {
        look(self.session().peer_certificates())
    }

    /// Bytes that have come already; 0 if there are none.
    pub(super) fn receive_open(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        self.open(&mut incoming, buffer)
    }

    /// Waits for bytes; 0 at the end.
    pub(super) fn receive(&self, socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let opened = self.open(&mut incoming, buffer)?;
            if opened > 0 {
                return Ok(opened);
            }
            incoming.from = 0;
            incoming.to = match recv(socket, &mut incoming.sealed[..], RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => 0,
                Ok((_, 0)) => return Ok(0),
                Ok((_, len)) => len,
                Err(error) => return Err(error.into()),
            };
        }
    }

    /// Opens what has been received, as far as it and the room reach.
    fn open(&self, incoming: &mut Incoming, buffer: &mut [u8]) -> io::Result<usize> {
        let mut session = self.session();
        let mut filled = 0;
        loop {
            let room = buffer.get_mut(filled..).unwrap_or_default();
            match session.reader().read(room) {
                // An end that was announced; or no room.
                Ok(0) => return Ok(filled),
                Ok(len) => filled += len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let (from, to) = (incoming.from, incoming.to);
                    let mut rest = incoming.sealed.get(from..to).unwrap_or_default();
                    if rest.is_empty() {
                        return Ok(filled);
                    }
                    let before = rest.len();
                    session.read_tls(&mut rest)?;
                    incoming.from += before - rest.len();
                    let opened = session.process_new_packets();
                    opened.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends some of it. Without waiting, `WouldBlock` says that the socket takes nothing now; the
    /// same bytes must then come first again, for they may be sealed already.
    pub(super) fn send(
        &self,
        socket: &OwnedFd,
        slices: &[IoSlice<'_>],
        waits: bool,
    ) -> io::Result<usize> {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        if outgoing.owed == 0 {
            outgoing.sealed.clear();
            outgoing.sent = 0;
            let mut session = self.session();
            for slice in slices {
                let room = OPEN_LEN_MAX - outgoing.owed;
                let part = slice.get(..slice.len().min(room)).unwrap_or_default();
                session.writer().write_all(part)?;
                outgoing.owed += part.len();
                while session.wants_write() {
                    session.write_tls(&mut outgoing.sealed)?;
                }
            }
        }
        while outgoing.sent < outgoing.sealed.len() {
            let rest = outgoing.sealed.get(outgoing.sent..).unwrap_or_default();
            let sent = send_some(socket, rest, waits)?;
            outgoing.sent += sent;
        }
        Ok(std::mem::take(&mut outgoing.owed))
    }

    /// Tells the client that this is the end, if it takes that at once.
    pub(super) fn say_goodbye(&self, socket: &OwnedFd) {
        // Whoever sends just now has a client that does not read.
        if let Ok(outgoing) = self.outgoing.try_lock()
            && outgoing.sent == outgoing.sealed.len()
        {
            let mut session = self.session();
            session.send_close_notify();
            // Whoever is gone need not be told.
            let _ = flush_all(socket, &mut session);
        }
    }

    fn session(&self) -> MutexGuard<'_, ServerConnection> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flush_all(socket: &OwnedFd, session: &mut ServerConnection) -> io::Result<()> {
    let mut sealed = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut sealed)?;
    }
    let mut sent = 0;
    while sent < sealed.len() {
        sent += send_some(socket, sealed.get(sent..).unwrap_or_default(), false)?;
    }
    Ok(())
}

fn send_some(socket: &OwnedFd, bytes: &[u8], waits: bool) -> io::Result<usize> {
    let flags = match waits {
        true => SendFlags::NOSIGNAL,
        false => SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
    };
    loop {
        match send(socket.as_fd(), bytes, flags) {
            Err(rustix::io::Errno::INTR) => {}
            sent => return Ok(sent?),
        }
    }
}

#[cfg(test)]
#[path = "secure_test.rs"]
mod tests;
