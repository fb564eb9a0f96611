//! A client of any NBD server: requests out, answers in, as many under way as its user likes.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use nbd_proto::client::{ClientHandshake, ClientProgress, Joined, ReplyEvent, ReplyReader};
use nbd_proto::wire::export_flag;
use nbd_proto::{Command, Errno, Extent, Request};

use super::client_socket::ClientSocket;
use super::uri::NbdUri;

/// How much is read at once.
const READ_LEN: usize = 256 << 10;

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request's number.
    pub cookie: u64,
    /// The data of a READ, nothing for others; or why it failed.
    pub result: Result<Vec<u8>, Errno>,
    /// What a BLOCK_STATUS told.
    pub extents: Vec<Extent>,
}

/// A connection in transmission.
#[derive(Debug)]
pub struct NbdClient {
    socket: ClientSocket,
    joined: Joined,
    replies: ReplyReader,
    input: Vec<u8>,
    parsed: usize,
    output: Vec<u8>,
    next_cookie: u64,
    under_way: BTreeMap<u64, Pending>,
}

/// What is known of an answer that is not complete.
#[derive(Debug, Default)]
struct Pending {
    offset: u64,
    data: Vec<u8>,
    failed: Option<Errno>,
    extents: Vec<Extent>,
}

impl NbdClient {
    /// Connects and agrees on an export; waits at most `timeout` for each answer from then on.
    pub fn connect(uri: &NbdUri, timeout: Duration) -> io::Result<Self> {
        let mut client = Self {
            socket: ClientSocket::connect(uri, timeout)?,
            joined: Joined::default(),
            replies: ReplyReader::new(),
            input: Vec::new(),
            parsed: 0,
            output: Vec::new(),
            next_cookie: 0,
            under_way: BTreeMap::new(),
        };
        let mut handshake = match uri.tls() {
            Some(_) => ClientHandshake::with_tls(uri.export()),
            None => ClientHandshake::new(uri.export()),
        };
        loop {
            let (used, progress) = handshake.advance(&client.input, &mut client.output);
            client.input.drain(..used);
            client.send()?;
            match progress {
                ClientProgress::More => client.receive()?,
                ClientProgress::StartTls => {
                    if !client.input.is_empty() {
                        // Somebody in between could have put it there.
                        return Err(invalid("more than consent before TLS"));
                    }
                    client.socket = client.socket.secured(uri)?;
                    handshake.secured(&mut client.output);
                    client.send()?;
                    client.receive()?;
                }
                ClientProgress::Transmit(joined) => {
                    client.joined = joined;
                    return Ok(client);
                }
                ClientProgress::Refused(_, words) => {
                    let words = match words.is_empty() {
                        true => "the server refuses the export".to_owned(),
                        false => format!("the server refuses the export: {words}"),
                    };
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
                }
                ClientProgress::Broken(why) => return Err(invalid(why)),
            }
        }
    }

    /// What the server said of the export.
    pub fn joined(&self) -> &Joined {
        &self.joined
    }

    /// Whether a flush on one connection covers what was answered on all of them.
    pub fn is_multi_conn(&self) -> bool {
        self.joined.flags & export_flag::CAN_MULTI_CONN != 0
    }

    /// How many requests are not answered.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Puts a request, with its data if it is a WRITE; it goes out with [`NbdClient::send`]. Says
    /// its number.
    pub fn put(&mut self, command: Command, data: &[u8]) -> u64 {
        self.next_cookie += 1;
        let cookie = self.next_cookie;
        let mut pending = Pending::default();
        if let Command::Read { offset, len, .. } = command {
            pending.offset = offset;
            pending.data = vec![0; usize::try_from(len).unwrap_or_default()];
            self.replies.expect_read(cookie, len);
        }
        self.under_way.insert(cookie, pending);
        Request { cookie, command }.put(&mut self.output);
        self.output.extend_from_slice(data);
        cookie
    }

    /// Sends what was put.
    pub fn send(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        self.socket.write_all(&output)?;
        self.socket.flush()
    }

    /// Waits for the next answer.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let rest = self.input.get(self.parsed..).unwrap_or_default();
            let (used, event) = self.replies.advance(rest);
            let mut ended = None;
            let mut wants_more = false;
            match event {
                ReplyEvent::More => wants_more = true,
                ReplyEvent::Broken(why) => return Err(invalid(why)),
                ReplyEvent::Done(cookie) => ended = Some(cookie),
                ReplyEvent::Data(cookie, offset, data) => {
                    pending(&mut self.under_way, cookie)?.fill(offset, data)?;
                }
                ReplyEvent::Hole(cookie, offset, len) => {
                    let zeroes = vec![0; usize::try_from(len).unwrap_or_default()];
                    pending(&mut self.under_way, cookie)?.fill(Some(offset), &zeroes)?;
                }
                ReplyEvent::Status(cookie, extents) => {
                    pending(&mut self.under_way, cookie)?.extents = extents;
                }
                ReplyEvent::Error(cookie, errno, _) => {
                    pending(&mut self.under_way, cookie)?.failed = Some(errno);
                }
            }
            self.parsed += used;
            if wants_more {
                self.input.drain(..self.parsed);
                self.parsed = 0;
                self.receive()?;
            }
            if let Some(cookie) = ended {
                let Some(pending) = self.under_way.remove(&cookie) else {
                    return Err(invalid("an answer to nothing"));
                };
                let result = pending.failed.map_or(Ok(pending.data), Err);
                return Ok(Answer {
                    cookie,
                    result,
                    extents: pending.extents,
                });
            }
        }
    }

    /// Sends a request, and waits for its answer; there must be no other under way.
    pub fn ask(&mut self, command: Command, data: &[u8]) -> io::Result<Answer> {
        self.put(command, data);
        self.send()?;
        self.answer()
    }

    /// Goes in peace, and waits until the server has let go of the export.
    pub fn disconnect(mut self) -> io::Result<()> {
        nbd_proto::client::put_disconnect(&mut self.output);
        self.send()?;
        loop {
            match self.receive() {
                Ok(()) => self.input.clear(),
                Err(error) if is_late(&error) => return Err(error),
                // However it ended.
                Err(_) => return Ok(()),
            }
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let before = self.input.len();
        self.input.resize(before + READ_LEN, 0);
        let got = self
            .socket
            .read(self.input.get_mut(before..).unwrap_or_default());
        self.input.truncate(before + *got.as_ref().unwrap_or(&0));
        match got? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn pending(under_way: &mut BTreeMap<u64, Pending>, cookie: u64) -> io::Result<&mut Pending> {
    let found = under_way.get_mut(&cookie);
    found.ok_or_else(|| invalid("an answer to nothing"))
}

/// Whether an answer did not come in time.
fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl Pending {
    /// Keeps data at its offset of the export; in a simple reply it is all there is.
    fn fill(&mut self, offset: Option<u64>, data: &[u8]) -> io::Result<()> {
        let from = offset.map_or(Some(0), |offset| offset.checked_sub(self.offset));
        let from = from.and_then(|from| usize::try_from(from).ok());
        let target = from.and_then(|from| {
            let end = from.checked_add(data.len())?;
            self.data.get_mut(from..end)
        });
        match target {
            Some(target) => target.copy_from_slice(data),
            None => return Err(invalid("data that nobody asked for")),
        }
        Ok(())
    }
}
