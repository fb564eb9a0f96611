//! The server's side of transmission: a stream of requests, and of the data of writes in pieces.

use crate::errno::Errno;
use crate::export::Export;
use crate::handshake::Agreed;
use crate::request::{Command, Raw, Request};
use crate::wire::{REQUEST_LEN, command_kind};

/// What has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// More has to arrive; what was not used is to be handed in again.
    More,
    /// A request. If it is a WRITE, its data follows as pieces.
    Request(Request),
    /// Data of the WRITE that came last.
    Piece {
        /// The WRITE's number.
        cookie: u64,
        /// Where the piece belongs.
        offset: u64,
        /// The piece; empty only for a WRITE of no length.
        data: &'a [u8],
        /// Whether the WRITE is complete with it.
        last: bool,
    },
    /// A wrong request, to be answered with the error; its data, if any, is passed over.
    Refused(Refused),
    /// The client goes in peace: answer what is under way and close.
    Disconnect,
    /// The stream is lost: close. The word says why.
    Broken(&'static str),
}

/// A request that must not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The client's number for it.
    pub cookie: u64,
    /// The error of the reply.
    pub errno: Errno,
    /// A word for people.
    pub why: &'static str,
}

/// One connection since transmission began.
#[derive(Debug)]
pub struct Transmission {
    export: Export,
    allocation: bool,
    draining: bool,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Requests,
    Payload { cookie: u64, offset: u64, left: u32 },
    Skipping { left: u32 },
}

impl Transmission {
    /// Begins where the handshake ended.
    pub fn new(agreed: &Agreed) -> Self {
        Self {
            export: agreed.export.clone(),
            allocation: agreed.allocation,
            draining: false,
            state: State::Requests,
        }
    }

    /// From now on every new request is refused with ESHUTDOWN; a WRITE that has begun goes on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// The size of the export has changed.
    pub fn resize(&mut self, size_bytes: u64) {
        self.export.size_bytes = size_bytes;
    }

    /// Whether nothing of a request is under way, so that closing cuts none in two.
    pub fn is_between_requests(&self) -> bool {
        matches!(self.state, State::Requests)
    }

    /// The request that `input` begins with and its length with its data, where it is one to be served;
    /// nothing is taken.
    pub fn peek(&self, input: &[u8]) -> Option<(usize, Command)> {
        if self.draining || !self.is_between_requests() {
            return None;
        }
        let raw = Raw::parse(input).ok()??;
        let command = raw.command(&self.export, self.allocation).ok()?;
        let data_len = match command {
            Command::Write { len, .. } => usize::try_from(len).ok()?,
            _ => 0,
        };
        Some((REQUEST_LEN + data_len, command))
    }

    /// The next thing in `input`, and how many bytes it took.
    pub fn advance<'a>(&mut self, input: &'a [u8]) -> (usize, Event<'a>) {
        match self.state {
            State::Requests => self.request(input),
            State::Payload {
                cookie,
                offset,
                left,
            } => self.piece(input, cookie, offset, left),
            State::Skipping { left } => self.skip(input, left),
        }
    }

    fn request<'a>(&mut self, input: &'a [u8]) -> (usize, Event<'a>) {
        let raw = match Raw::parse(input) {
            Ok(Some(raw)) => raw,
            Ok(None) => return (0, Event::More),
            Err(why) => return (0, Event::Broken(why)),
        };
        if raw.kind == command_kind::DISC {
            return (REQUEST_LEN, Event::Disconnect);
        }
        let cookie = raw.cookie;
        let allowed = match self.draining {
            true => Err((Errno::Shutdown, "the server is going")),
            false => raw.command(&self.export, self.allocation),
        };
        let event = match allowed {
            Ok(command) => {
                if let Command::Write { offset, len, .. } = command {
                    let left = len;
                    self.state = State::Payload {
                        cookie,
                        offset,
                        left,
                    };
                }
                Event::Request(Request { cookie, command })
            }
            Err((errno, why)) => {
                if raw.brings_payload() && raw.len > 0 {
                    self.state = State::Skipping { left: raw.len };
                }
                Event::Refused(Refused { cookie, errno, why })
            }
        };
        (REQUEST_LEN, event)
    }

    fn piece<'a>(
        &mut self,
        input: &'a [u8],
        cookie: u64,
        offset: u64,
        left: u32,
    ) -> (usize, Event<'a>) {
        let data = head(input, left);
        if data.is_empty() && left > 0 {
            return (0, Event::More);
        }
        let taken = u32::try_from(data.len()).unwrap_or(left);
        let left = left - taken;
        self.state = match left {
            0 => State::Requests,
            _ => State::Payload {
                cookie,
                offset: offset.saturating_add(u64::from(taken)),
                left,
            },
        };
        let event = Event::Piece {
            cookie,
            offset,
            data,
            last: left == 0,
        };
        (data.len(), event)
    }

    fn skip<'a>(&mut self, input: &'a [u8], left: u32) -> (usize, Event<'a>) {
        let passed = head(input, left).len();
        let left = left - u32::try_from(passed).unwrap_or(left);
        if left > 0 {
            self.state = State::Skipping { left };
            return (passed, Event::More);
        }
        self.state = State::Requests;
        let (used, event) = self.request(input.get(passed..).unwrap_or_default());
        (passed + used, event)
    }
}

fn head(input: &[u8], len_max: u32) -> &[u8] {
    let len = input
        .len()
        .min(usize::try_from(len_max).unwrap_or(usize::MAX));
    input.get(..len).unwrap_or_default()
}

#[cfg(test)]
#[path = "transmission_test.rs"]
mod tests;
