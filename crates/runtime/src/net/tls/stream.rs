//! One connection under TLS: records to and from its socket, without buffers while it is idle.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::{fmt, io, mem};

use rustix::io::Errno;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, WriteTraffic};

use crate::net::socket::Socket;

/// Plaintext that is encrypted at a time: four records of the greatest length.
const WRITE_LEN: usize = 4 << 14;
/// Room for that many records, and for whatever TLS itself has to say meanwhile.
const SCRATCH_LEN: usize = WRITE_LEN + 8 * 1024;
/// The most that a peer may make us hold of a record or a handshake message that is not whole.
const INCOMING_LEN_MAX: usize = 32 * 1024;
/// Past that a peer does not read what a handshake answers it.
const OUTGOING_LEN_MAX: usize = 64 * 1024;
/// A record of TLS that says goodbye takes less.
const GOODBYE_LEN_MAX: usize = 128;

thread_local! {
    /// Records on their way, for all connections of a thread: each call leaves it free.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_LEN]);
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::net) struct Received {
    /// Bytes of plaintext.
    pub(in crate::net) count: usize,
    /// Whether another read may bring more without a new edge.
    pub(in crate::net) more: bool,
    /// Whether the peer has sent its last byte, and all of them were read.
    pub(in crate::net) at_end: bool,
}

/// How far a handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// The client is to be heard or written to first.
    Waiting,
    /// More may have come already.
    MoreToDo,
    /// It is over, and all of it is sent.
    Done,
}

/// A server's side of one connection. While it is idle the vectors hold no memory.
pub(in crate::net) struct TlsStream {
    pub(in crate::net) socket: Socket,
    session: UnbufferedServerConnection,
    /// Records that came and are not decrypted yet, the last perhaps in part.
    incoming: Vec<u8>,
    /// Plaintext that was decrypted and not taken yet.
    plaintext: Vec<u8>,
    /// Records that the socket has not taken yet.
    outgoing: Vec<u8>,
    /// How much plaintext in `outgoing` its owner was not yet told is written.
    promised_len: usize,
    /// The peer has said goodbye, or its side of the socket has ended.
    ended: bool,
    /// The peer was told that something is wrong, after which nothing may be said.
    broken: bool,
}

