//! A connection to a node that asks nothing of tenants: the gate's way to talk to it, from a gateway or
//! from another node. A thread of its own waits on it.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use node_proto::gate::{Segments, VERSION_OF_GATE};
use node_proto::{Echo, Exam, Examined, Hello, Inbox, Message, VERSION, VERSION_LEAST, agree};
use rustls::pki_types::ServerName;

use super::stream::PeerTls;
use super::tcp_info;
use crate::dial::Dialed;
use crate::{Clock, secrets};

const READ_LEN: usize = 256 * 1024;

/// Whom to call, and as whom.
#[derive(Clone, Debug)]
pub struct Callee {
    /// Its name, which its certificate bears.
    pub name: String,
    /// Where it is reached, `HOST:PORT`.
    pub address: String,
    /// What both sides show.
    pub tls: Option<PeerTls>,
    /// The caller's own name.
    pub me: String,
    /// The time.
    pub clock: Clock,
}

/// An open connection.
pub struct Call {
    dialed: Dialed,
    inbox: Inbox,
    input: Box<[u8]>,
    clock: Clock,
}

/// The answer to an echo.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// From when it was asked to when the answer was there.
    pub took: Duration,
    /// In the middle of that by the caller's clock, what the node's said.
    pub at: Timestamp,
    /// How long the node worked on it.
    pub served: Duration,
    /// What the node has sent on this connection.
    pub segments: Segments,
}

impl Call {
    /// Connects and greets.
    ///
    /// # Errors
    /// The node cannot be reached within `patience`, or does not know the gate.
    pub fn open(callee: &Callee, patience: Duration) -> io::Result<Self> {
        let deadline = callee.clock.now() + patience;
        let tls = match &callee.tls {
            None => None,
            Some(tls) => {
                let name = ServerName::try_from(callee.name.clone()).map_err(io::Error::other)?;
                Some((Arc::clone(&tls.client), name))
            }
        };
        let mut call = Self {
            dialed: Dialed::open(&callee.address, tls.as_ref(), callee.clock, deadline)?,
            inbox: Inbox::default(),
            input: vec![0; READ_LEN].into(),
            clock: callee.clock,
        };
        // No other connection has this number: none is taken for the one before it.
        let hello = Hello {
            version_max: VERSION,
            version_least: VERSION_LEAST,
            instance: secrets::number()?,
            connection: 0,
            epoch: 0,
            credits: 0,
            name: callee.me.clone(),
        };
        call.say(&Message::Hello(hello), deadline)?;
        let version = call.hear(deadline, |message| match message {
            Message::Hello(theirs) => Some(agree(&theirs)),
            _ => None,
        })?;
        let version = version.map_err(io::Error::other)?;
        match version < VERSION_OF_GATE {
            true => Err(io::Error::other(
                "it is of a release that knows no gate: upgrade it",
            )),
            false => Ok(call),
        }
    }

    /// Has the node try something out, and waits for what comes of it.
    ///
    /// # Errors
    /// The answer has not come within `patience`, or the connection has ended.
    pub fn examine(&mut self, exam: Exam<'_>, patience: Duration) -> io::Result<Examined> {
        let deadline = self.clock.now() + patience;
        self.say(&Message::Exam { token: 0, exam }, deadline)?;
        self.hear(deadline, |message| match message {
            Message::Examined { result, .. } => Some(result),
            _ => None,
        })
    }

    /// One round trip; `token` tells its answer from that of an earlier one that came too late.
    ///
    /// # Errors
    /// The answer has not come until `deadline`, or the connection has ended.
    pub fn round_trip(
        &mut self,
        token: u64,
        bytes: &[u8],
        answer_len: u32,
        deadline: Timestamp,
    ) -> io::Result<Answer> {
        let began = self.clock.now();
        self.ask(token, bytes, answer_len, deadline)?;
        self.answer(token, began, deadline)
    }

    /// Asks for so many bytes, and brings some, without waiting for the answer.
    ///
    /// # Errors
    /// The connection does not take it until `deadline`, or has ended.
    pub fn ask(
        &mut self,
        token: u64,
        bytes: &[u8],
        answer_len: u32,
        deadline: Timestamp,
    ) -> io::Result<()> {
        let echo = Echo {
            token,
            answer_len,
            bytes,
        };
        self.say(&Message::Echo(echo), deadline)
    }

    /// Waits for the answer of what was asked at `began`.
    ///
    /// # Errors
    /// See [`round_trip`](Self::round_trip).
    pub fn answer(
        &mut self,
        token: u64,
        began: Timestamp,
        deadline: Timestamp,
    ) -> io::Result<Answer> {
        let (at, served, segments) = self.hear(deadline, |message| match message {
            Message::Echoed(echoed) if echoed.token == token => {
                Some((echoed.at, echoed.served, echoed.segments))
            }
            _ => None,
        })?;
        Ok(Answer {
            took: self.clock.now().since(began),
            at,
            served,
            segments,
        })
    }

    /// Waits for the answers of so many questions, of which the first had this token; how many have
    /// come until `deadline`, and what the node said last that it had sent.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn answers(
        &mut self,
        first: u64,
        count: u64,
        deadline: Timestamp,
    ) -> io::Result<(u64, Option<Segments>)> {
        let (mut come, mut segments) = (0, None);
        let all = self.hear(deadline, |message| {
            if let Message::Echoed(echoed) = message
                && echoed.token >= first
            {
                come += 1;
                segments = Some(echoed.segments);
            }
            (come == count).then_some(())
        });
        match all {
            Err(error) if !is_late(&error) => Err(error),
            _ => Ok((come, segments)),
        }
    }

    /// What this side has sent.
    pub fn segments(&self) -> Segments {
        tcp_info::segments(self.dialed.tcp())
    }

    fn say(&mut self, message: &Message<'_>, deadline: Timestamp) -> io::Result<()> {
        let mut frame = Vec::new();
        message.encode(&mut frame);
        self.dialed.write(&frame, deadline)
    }

    /// Reads until `pick` takes something. What comes behind that in the same read is lost, which is
    /// nothing but answers that nobody waits for: one thing is asked at a time, or `pick` counts.
    fn hear<T>(
        &mut self,
        deadline: Timestamp,
        mut pick: impl FnMut(Message<'_>) -> Option<T>,
    ) -> io::Result<T> {
        loop {
            let count = self.dialed.read(&mut self.input, deadline)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let bytes = self.input.get(..count).unwrap_or_default();
            let mut picked = None;
            let taken = self.inbox.take(bytes, |message| {
                if picked.is_none() {
                    picked = pick(message);
                }
            });
            taken.map_err(io::Error::other)?;
            if let Some(picked) = picked {
                return Ok(picked);
            }
        }
    }
}

/// Whether nothing came in time; the connection is still there.
pub(super) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
