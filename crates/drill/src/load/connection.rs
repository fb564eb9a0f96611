//! One connection: what it has under way, what it still has to write, and reading its replies.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;

use super::clock;
use super::draw::KeyDraw;
use super::keys::Keys;
use super::op::Op;
use super::recorder::Recorder;
use super::socket::Socket;
use super::tally::Fault;
use super::values::Values;
use super::wire::{Encoder, Ending, Reader, Step};

/// No further request is put in the buffer while this many bytes wait there to be written.
const UNSENT_MAX: usize = 256 * 1024;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No socket; a new one is due at this time.
    Down { retry_ns: u64 },
    /// The socket was asked to connect.
    Connecting,
    /// The login is sent.
    LoggingIn,
    /// Takes requests.
    Ready,
}

/// A request that waits for its reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) op: Op,
    /// Keys asked for.
    pub(crate) keys: u32,
    /// The key's number, of a request with one key.
    pub(crate) id: u64,
    /// When it should have left: latency counts from here.
    pub(crate) due_ns: u64,
    /// When it was put in the buffer.
    pub(crate) sent_ns: u64,
}

/// What is known so far of the reply to the oldest request.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    hits: u32,
    /// The value that is arriving: its key's number, and how much of it has come.
    id: Option<u64>,
    offset: usize,
    corrupt: Option<Corruption>,
}

/// How a hit is not what was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// A key that was not asked for.
    Key,
    /// Not as long as it should be; both in bytes.
    Len { got: u32, wanted: u32 },
    /// The first byte that differs.
    Byte { offset: usize },
}

/// Why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost(pub(crate) Fault);

/// What reading needs besides the connection.
pub(crate) struct ReadContext<'a> {
    pub(crate) recorder: &'a mut Recorder,
    pub(crate) keys: &'a Keys,
    pub(crate) values: &'a Values,
    pub(crate) verify: bool,
    /// When the bytes at hand were read.
    pub(crate) now_ns: u64,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stage: Stage,
    pub(crate) socket: Option<Socket>,
    /// The index of its tenant and of its target in the plan.
    pub(crate) tenant: usize,
    pub(crate) target: usize,
    /// When its present socket began to connect.
    pub(crate) opened_ns: u64,
    /// Attempts to connect that failed since it was last ready.
    pub(crate) failures: u32,
    /// The keys that it is to store before the run.
    pub(crate) fill: Range<u64>,
    pub(crate) draw: KeyDraw,
    pub(crate) flights: VecDeque<Flight>,
    /// Whether it stands in the queue of those that may take the next request of an open loop.
    pub(crate) queued: bool,
    reader: Reader,
    answer: Answer,
    /// Bytes that were read but are not yet a whole line or header.
    rest: Vec<u8>,
    out: Vec<u8>,
    written: usize,
}

impl Connection {
    /// Without a socket yet.
    pub(crate) fn new(
        tenant: usize,
        target: usize,
        fill: Range<u64>,
        draw: KeyDraw,
        reader: Reader,
    ) -> Self {
        Self {
            stage: Stage::Down { retry_ns: 0 },
            socket: None,
            tenant,
            target,
            opened_ns: 0,
            failures: 0,
            fill,
            draw,
            flights: VecDeque::new(),
            queued: false,
            reader,
            answer: Answer::default(),
            rest: Vec::new(),
            out: Vec::new(),
            written: 0,
        }
    }

    /// Whether it can take another request with `pipeline` under way at most.
    #[inline]
    pub(crate) fn has_room(&self, pipeline: usize) -> bool {
        self.stage == Stage::Ready
            && self.flights.len() < pipeline
            && self.out.len() - self.written < UNSENT_MAX
    }

    /// Whether bytes wait to be written.
    #[inline]
    pub(crate) fn has_unsent(&self) -> bool {
        self.written < self.out.len()
    }

    /// Puts a request in the buffer.
    #[inline]
    pub(crate) fn push(&mut self, encoder: &mut Encoder, flight: Flight, ids: &[u64]) {
        encoder.encode(flight.op, ids, &mut self.out);
        self.flights.push_back(flight);
    }

