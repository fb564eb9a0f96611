//! Replies as a client counts them: which are whole, and what they say, without their values.

use super::Protocol;
use super::meta::BATCH_MARK;
use crate::binary::header::{HEADER_LEN, Header, MAGIC_RESPONSE, opcode};
use crate::number;
use crate::text::words::Words;

/// The longest line of a reply that makes sense, in bytes: a key, two flags of its own, numbers.
const LINE_LEN_MAX: usize = 4096;

/// What the next bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// No reply is whole yet; drop what was consumed and come again with more behind the rest.
    Incomplete {
        /// How many bytes were taken.
        consumed: usize,
    },
    /// A reply is whole.
    Reply {
        /// How many bytes it took since the last call.
        consumed: usize,
        /// What it says.
        reply: Reply,
    },
    /// These bytes are not of this protocol; the connection is of no more use.
    Broken,
}

/// What the reply to one request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went; for a retrieval in classic text it is `Ok` without any hit, too.
    pub status: Status,
    /// How many values it holds.
    pub hits: u32,
    /// How many bytes these values have together.
    pub value_bytes: u64,
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// The key is not there.
    NotFound,
    /// The condition was not met.
    NotStored,
    /// The CAS differs, or the key is there already.
    Exists,
    /// The server finds fault with the request, or with the credential.
    ClientError,
    /// The server finds fault with itself.
    ServerError,
}

/// Finds the replies in what a server sends; one for each request of [`Protocol`].
#[derive(Clone, Debug)]
pub struct Replies {
    protocol: Protocol,
    /// Bytes of a value, or of a body, that are still to be passed over.
    skip: u64,
    /// A line end must follow them.
    line_end: bool,
    /// The reply is whole once they are.
    ending: Option<Status>,
    /// A part of the reply failed.
    failed: Option<Status>,
    hits: u32,
    value_bytes: u64,
}

/// What a line or a header means.
enum Part {
    /// The whole of a reply, or its end.
    End(Status),
    /// One that says how a part of the reply failed.
    Failure(Status),
    /// A value of this length; it ends the reply if `last`.
    Value { len: u64, last: bool },
    /// One that counts for nothing.
    Nothing,
}

impl Replies {
    /// For a connection on which nothing has been asked yet.
    pub const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            skip: 0,
            line_end: false,
            ending: None,
            failed: None,
            hits: 0,
            value_bytes: 0,
        }
    }

    /// Looks for the end of the next reply.
    #[inline]
    pub fn next(&mut self, input: &[u8]) -> Parsed {
        let mut consumed = 0;
        loop {
            let rest = &input[consumed..];
            if self.skip > 0 {
                let len =
                    usize::try_from(self.skip).map_or(rest.len(), |skip| skip.min(rest.len()));
                consumed += len;
                self.skip -= len as u64;
                if self.skip > 0 {
                    return Parsed::Incomplete { consumed };
                }
                continue;
            }
            if self.line_end {
                match rest {
                    [b'\r', b'\n', ..] => consumed += 2,
                    [] | [b'\r'] => return Parsed::Incomplete { consumed },
                    _ => return Parsed::Broken,
                }
                self.line_end = false;
                continue;
            }
            if let Some(status) = self.ending.take() {
                let reply = self.finish(status);
                return Parsed::Reply { consumed, reply };
            }
            match self.part(rest) {
                Ok(Some(len)) => consumed += len,
                Ok(None) => return Parsed::Incomplete { consumed },
                Err(Broken) => return Parsed::Broken,
            }
        }
    }

    /// Takes the next line or header; says how long it is.
    #[inline]
    fn part(&mut self, input: &[u8]) -> Result<Option<usize>, Broken> {
        match self.protocol {
            Protocol::Text | Protocol::Meta => self.line(input),
            Protocol::Binary => self.packet(input),
        }
    }

    #[inline]
    fn line(&mut self, input: &[u8]) -> Result<Option<usize>, Broken> {
        let window = &input[..input.len().min(LINE_LEN_MAX)];
        let Some(end) = memchr::memchr(b'\n', window) else {
            return match window.len() {
                LINE_LEN_MAX => Err(Broken),
                _ => Ok(None),
            };
        };
        let line = window[..end].strip_suffix(b"\r").ok_or(Broken)?;
        match line_part(line).ok_or(Broken)? {
            Part::End(status) => self.ending = Some(status),
            Part::Failure(status) => self.failed = self.failed.or(Some(status)),
            Part::Nothing => {}
            Part::Value { len, last } => {
                self.count(len);
                self.skip = len;
                self.line_end = true;
                self.ending = last.then_some(Status::Ok);
            }
        }
        Ok(Some(end + 1))
    }

    #[inline]
    fn packet(&mut self, input: &[u8]) -> Result<Option<usize>, Broken> {
        let Some(header) = Header::of(input) else {
            return match input.first() {
                Some(&MAGIC_RESPONSE) | None => Ok(None),
                Some(_) => Err(Broken),
            };
        };
        let value_len = header.value_len().ok_or(Broken)?;
        if input.first() != Some(&MAGIC_RESPONSE) {
            return Err(Broken);
        }
        self.skip = u64::from(header.body_len);
        let status = [input.get(6), input.get(7)].map(|byte| byte.copied().unwrap_or(0));
        match packet_part(&header, u16::from_be_bytes(status), value_len) {
            Part::End(status) => self.ending = Some(status),
            Part::Failure(status) => self.failed = self.failed.or(Some(status)),
            Part::Nothing => {}
            Part::Value { len, last } => {
                self.count(len);
                self.ending = last.then_some(Status::Ok);
            }
        }
        Ok(Some(HEADER_LEN))
    }

    fn count(&mut self, len: u64) {
        self.hits = self.hits.saturating_add(1);
        self.value_bytes = self.value_bytes.saturating_add(len);
    }

    fn finish(&mut self, status: Status) -> Reply {
        let reply = Reply {
            status: self.failed.unwrap_or(status),
            hits: self.hits,
            value_bytes: self.value_bytes,
        };
        *self = Self::new(self.protocol);
        reply
    }
}