impl TlsStream {
    /// A connection that has not shaken hands yet.
    pub(super) fn new(socket: Socket, config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self {
            socket,
            session: UnbufferedServerConnection::new(config)?,
            incoming: Vec::new(),
            plaintext: Vec::new(),
            outgoing: Vec::new(),
            promised_len: 0,
            ended: false,
            broken: false,
        })
    }

    /// Takes the handshake as far as what has come allows.
    pub(super) fn shake_hands(&mut self) -> io::Result<Handshake> {
        if self.session.is_handshaking() {
            let received = self.receive(&mut [])?;
            if self.session.is_handshaking() {
                self.flush()?;
                return match received {
                    Received { at_end: true, .. } => Err(io::ErrorKind::UnexpectedEof.into()),
                    _ if self.outgoing.len() > OUTGOING_LEN_MAX => {
                        Err(io::ErrorKind::OutOfMemory.into())
                    }
                    Received { more: true, .. } => Ok(Handshake::MoreToDo),
                    _ => Ok(Handshake::Waiting),
                };
            }
            // What TLS has to say behind the handshake: tickets for the next one.
            let own = self.with_writer(|_, own| own)?;
            self.outgoing = own;
        }
        Ok(match self.flush()? {
            true => Handshake::Done,
            false => Handshake::Waiting,
        })
    }

    /// What the client showed in the handshake, its own certificate first.
    pub(super) fn certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.session.peer_certificates()
    }

    /// Reads once from the socket, after what was read before, and decrypts until `bytes` is full.
    pub(in crate::net) fn receive(&mut self, bytes: &mut [u8]) -> io::Result<Received> {
        let mut count = take_front(&mut self.plaintext, bytes);
        let mut more = !self.plaintext.is_empty();
        if !more && (count < bytes.len() || self.session.is_handshaking()) {
            let may_bring_more = SCRATCH.with_borrow_mut(|scratch| -> io::Result<bool> {
                let before = self.incoming.len();
                scratch[..before].copy_from_slice(&self.incoming);
                let came = self.read_socket(&mut scratch[before..INCOMING_LEN_MAX])?;
                let end = before + came.count;
                let used = self.decrypt(&mut scratch[..end], bytes, &mut count)?;
                if used == 0 && end == INCOMING_LEN_MAX {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                self.incoming = scratch[used..end].to_vec();
                Ok(came.more)
            })?;
            more = !self.plaintext.is_empty() || may_bring_more;
        }
        // A record that there was no room for may be among what came.
        more |= count == bytes.len() && count > 0 && !self.incoming.is_empty();
        Ok(Received {
            count,
            more: more || (self.ended && count > 0),
            at_end: self.ended && !more && count == 0,
        })
    }

    /// Encrypts and writes; tells how much of `bytes` is written, and whether the socket would take
    /// more. The call after one that left something must begin with what was left.
    pub(in crate::net) fn send(&mut self, bytes: &[u8]) -> io::Result<(usize, bool)> {
        if !self.flush()? {
            return Ok((0, false));
        }
        let mut written = mem::take(&mut self.promised_len).min(bytes.len());
        while written < bytes.len() {
            let rest = &bytes[written..];
            let piece = &rest[..rest.len().min(WRITE_LEN)];
            let sent_all = SCRATCH.with_borrow_mut(|scratch| {
                let len = self.encrypt(piece, scratch)?;
                self.write_socket(&scratch[..len])
            })?;
            if !sent_all {
                self.promised_len = piece.len();
                return Ok((written, false));
            }
            written += piece.len();
        }
        Ok((written, true))
    }

    /// Writes what the socket has not taken yet; whether that is all.
    fn flush(&mut self) -> io::Result<bool> {
        if self.outgoing.is_empty() {
            return Ok(true);
        }
        let outgoing = mem::take(&mut self.outgoing);
        self.write_socket(&outgoing)
    }

    /// Writes once, and keeps what the socket does not take.
    fn write_socket(&mut self, records: &[u8]) -> io::Result<bool> {
        let count = match self.socket.send(records) {
            Ok(count) => count,
            Err(Errno::WOULDBLOCK) => 0,
            Err(error) => return Err(error.into()),
        };
        self.outgoing = records[count..].to_vec();
        Ok(self.outgoing.is_empty())
    }

    fn read_socket(&mut self, room: &mut [u8]) -> io::Result<Came> {
        if self.ended || room.is_empty() {
            return Ok(Came::default());
        }
        match self.socket.receive(room) {
            Ok(0) => {
                self.ended = true;
                Ok(Came::default())
            }
            Ok(count) => Ok(Came {
                count,
                more: count == room.len(),
            }),
            Err(Errno::WOULDBLOCK) => Ok(Came::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Decrypts records until `bytes` is full; tells how many bytes of `records` are done with.
    fn decrypt(
        &mut self,
        records: &mut [u8],
        bytes: &mut [u8],
        count: &mut usize,
    ) -> io::Result<usize> {
        let mut used = 0;
        // In a handshake there is no room to fill, and every message wants its answer.
        while *count < bytes.len() || self.session.is_handshaking() {
            let status = self.session.process_tls_records(&mut records[used..]);
            used += status.discard;
            match status.state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        let room = bytes.get_mut(*count..).unwrap_or_default();
                        let (fits, rest) = record
                            .payload
                            .split_at(record.payload.len().min(room.len()));
                        room[..fits.len()].copy_from_slice(fits);
                        *count += fits.len();
                        self.plaintext.extend_from_slice(rest);
                        used += record.discard;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut self.outgoing, &mut data)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.ended = true;
                    break;
                }
                Ok(_) => break,
                Err(error) => {
                    self.send_alert();
                    return Err(invalid(error));
                }
            }
        }
        Ok(used)
    }

    /// Encrypts `piece` into `room`, behind what TLS itself has to say; tells the length.
    fn encrypt(&mut self, piece: &[u8], room: &mut [u8]) -> io::Result<usize> {
        self.with_writer(|writer, own| -> io::Result<usize> {
            let (before, rest) = room
                .split_at_mut_checked(own.len())
                .ok_or(io::ErrorKind::OutOfMemory)?;
            before.copy_from_slice(&own);
            let len = writer.encrypt(piece, rest).map_err(io::Error::other)?;
            Ok(own.len() + len)
        })?
    }

    /// Gives `write` the session's writing half, and what TLS itself has to say before it.
    fn with_writer<T>(
        &mut self,
        write: impl FnOnce(&mut WriteTraffic<'_, ServerConnectionData>, Vec<u8>) -> T,
    ) -> io::Result<T> {
        if self.broken {
            return Err(io::ErrorKind::NotConnected.into());
        }
        // The session relies on being shown what it has not done with, so a beginning of a message
        // goes with every call.
        let mut incoming = mem::take(&mut self.incoming);
        let mut used = 0;
        let written = loop {
            let status = self.session.process_tls_records(&mut incoming[used..]);
            used += status.discard;
            match status.state {
                Ok(ConnectionState::WriteTraffic(mut writer)) => {
                    break write(&mut writer, mem::take(&mut self.outgoing));
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut self.outgoing, &mut data)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        self.plaintext.extend_from_slice(record.payload);
                        used += record.discard;
                    }
                }
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => return Err(io::ErrorKind::NotConnected.into()),
                Err(error) => {
                    self.broken = true;
                    return Err(invalid(error));
                }
            }
        };
        incoming.drain(..used);
        self.incoming = match incoming.is_empty() {
            true => Vec::new(),
            false => incoming,
        };
        Ok(written)
    }

    /// Tells a peer what is wrong with what it sent, as far as the socket takes that.
    fn send_alert(&mut self) {
        self.broken = true;
        if !self.session.wants_write() {
            return;
        }
        // It hands the alert out before it looks at records, which it must not do any more.
        let status = self.session.process_tls_records(&mut []);
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state {
            encode(&mut self.outgoing, &mut data);
        }
        // The connection is over in any case.
        let _ = self.flush();
    }
}

