//! What the gate asks of nodes before it lets one in: round trips, transfers, and what a node finds of
//! its own machine. Spoken from version 2 on.

use std::time::Duration;

use base::Timestamp;

use crate::wire::{Fields, Header, Put, frame, kind};
use crate::{Malformed, PIECE_LEN_MAX};

/// The first version that knows these frames.
pub const VERSION_OF_GATE: u16 = 2;
/// Round trips that one answer tells of at most.
pub const ROUND_TRIPS_MAX: usize = 8192;
/// Where other members are reached, and what they are called, is no longer.
const TEXT_LEN_MAX: usize = 1024;

/// Asks for so many bytes, and brings some: a round trip, or a transfer in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Given back in the answer.
    pub token: u64,
    /// Bytes of the answer, at most [`PIECE_LEN_MAX`].
    pub answer_len: u32,
    /// At most [`PIECE_LEN_MAX`] bytes that mean nothing.
    pub bytes: &'a [u8],
}

/// The answer to an [`Echo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echoed<'a> {
    /// That of the question.
    pub token: u64,
    /// The node's own clock.
    pub at: Timestamp,
    /// How long the question waited at the node.
    pub queued: Duration,
    /// How long the node worked on it.
    pub served: Duration,
    /// Segments that the node has sent on this connection so far, and those of them that it sent
    /// again.
    pub segments: Segments,
    /// Bytes that mean nothing.
    pub bytes: &'a [u8],
}

/// What one end of a connection has sent (`TCP_INFO`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// With data.
    pub sent: u32,
    /// Once more, since no acknowledgement came.
    pub resent: u32,
}

/// What a node is to try out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exam<'a> {
    /// The way to another node: round trips, and transfers both ways meanwhile.
    Pair(PairExam<'a>),
    /// Its own machine.
    Own(OwnExam),
}

/// How a node is to try out the way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairExam<'a> {
    /// The other's name, which its certificate bears.
    pub name: &'a str,
    /// Where it is reached, `host:port`.
    pub address: &'a str,
    /// For how long; whole milliseconds.
    pub length: Duration,
    /// Round trips a second at most.
    pub requests_per_s: u32,
    /// Bytes a second at most, both ways together.
    pub bytes_per_s: u64,
}

/// How a node is to try out its own machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnExam {
    /// Bytes of memory that patterns are written to and read back from.
    pub pattern_len: u32,
    /// Writes of 4 KiB to its data folder that are brought to the disk, one by one.
    pub disk_writes: u32,
}

/// What came of an [`Exam`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// It could not be done; for people.
    Failed(String),
    /// Of the way to another node.
    Pair(PairResult),
    /// Of its own machine.
    Own(OwnResult),
}

/// What the way to another node showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairResult {
    /// What each round trip took, in nanoseconds; at most [`ROUND_TRIPS_MAX`].
    pub round_trips_ns: Vec<u32>,
    /// Those that were not answered in time.
    pub unanswered: u32,
    /// What half of them were worked on there at most, in nanoseconds.
    pub served_ns: u32,
    /// Bytes a second towards the other node, and from there.
    pub up_per_s: u64,
    /// See there.
    pub down_per_s: u64,
    /// Of both ends together.
    pub segments: Segments,
}

/// What a node found of its own machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnResult {
    /// What half of the engine's operations take at most, in nanoseconds.
    pub engine_ns: u32,
    /// Bytes of memory a second that it copies.
    pub memory_per_s: u64,
    /// Words of memory that did not hold what was written to them.
    pub pattern_faults: u32,
    /// Of a million parts of the processors' time those that the host took.
    pub steal_ppm: u32,
    /// What half of the writes took at most until they were on the disk, in nanoseconds; 0: none was
    /// asked for.
    pub disk_ns: u64,
}

mod code {
    pub(super) const FAILED: u8 = 0;
    pub(super) const PAIR: u8 = 1;
    pub(super) const OWN: u8 = 2;
}

fn header(kind: u8, code: u8, token: u64) -> Header {
    Header {
        kind,
        code,
        a: 0,
        b: 0,
        id: token,
    }
}

impl<'a> Echo<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        frame(out, header(kind::ECHO, 0, self.token), |out| {
            out.put_u32(self.answer_len);
            out.extend_from_slice(self.bytes);
        });
    }

    pub(crate) fn decode(token: u64, fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        let answer_len = fields.u32()?;
        let bytes = short(fields)?;
        match answer_len as usize > PIECE_LEN_MAX {
            true => Err(fields.malformed()),
            false => Ok(Self {
                token,
                answer_len,
                bytes,
            }),
        }
    }
}