/// Not of the protocol.
struct Broken;

/// What a line of text says, classic or meta; the common ones first.
#[inline]
fn line_part(line: &[u8]) -> Option<Part> {
    match line {
        b"END" | b"STORED" | b"HD" => Some(Part::End(Status::Ok)),
        [b'V', b'A', b'L', b'U', b'E', b' ', rest @ ..] => {
            let len = number::parse_u32(Words::of(rest).nth(2)?)?;
            Some(value(len, false))
        }
        [b'V', b'A', b' ', rest @ ..] => {
            let mut words = Words::of(rest);
            let len = number::parse_u32(words.next()?)?;
            Some(value(len, !is_batched(words)))
        }
        _ => rare_line_part(line),
    }
}

fn rare_line_part(line: &[u8]) -> Option<Part> {
    let mut words = Words::of(line);
    let status = match words.next()? {
        b"STAT" => return Some(Part::Nothing),
        b"HD" | b"EN" | b"NF" | b"NS" | b"EX" if is_batched(words) => return Some(Part::Nothing),
        b"DELETED" | b"TOUCHED" | b"OK" | b"VERSION" | b"RESET" | b"HD" | b"MN" | b"ME" => {
            Status::Ok
        }
        b"NOT_FOUND" | b"EN" | b"NF" => Status::NotFound,
        b"NOT_STORED" | b"NS" => Status::NotStored,
        b"EXISTS" | b"EX" => Status::Exists,
        b"ERROR" | b"ERROR:" | b"CLIENT_ERROR" => Status::ClientError,
        b"SERVER_ERROR" | b"SERVER_ERROR:" => Status::ServerError,
        digits => number::parse_u64(digits).map(|_| Status::Ok)?,
    };
    Some(Part::End(status))
}

fn value(len: u32, last: bool) -> Part {
    Part::Value {
        len: u64::from(len),
        last,
    }
}

fn is_batched(mut words: Words<'_>) -> bool {
    words.any(|word| word == BATCH_MARK)
}

/// What a header says.
#[inline]
fn packet_part(header: &Header, status: u16, value_len: u32) -> Part {
    use opcode::{GAT, GATK, GATKQ, GATQ, GET, GETK, GETKQ, GETQ, STAT};
    let is_quiet_get = matches!(header.opcode, GETQ | GETKQ | GATQ | GATKQ);
    match (status, header.opcode) {
        (0, GET | GETK | GAT | GATK | GETQ | GETKQ | GATQ | GATKQ) => {
            value(value_len, !is_quiet_get)
        }
        (0, STAT) if header.key_len > 0 => Part::Nothing,
        (status, _) if is_quiet_get => Part::Failure(packet_status(status)),
        (status, _) => Part::End(packet_status(status)),
    }
}

fn packet_status(status: u16) -> Status {
    match status {
        0x00 => Status::Ok,
        0x01 => Status::NotFound,
        0x02 => Status::Exists,
        0x05 => Status::NotStored,
        0x82..=0x86 => Status::ServerError,
        _ => Status::ClientError,
    }
}

#[cfg(test)]
#[path = "replies_test.rs"]
mod tests;