impl Drop for TlsStream {
    /// Tells the peer that nothing follows, so that it knows that nothing is missing; a courtesy,
    /// as far as the socket takes it.
    fn drop(&mut self) {
        if self.session.is_handshaking() || !self.outgoing.is_empty() {
            return;
        }
        let mut alert = [0; GOODBYE_LEN_MAX];
        let len = self.with_writer(|writer, _| writer.queue_close_notify(&mut alert));
        if let Ok(Ok(len)) = len {
            let _ = self.socket.send(&alert[..len]);
        }
    }
}

impl AsFd for TlsStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// What came from a socket, and whether it was all that there was room for.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    count: usize,
    more: bool,
}

/// Moves as much as fits from the front of `from`; what is empty then holds no memory.
fn take_front(from: &mut Vec<u8>, bytes: &mut [u8]) -> usize {
    let count = from.len().min(bytes.len());
    bytes[..count].copy_from_slice(&from[..count]);
    if count == from.len() {
        *from = Vec::new();
    } else {
        from.drain(..count);
    }
    count
}

/// Adds a message of TLS itself to what is to be sent.
fn encode(outgoing: &mut Vec<u8>, data: &mut EncodeTlsData<'_, ServerConnectionData>) {
    let end = outgoing.len();
    // An empty room is always too small: the session says then how much it needs.
    let needed_len = match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(error)) => error.required_size,
        _ => 0,
    };
    outgoing.resize(end + needed_len, 0);
    let len = data.encode(&mut outgoing[end..]).unwrap_or(0);
    outgoing.truncate(end + len);
}

fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
#[path = "stream_test.rs"]
mod tests;
