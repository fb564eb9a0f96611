//! Replies as a client reads them off the stream.

use std::collections::BTreeMap;

use crate::errno::Errno;
use crate::metadata::Extent;
use crate::wire::{
    CHUNK_HEADER_LEN, CHUNK_MAGIC, Reader, SIMPLE_REPLY_LEN, SIMPLE_REPLY_MAGIC, chunk_kind,
};

/// The longest chunk that is believed: a READ's data and what comes before it.
const CHUNK_LEN_MAX: u32 = crate::PAYLOAD_LEN_MAX + (64 << 10);

/// A part of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyEvent<'a> {
    /// More has to arrive; what was not used is to be handed in again.
    More,
    /// Data of a READ. The offset is `None` in simple replies, where all of it comes at once.
    Data(u64, Option<u64>, &'a [u8]),
    /// Zeroes of a READ: the offset and how many.
    Hole(u64, u64, u32),
    /// The extents of a BLOCK_STATUS.
    Status(u64, Vec<Extent>),
    /// The request failed; the reply may go on.
    Error(u64, Errno, String),
    /// The reply is complete.
    Done(u64),
    /// The stream is lost. The word says why.
    Broken(&'static str),
}

/// Finds replies in what a server sends.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// How much data a simple reply to a READ brings.
    reads: BTreeMap<u64, u32>,
    /// The reply whose end is to be told next.
    ended: Option<u64>,
}

impl ReplyReader {
    /// Before the first request.
    pub fn new() -> Self {
        Self::default()
    }

    /// A READ goes out; without this a simple reply to it could not be told apart from the next.
    pub fn expect_read(&mut self, cookie: u64, len: u32) {
        self.reads.insert(cookie, len);
    }

    /// The next part of a reply in `input`, and how many bytes it took.
    pub fn advance<'a>(&mut self, input: &'a [u8]) -> (usize, ReplyEvent<'a>) {
        if let Some(cookie) = self.ended.take() {
            self.reads.remove(&cookie);
            return (0, ReplyEvent::Done(cookie));
        }
        let mut reader = Reader::new(input);
        let parsed = match reader.u32() {
            None => None,
            Some(SIMPLE_REPLY_MAGIC) => self.simple(reader),
            Some(CHUNK_MAGIC) => self.chunk(reader),
            Some(_) => Some((0, ReplyEvent::Broken("not a reply"))),
        };
        parsed.unwrap_or((0, ReplyEvent::More))
    }

    fn simple<'a>(&mut self, mut reader: Reader<'a>) -> Option<(usize, ReplyEvent<'a>)> {
        let (code, cookie) = (reader.u32()?, reader.u64()?);
        if code != 0 {
            self.ended = Some(cookie);
            let error = ReplyEvent::Error(cookie, Errno::from_code(code), String::new());
            return Some((SIMPLE_REPLY_LEN, error));
        }
        let Some(len) = self.reads.get(&cookie) else {
            return Some((SIMPLE_REPLY_LEN, ReplyEvent::Done(cookie)));
        };
        let data = reader.bytes(usize::try_from(*len).ok()?)?;
        self.ended = Some(cookie);
        let event = ReplyEvent::Data(cookie, None, data);
        Some((SIMPLE_REPLY_LEN + data.len(), event))
    }

    fn chunk<'a>(&mut self, mut reader: Reader<'a>) -> Option<(usize, ReplyEvent<'a>)> {
        let (flags, kind) = (reader.u16()?, reader.u16()?);
        let (cookie, len) = (reader.u64()?, reader.u32()?);
        if len > CHUNK_LEN_MAX {
            return Some((0, ReplyEvent::Broken("a chunk beyond measure")));
        }
        let payload = reader.bytes(usize::try_from(len).ok()?)?;
        let done = flags & chunk_kind::DONE != 0;
        let used = CHUNK_HEADER_LEN + payload.len();
        let Some(event) = body(kind, cookie, payload) else {
            return Some((0, ReplyEvent::Broken("a malformed chunk")));
        };
        if kind == chunk_kind::NONE && !done {
            return Some((0, ReplyEvent::Broken("an empty chunk that ends nothing")));
        }
        if kind == chunk_kind::NONE {
            self.reads.remove(&cookie);
        } else if done {
            self.ended = Some(cookie);
        }
        Some((used, event))
    }
}

fn body(kind: u16, cookie: u64, payload: &[u8]) -> Option<ReplyEvent<'_>> {
    let mut reader = Reader::new(payload);
    let event = match kind {
        chunk_kind::NONE => ReplyEvent::Done(cookie),
        chunk_kind::OFFSET_DATA => {
            let offset = reader.u64()?;
            return Some(ReplyEvent::Data(cookie, Some(offset), reader.rest()));
        }
        chunk_kind::OFFSET_HOLE => ReplyEvent::Hole(cookie, reader.u64()?, reader.u32()?),
        chunk_kind::BLOCK_STATUS => {
            reader.u32()?;
            let mut extents = Vec::new();
            while !reader.is_empty() {
                extents.push(Extent::from_wire(reader.u32()?, reader.u32()?));
            }
            ReplyEvent::Status(cookie, extents)
        }
        // Every kind of error begins alike, so that those not known yet can be told too.
        error if error & (1 << 15) != 0 => {
            let errno = Errno::from_code(reader.u32()?);
            let len = reader.u16()?;
            let words = String::from_utf8_lossy(reader.bytes(usize::from(len))?);
            return Some(ReplyEvent::Error(cookie, errno, words.into_owned()));
        }
        _ => return None,
    };
    reader.is_empty().then_some(event)
}

#[cfg(test)]
#[path = "replies_test.rs"]
mod tests;
