//! Requests to bytes and reply bytes to what they say, for the generator's few operations.
//!
//! Values are never gathered: the reader hands their bytes on as they arrive, so that a value of any
//! length passes through a fixed buffer and can be checked on the way.

mod binary;
mod meta;
mod text;

use std::sync::Arc;

pub(crate) use binary::{sasl_plain, sasl_verdict};

use super::keys::{KeyBuffer, Keys};
use super::op::Op;
use super::plan::Protocol;
use super::values::Values;

/// The longest reply line, or binary reply without a value, that makes sense, in bytes.
const HEAD_LEN_MAX: usize = 8192;

/// Writes the requests of one run.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    protocol: Protocol,
    keys: Keys,
    values: Arc<Values>,
    expiry_s: u32,
    key: KeyBuffer,
}

impl Encoder {
    /// For keys and values of a run; `set` and `touch` send `expiry_s`.
    pub(crate) fn new(protocol: Protocol, keys: Keys, values: Arc<Values>, expiry_s: u32) -> Self {
        Self {
            protocol,
            keys,
            values,
            expiry_s,
            key: KeyBuffer::new(),
        }
    }

    /// Appends one request. `ids` has one key, or for [`Op::Mget`] any number above 0.
    #[inline]
    pub(crate) fn encode(&mut self, op: Op, ids: &[u64], out: &mut Vec<u8>) {
        match self.protocol {
            Protocol::Text => self.encode_text(op, ids, out),
            Protocol::Meta => self.encode_meta(op, ids, out),
            Protocol::Binary => self.encode_binary(op, ids, out),
        }
    }
}

/// What the next bytes of a reply say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// More bytes are needed behind those that are left.
    Need,
    /// A hit begins: its key, where the protocol repeats it, and its value's length in bytes.
    Item { key: Option<&'a [u8]>, len: u32 },
    /// The next bytes of the value.
    Bytes(&'a [u8]),
    /// The reply is complete.
    End(Ending<'a>),
}

/// How a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending<'a> {
    /// A retrieval is over (its hits came before), or a value is stored.
    Done,
    /// A key to delete or touch was there.
    Hit,
    /// A key to delete or touch was not there.
    Miss,
    /// `NOT_STORED`.
    NotStored,
    /// The server's fault, in its words.
    ServerError(&'a [u8]),
    /// Our fault, in the server's words.
    ClientError(&'a [u8]),
    /// No reply to this operation; the connection is of no use any more.
    Garbage(&'a [u8]),
}

/// Reads the replies of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    protocol: Protocol,
    state: State,
    /// In a retrieval of several keys, one of them was answered by an error.
    failed: Option<Failure>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// At the begin of a line or of a binary header.
    Head,
    /// Within a value; `tail` bytes follow it, then comes `next`.
    Value { left: u32, tail: u8, next: Next },
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Head,
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    Server,
    Client,
}

/// What a reply's head says, and its length in bytes.
struct Head<'a> {
    consumed: usize,
    says: Says<'a>,
}

enum Says<'a> {
    /// A value of `len` bytes follows, then `tail` bytes more.
    Item {
        key: Option<&'a [u8]>,
        len: u32,
        tail: u8,
        next: Next,
    },
    /// The reply ends here.
    End(Ending<'a>),
    /// One key of several failed; others may follow.
    Failed(Failure),
}

impl Reader {
    /// At the begin of the first reply.
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            state: State::Head,
            failed: None,
        }
    }

    /// The next step of the reply to `op`; takes what it used off the front of `input`.
    #[inline]
    pub(crate) fn step<'a>(&mut self, op: Op, input: &mut &'a [u8]) -> Step<'a> {
        loop {
            match self.state {
                State::Value { left, tail, next } if left > 0 => {
                    return self.value_bytes(left, tail, next, input);
                }
                State::Value { tail, next, .. } => {
                    if input.len() < usize::from(tail) {
                        return Step::Need;
                    }
                    *input = &input[usize::from(tail)..];
                    self.state = State::Head;
                    if let Next::Done = next {
                        return Step::End(Ending::Done);
                    }
                }
                State::Head => {
                    if let Some(step) = self.head(op, input) {
                        return step;
                    }
                }
            }
        }
    }

    fn value_bytes<'a>(
        &mut self,
        left: u32,
        tail: u8,
        next: Next,
        input: &mut &'a [u8],
    ) -> Step<'a> {
        if input.is_empty() {
            return Step::Need;
        }
        let take = input.len().min(left as usize);
        let (bytes, rest) = input.split_at(take);
        *input = rest;
        self.state = State::Value {
            left: left - take as u32,
            tail,
            next,
        };
        Step::Bytes(bytes)
    }

    fn head<'a>(&mut self, op: Op, input: &mut &'a [u8]) -> Option<Step<'a>> {
        let whole = *input;
        let head = match self.protocol {
            Protocol::Text => text::head(op, whole),
            Protocol::Meta => meta::head(op, whole),
            Protocol::Binary => binary::head(op, whole),
        };
        let Some(head) = head else {
            if whole.len() > HEAD_LEN_MAX {
                *input = &[];
                return Some(Step::End(Ending::Garbage(&whole[..64])));
            }
            return Some(Step::Need);
        };
        *input = &whole[head.consumed..];
        match head.says {
            Says::Item {
                key,
                len,
                tail,
                next,
            } => {
                self.state = State::Value {
                    left: len,
                    tail,
                    next,
                };
                Some(Step::Item { key, len })
            }
            Says::End(ending) => Some(Step::End(self.end(ending))),
            Says::Failed(failure) => {
                self.failed = Some(failure);
                None
            }
        }
    }

    fn end<'a>(&mut self, ending: Ending<'a>) -> Ending<'a> {
        match (self.failed.take(), ending) {
            (Some(Failure::Server), Ending::Done) => Ending::ServerError(b"for one of the keys"),
            (Some(Failure::Client), Ending::Done) => Ending::ClientError(b"for one of the keys"),
            (_, ending) => ending,
        }
    }
}

/// The first line of `input` without its end, and its length with it.
#[inline]
pub(crate) fn line(input: &[u8]) -> Option<(&[u8], usize)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let line = &input[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// A decimal number of up to ten digits and nothing else.
#[inline]
fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    let mut number = 0u32;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u32::from(digit))?;
    }
    Some(number)
}

/// Appends a number in decimal.
#[inline]
fn push_decimal(number: u32, out: &mut Vec<u8>) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The meaning of a line that text and meta commands share: errors, and what is no reply at all.
fn error_line(line: &[u8]) -> Ending<'_> {
    if line.starts_with(b"SERVER_ERROR") {
        Ending::ServerError(line)
    } else if line.starts_with(b"CLIENT_ERROR") || line.starts_with(b"ERROR") {
        Ending::ClientError(line)
    } else {
        Ending::Garbage(line)
    }
}

#[cfg(test)]
#[path = "wire_test.rs"]
mod tests;
