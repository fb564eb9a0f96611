//! A request of transmission: its fields, and what makes it wrong.

use crate::PAYLOAD_LEN_MAX;
use crate::errno::Errno;
use crate::export::Export;
use crate::wire::{Put, REQUEST_MAGIC, Reader, command_flag, command_kind};

/// What a client asks for; offsets and lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Data, in one chunk if `whole`.
    Read {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
        /// All data in one chunk.
        whole: bool,
    },
    /// Data follows in pieces.
    Write {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
        /// Durable before it is answered.
        fua: bool,
    },
    /// Whatever was answered is to be durable.
    Flush,
    /// A range is no longer needed.
    Trim {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
        /// Durable before it is answered.
        fua: bool,
    },
    /// A range will be read soon.
    Cache {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
    },
    /// A range becomes zero: with its space kept if `no_hole`, and not slowly if `fast`.
    WriteZeroes {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
        /// Durable before it is answered.
        fua: bool,
        /// The space is kept.
        no_hole: bool,
        /// Not at all rather than slowly.
        fast: bool,
    },
    /// What a range is made of; the first stretch is enough if `one`.
    BlockStatus {
        /// Where, in bytes.
        offset: u64,
        /// How much, in bytes.
        len: u32,
        /// The first stretch is enough.
        one: bool,
    },
}

/// A command and the number that its reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The client's number for it.
    pub cookie: u64,
    /// What is asked for.
    pub command: Command,
}

/// A request as it is on the wire, not yet looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) flags: u16,
    pub(crate) kind: u16,
    pub(crate) cookie: u64,
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

impl Raw {
    /// The first 28 bytes; `Err` if they are no request, `None` if they are not there yet.
    pub(crate) fn parse(input: &[u8]) -> Result<Option<Self>, &'static str> {
        let known = input.len().min(4);
        if input.get(..known) != REQUEST_MAGIC.to_be_bytes().get(..known) {
            return Err("not a request");
        }
        Ok(Self::fields(input))
    }

    fn fields(input: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(input);
        reader.u32()?;
        Some(Self {
            flags: reader.u16()?,
            kind: reader.u16()?,
            cookie: reader.u64()?,
            offset: reader.u64()?,
            len: reader.u32()?,
        })
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.put_u32(REQUEST_MAGIC);
        out.put_u16(self.flags);
        out.put_u16(self.kind);
        out.put_u64(self.cookie);
        out.put_u64(self.offset);
        out.put_u32(self.len);
    }

    /// Whether data follows, whatever else is wrong.
    pub(crate) fn brings_payload(self) -> bool {
        self.kind == command_kind::WRITE
    }

    /// The command, or the error that the protocol has for it and why.
    pub(crate) fn command(self, export: &Export, allocation: bool) -> Result<Command, Wrong> {
        let command = self.decode()?;
        if self.writes() && export.read_only {
            return Err((Errno::Perm, "the export may only be read"));
        }
        if matches!(command, Command::BlockStatus { .. }) && !allocation {
            return Err((Errno::Inval, "no metadata context was chosen"));
        }
        self.in_bounds(export)?;
        Ok(command)
    }

    fn decode(self) -> Result<Command, Wrong> {
        let Self { offset, len, .. } = self;
        let has = |flag| self.flags & flag != 0;
        use command_flag as flag;
        let (allowed, command) = match self.kind {
            command_kind::READ => {
                let whole = has(flag::DF);
                (flag::DF | flag::FUA, Command::Read { offset, len, whole })
            }
            command_kind::WRITE => {
                let fua = has(flag::FUA);
                (flag::FUA, Command::Write { offset, len, fua })
            }
            command_kind::FLUSH => (flag::FUA, Command::Flush),
            command_kind::TRIM => {
                let fua = has(flag::FUA);
                (flag::FUA, Command::Trim { offset, len, fua })
            }
            command_kind::CACHE => (flag::FUA, Command::Cache { offset, len }),
            command_kind::WRITE_ZEROES => {
                let command = Command::WriteZeroes {
                    offset,
                    len,
                    fua: has(flag::FUA),
                    no_hole: has(flag::NO_HOLE),
                    fast: has(flag::FAST_ZERO),
                };
                (flag::FUA | flag::NO_HOLE | flag::FAST_ZERO, command)
            }
            command_kind::BLOCK_STATUS => {
                let one = has(flag::REQ_ONE);
                let command = Command::BlockStatus { offset, len, one };
                (flag::REQ_ONE | flag::FUA, command)
            }
            _ => return Err((Errno::Inval, "unknown command")),
        };
        if self.flags & !allowed != 0 {
            return Err((Errno::Inval, "a flag that this command does not have"));
        }
        Ok(command)
    }

    fn writes(self) -> bool {
        use command_kind as kind;
        matches!(self.kind, kind::WRITE | kind::TRIM | kind::WRITE_ZEROES)
    }

    fn in_bounds(self, export: &Export) -> Result<(), Wrong> {
        use command_kind as kind;
        if self.kind == kind::FLUSH {
            return match (self.offset, self.len) {
                (0, 0) => Ok(()),
                _ => Err((Errno::Inval, "FLUSH has neither offset nor length")),
            };
        }
        if self.kind == kind::BLOCK_STATUS && self.len == 0 {
            return Err((Errno::Inval, "the status of nothing"));
        }
        if matches!(self.kind, kind::READ | kind::WRITE) && self.len > PAYLOAD_LEN_MAX {
            return Err((Errno::Inval, "longer than the largest block size told"));
        }
        let end = self.offset.checked_add(u64::from(self.len));
        if end.is_none_or(|end| end > export.size_bytes) {
            return Err(match self.kind {
                kind::WRITE | kind::WRITE_ZEROES => (Errno::NoSpc, "beyond the end"),
                _ => (Errno::Inval, "beyond the end"),
            });
        }
        let mask = u64::from(export.block_len_min.max(1)) - 1;
        if (self.offset | u64::from(self.len)) & mask != 0 {
            return Err((Errno::Inval, "not a multiple of the least block size"));
        }
        Ok(())
    }
}

