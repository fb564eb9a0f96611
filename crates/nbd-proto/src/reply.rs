//! Replies to requests, in the form that was agreed: simple or structured.

use crate::errno::Errno;
use crate::metadata::{ALLOCATION_ID, Extent};
use crate::wire::{CHUNK_MAGIC, Put, SIMPLE_REPLY_MAGIC, chunk_kind, cut};

/// Appends replies to an output.
///
/// A READ is answered by one [`Replies::data_header`] with all of its data, or, if replies are
/// structured, by any mixture of data, holes and errors, the last of which is `done`. A simple reply
/// cannot take back a header: have the data at hand before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Replies {
    structured: bool,
}

impl Replies {
    /// Replies in the form that was agreed.
    pub const fn new(structured: bool) -> Self {
        Self { structured }
    }

    /// Whether a READ may be answered in several chunks.
    pub const fn is_structured(self) -> bool {
        self.structured
    }

    /// The answer to anything that went well and brings no data.
    pub fn done(self, cookie: u64, out: &mut Vec<u8>) {
        match self.structured {
            true => chunk(out, cookie, (chunk_kind::NONE, true), 0),
            false => simple(out, cookie, 0),
        }
    }

    /// An error, and the end of the reply.
    pub fn error(self, cookie: u64, errno: Errno, why: &str, out: &mut Vec<u8>) {
        if !self.structured {
            return simple(out, cookie, errno.code());
        }
        let why = cut(why);
        chunk(out, cookie, (chunk_kind::ERROR, true), 6 + why.len());
        error_body(out, errno, why);
    }

    /// An error at an offset of the export, and the end of the reply.
    pub fn error_at(self, cookie: u64, errno: Errno, why: &str, offset: u64, out: &mut Vec<u8>) {
        if !self.structured {
            return simple(out, cookie, errno.code());
        }
        let why = cut(why);
        chunk(
            out,
            cookie,
            (chunk_kind::ERROR_OFFSET, true),
            14 + why.len(),
        );
        error_body(out, errno, why);
        out.put_u64(offset);
    }

    /// What comes before `len` bytes of data of a READ; simple replies hold all of it at once.
    pub fn data_header(self, cookie: u64, offset: u64, len: u32, done: bool, out: &mut Vec<u8>) {
        if !self.structured {
            return simple(out, cookie, 0);
        }
        let payload_len = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(8);
        chunk(out, cookie, (chunk_kind::OFFSET_DATA, done), payload_len);
        out.put_u64(offset);
    }

    /// `len` zeroes of a READ that need not be sent; simple replies send them nevertheless.
    pub fn hole(self, cookie: u64, offset: u64, len: u32, done: bool, out: &mut Vec<u8>) {
        if !self.structured {
            simple(out, cookie, 0);
            let zeroes = usize::try_from(len).unwrap_or_default();
            return out.resize(out.len().saturating_add(zeroes), 0);
        }
        chunk(out, cookie, (chunk_kind::OFFSET_HOLE, done), 12);
        out.put_u64(offset);
        out.put_u32(len);
    }

    /// The answer to a BLOCK_STATUS; neighbours that are alike are told as one.
    ///
    /// There must be at least one extent of some length. Only structured replies can carry it, and
    /// [`crate::Transmission`] refuses the request otherwise.
    pub fn block_status(self, cookie: u64, extents: &[Extent], out: &mut Vec<u8>) {
        let mut told: Vec<Extent> = Vec::with_capacity(extents.len());
        for extent in extents.iter().filter(|extent| extent.len > 0) {
            match told.last_mut() {
                Some(last) if last.flags() == extent.flags() && fits(last.len, extent.len) => {
                    last.len += extent.len;
                }
                _ => told.push(*extent),
            }
        }
        chunk(
            out,
            cookie,
            (chunk_kind::BLOCK_STATUS, true),
            4 + 8 * told.len(),
        );
        out.put_u32(ALLOCATION_ID);
        for extent in told {
            out.put_u32(extent.len);
            out.put_u32(extent.flags());
        }
    }
}

fn fits(a: u32, b: u32) -> bool {
    a.checked_add(b).is_some()
}

fn simple(out: &mut Vec<u8>, cookie: u64, error: u32) {
    out.put_u32(SIMPLE_REPLY_MAGIC);
    out.put_u32(error);
    out.put_u64(cookie);
}

fn chunk(out: &mut Vec<u8>, cookie: u64, (kind, done): (u16, bool), payload_len: usize) {
    out.put_u32(CHUNK_MAGIC);
    out.put_u16(if done { chunk_kind::DONE } else { 0 });
    out.put_u16(kind);
    out.put_u64(cookie);
    out.put_u32(u32::try_from(payload_len).unwrap_or(u32::MAX));
}

fn error_body(out: &mut Vec<u8>, errno: Errno, why: &str) {
    out.put_u32(errno.code());
    out.put_u16(u16::try_from(why.len()).unwrap_or_default());
    out.extend_from_slice(why.as_bytes());
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