    /// Puts bytes in the buffer that are no request: a login.
    pub(crate) fn push_raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Writes what is in the buffer, as far as the socket takes it; returns how many bytes it took.
    pub(crate) fn flush(&mut self) -> Result<usize, Lost> {
        let Some(socket) = &mut self.socket else {
            return Ok(0);
        };
        let before = self.written;
        while self.written < self.out.len() {
            match socket.write(&self.out[self.written..]) {
                Ok(0) => return Err(Lost(Fault::Closed)),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Lost(Fault::Closed)),
            }
        }
        let count = self.written - before;
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        } else if self.written >= UNSENT_MAX {
            self.out.drain(..self.written);
            self.written = 0;
        }
        Ok(count)
    }

    /// Reads and takes in all replies that have come. `to_end`: the peer will send no more, so read
    /// up to its end; otherwise a read that leaves room has found everything.
    pub(crate) fn receive(
        &mut self,
        scratch: &mut [u8],
        context: &mut ReadContext<'_>,
        to_end: bool,
    ) -> Result<(), Lost> {
        loop {
            let Some(len) = self.read_into(scratch)? else {
                return Ok(());
            };
            context.now_ns = clock::now_ns();
            context.recorder.received(len - self.rest.len());
            self.take_in(context, &scratch[..len])?;
            if len < scratch.len() && !to_end {
                return Ok(());
            }
        }
    }

    /// Reads behind the bytes kept from before, which go to the front of `scratch`; the length of
    /// both together, or `None` where nothing is there to read.
    pub(crate) fn read_into(&mut self, scratch: &mut [u8]) -> Result<Option<usize>, Lost> {
        let Some(socket) = &mut self.socket else {
            return Ok(None);
        };
        let (kept, room) = scratch.split_at_mut(self.rest.len());
        kept.copy_from_slice(&self.rest);
        loop {
            match socket.read(room) {
                Ok(0) => return Err(Lost(Fault::Closed)),
                Ok(count) => return Ok(Some(self.rest.len() + count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Lost(Fault::Closed)),
            }
        }
    }

    /// Keeps these bytes for the next read, instead of those kept before.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.rest.clear();
        self.rest.extend_from_slice(bytes);
    }

    fn take_in(&mut self, context: &mut ReadContext<'_>, bytes: &[u8]) -> Result<(), Lost> {
        let mut input = bytes;
        while let Some(flight) = self.flights.front().copied() {
            match self.reader.step(flight.op, &mut input) {
                Step::Need => break,
                Step::Item { key, len } => {
                    self.answer.begin_value(context, &flight, key, len);
                }
                Step::Bytes(bytes) => self.answer.take_bytes(context, bytes),
                Step::End(ending) => {
                    self.flights.pop_front();
                    let answer = std::mem::take(&mut self.answer);
                    answer.end(context, self.tenant, &flight, ending)?;
                }
            }
        }
        if self.flights.is_empty() && !input.is_empty() {
            // A reply to nothing.
            return Err(Lost(Fault::Protocol));
        }
        self.rest.clear();
        self.rest.extend_from_slice(input);
        Ok(())
    }

    /// Lets go of the socket and of all that was under way on it.
    pub(crate) fn reset(&mut self, reader: Reader, retry_ns: u64) {
        self.stage = Stage::Down { retry_ns };
        self.socket = None;
        self.flights.clear();
        self.reader = reader;
        self.answer = Answer::default();
        self.rest.clear();
        self.out.clear();
        self.written = 0;
    }
}

impl Answer {
    fn begin_value(
        &mut self,
        context: &ReadContext<'_>,
        flight: &Flight,
        key: Option<&[u8]>,
        len: u32,
    ) {
        self.hits += 1;
        if !context.verify {
            return;
        }
        self.offset = 0;
        self.id = match key {
            Some(key) => context.keys.read(key),
            None => Some(flight.id),
        };
        let asked = flight.op == Op::Mget || self.id == Some(flight.id);
        let wanted = self.id.filter(|_| asked).map(|id| context.values.len(id));
        let corruption = match wanted {
            None => Some(Corruption::Key),
            Some(wanted) if wanted != len => Some(Corruption::Len { got: len, wanted }),
            Some(_) => None,
        };
        self.corrupt = self.corrupt.or(corruption);
    }

    fn take_bytes(&mut self, context: &ReadContext<'_>, bytes: &[u8]) {
        if let Some(id) = self.id {
            let found = context.values.difference(id, self.offset, bytes);
            let corruption = found.map(|offset| Corruption::Byte { offset });
            self.corrupt = self.corrupt.or(corruption);
            self.offset += bytes.len();
        }
    }

    fn end(
        self,
        context: &mut ReadContext<'_>,
        tenant: usize,
        flight: &Flight,
        ending: Ending<'_>,
    ) -> Result<(), Lost> {
        let hits = match ending {
            Ending::Hit => 1,
            _ => self.hits,
        };
        if let Some(corruption) = self.corrupt
            && !matches!(ending, Ending::Garbage(_))
        {
            context.recorder.corrupt(tenant, flight, corruption);
            return Ok(());
        }
        let fault = match ending {
            Ending::Done | Ending::Hit | Ending::Miss => {
                context
                    .recorder
                    .answered(tenant, flight, hits, context.now_ns);
                return Ok(());
            }
            Ending::NotStored => Fault::NotStored,
            Ending::ServerError(_) => Fault::Server,
            Ending::ClientError(_) => Fault::Client,
            Ending::Garbage(_) => Fault::Protocol,
        };
        context.recorder.failed(tenant, flight, fault, ending);
        match ending {
            Ending::Garbage(_) => Err(Lost(Fault::Protocol)),
            _ => Ok(()),
        }
    }
}