impl<'a> Echoed<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let nanos = |time: Duration| u32::try_from(time.as_nanos()).unwrap_or(u32::MAX);
        frame(out, header(kind::ECHOED, 0, self.token), |out| {
            // The times are where a reply has its own, so that they can be noted in the same way.
            out.put_u64(self.at.as_nanos());
            out.put_u32(nanos(self.queued));
            out.put_u32(nanos(self.served));
            self.segments.encode(out);
            out.extend_from_slice(self.bytes);
        });
    }

    pub(crate) fn decode(token: u64, fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            token,
            at: Timestamp::from_nanos(fields.u64()?),
            queued: Duration::from_nanos(fields.u32()?.into()),
            served: Duration::from_nanos(fields.u32()?.into()),
            segments: Segments::decode(fields)?,
            bytes: short(fields)?,
        })
    }
}

impl Segments {
    fn encode(self, out: &mut Vec<u8>) {
        out.put_u32(self.sent);
        out.put_u32(self.resent);
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            sent: fields.u32()?,
            resent: fields.u32()?,
        })
    }
}

impl<'a> Exam<'a> {
    pub(crate) fn encode(&self, token: u64, out: &mut Vec<u8>) {
        match self {
            Self::Pair(exam) => frame(out, header(kind::EXAM, code::PAIR, token), |out| {
                out.put_u32(u32::try_from(exam.length.as_millis()).unwrap_or(u32::MAX));
                out.put_u32(exam.requests_per_s);
                out.put_u64(exam.bytes_per_s);
                put_text(exam.name, out);
                put_text(exam.address, out);
            }),
            Self::Own(exam) => frame(out, header(kind::EXAM, code::OWN, token), |out| {
                out.put_u32(exam.pattern_len);
                out.put_u32(exam.disk_writes);
            }),
        }
    }

    pub(crate) fn decode(header: Header, fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        match header.code {
            code::PAIR => {
                let length = Duration::from_millis(fields.u32()?.into());
                let (requests_per_s, bytes_per_s) = (fields.u32()?, fields.u64()?);
                Ok(Self::Pair(PairExam {
                    length,
                    requests_per_s,
                    bytes_per_s,
                    name: text(fields)?,
                    address: text(fields)?,
                }))
            }
            code::OWN => Ok(Self::Own(OwnExam {
                pattern_len: fields.u32()?,
                disk_writes: fields.u32()?,
            })),
            _ => Err(fields.malformed()),
        }
    }
}

impl Examined {
    pub(crate) fn encode(&self, token: u64, out: &mut Vec<u8>) {
        match self {
            Self::Failed(why) => frame(out, header(kind::EXAMINED, code::FAILED, token), |out| {
                put_text(why, out);
            }),
            Self::Pair(result) => frame(out, header(kind::EXAMINED, code::PAIR, token), |out| {
                out.put_u32(result.unanswered);
                out.put_u32(result.served_ns);
                out.put_u64(result.up_per_s);
                out.put_u64(result.down_per_s);
                result.segments.encode(out);
                let told = result.round_trips_ns.iter().take(ROUND_TRIPS_MAX);
                told.for_each(|nanos| out.put_u32(*nanos));
            }),
            Self::Own(result) => frame(out, header(kind::EXAMINED, code::OWN, token), |out| {
                out.put_u32(result.engine_ns);
                out.put_u64(result.memory_per_s);
                out.put_u32(result.pattern_faults);
                out.put_u32(result.steal_ppm);
                out.put_u64(result.disk_ns);
            }),
        }
    }

    pub(crate) fn decode(header: Header, fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        match header.code {
            code::FAILED => text(fields).map(|why| Self::Failed(why.to_owned())),
            code::PAIR => {
                let mut result = PairResult {
                    unanswered: fields.u32()?,
                    served_ns: fields.u32()?,
                    up_per_s: fields.u64()?,
                    down_per_s: fields.u64()?,
                    segments: Segments::decode(fields)?,
                    round_trips_ns: Vec::new(),
                };
                let rest = fields.rest();
                if !rest.len().is_multiple_of(4) || rest.len() / 4 > ROUND_TRIPS_MAX {
                    return Err(fields.malformed());
                }
                let nanos = rest.as_chunks::<4>().0.iter();
                result.round_trips_ns = nanos.map(|it| u32::from_le_bytes(*it)).collect();
                Ok(Self::Pair(result))
            }
            code::OWN => Ok(Self::Own(OwnResult {
                engine_ns: fields.u32()?,
                memory_per_s: fields.u64()?,
                pattern_faults: fields.u32()?,
                steal_ppm: fields.u32()?,
                disk_ns: fields.u64()?,
            })),
            _ => Err(fields.malformed()),
        }
    }
}

fn short<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Malformed> {
    let bytes = fields.rest();
    match bytes.len() > PIECE_LEN_MAX {
        true => Err(fields.malformed()),
        false => Ok(bytes),
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(TEXT_LEN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    out.put_u16(u16::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(text.as_bytes());
}

fn text<'a>(fields: &mut Fields<'a>) -> Result<&'a str, Malformed> {
    let len = usize::from(fields.u16()?);
    if len > TEXT_LEN_MAX {
        return Err(fields.malformed());
    }
    std::str::from_utf8(fields.bytes(len)?).map_err(|_| fields.malformed())
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