/// The error for the wire, and a word about it for people.
pub(crate) type Wrong = (Errno, &'static str);

impl Request {
    /// Appends the request as a client sends it; the data of a WRITE is to follow.
    pub fn put(self, out: &mut Vec<u8>) {
        let bit = |on: bool, flag: u16| if on { flag } else { 0 };
        use command_flag as flag;
        let (kind, flags, offset, len) = match self.command {
            Command::Read { offset, len, whole } => {
                (command_kind::READ, bit(whole, flag::DF), offset, len)
            }
            Command::Write { offset, len, fua } => {
                (command_kind::WRITE, bit(fua, flag::FUA), offset, len)
            }
            Command::Flush => (command_kind::FLUSH, 0, 0, 0),
            Command::Trim { offset, len, fua } => {
                (command_kind::TRIM, bit(fua, flag::FUA), offset, len)
            }
            Command::Cache { offset, len } => (command_kind::CACHE, 0, offset, len),
            Command::WriteZeroes {
                offset,
                len,
                fua,
                no_hole,
                fast,
            } => {
                let flags = bit(fua, flag::FUA) | bit(no_hole, flag::NO_HOLE);
                let flags = flags | bit(fast, flag::FAST_ZERO);
                (command_kind::WRITE_ZEROES, flags, offset, len)
            }
            Command::BlockStatus { offset, len, one } => {
                let flags = bit(one, flag::REQ_ONE);
                (command_kind::BLOCK_STATUS, flags, offset, len)
            }
        };
        let cookie = self.cookie;
        let raw = Raw {
            flags,
            kind,
            cookie,
            offset,
            len,
        };
        raw.put(out);
    }
}

/// Appends what a client sends before it closes in peace; it has no answer.
pub fn put_disconnect(out: &mut Vec<u8>) {
    let raw = Raw {
        flags: 0,
        kind: command_kind::DISC,
        cookie: 0,
        offset: 0,
        len: 0,
    };
    raw.put(out);
}

#[cfg(test)]
#[path = "request_test.rs"]
mod tests;
