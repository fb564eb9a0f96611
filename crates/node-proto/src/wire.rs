//! The header of every frame, and numbers in little-endian order.
//!
//! ```text
//!  0        4      5      6   7   8                16
//!  ┌────────┬──────┬──────┬───┬───┬─────────────────┬──────────────┐
//!  │ len    │ kind │ code │ a │ b │ request id      │ by kind      │
//!  └────────┴──────┴──────┴───┴───┴─────────────────┴──────────────┘
//! ```
//!
//! `len` counts the whole frame. What `code`, `a` and `b` mean depends on the kind.

use crate::{FRAME_LEN_MAX, Malformed};

/// Bytes of the header.
pub const HEADER_LEN: usize = 16;

/// What a frame is.
pub mod kind {
    /// Both: the first frame.
    pub const HELLO: u8 = 1;
    /// Gateway: an operation on a key.
    pub const REQUEST: u8 = 2;
    /// Node: what became of it.
    pub const REPLY: u8 = 3;
    /// Both: a part of a value.
    pub const PIECE: u8 = 4;
    /// Gateway: the node may send so many bytes more of a value. Node: the same.
    pub const WINDOW: u8 = 5;
    /// Gateway: the rest of a value is not wanted.
    pub const CANCEL: u8 = 6;
    /// Gateway: what a tenant may hold.
    pub const TENANT: u8 = 7;
    /// Gateway: a tenant is no more.
    pub const FORGET: u8 = 8;
    /// Gateway: empty a tenant.
    pub const FLUSH: u8 = 9;
    /// Gateway: set a tenant's counters to zero.
    pub const RESET_STATS: u8 = 10;
    /// Gateway: tell a tenant's figures.
    pub const ASK_STATS: u8 = 11;
    /// Node: a tenant's figures.
    pub const STATS: u8 = 12;
    /// Gateway: are you there?
    pub const PING: u8 = 13;
    /// Node: yes.
    pub const PONG: u8 = 14;
    /// Node: about to end; send nothing more.
    pub const GOODBYE: u8 = 15;
    /// Gateway or node: answer with so many bytes.
    pub const ECHO: u8 = 16;
    /// Node: the answer.
    pub const ECHOED: u8 = 17;
    /// Gateway: try something out.
    pub const EXAM: u8 = 18;
    /// Node: what came of it.
    pub const EXAMINED: u8 = 19;
    /// Gateway: what has been asked of another node, for a node that is to show how it does.
    pub const COPY: u8 = 20;
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: u8,
    /// By kind.
    pub code: u8,
    /// By kind.
    pub a: u8,
    /// By kind.
    pub b: u8,
    /// The request that it is about, or 0.
    pub id: u64,
}

/// Appends a frame: a header with the length of all that `content` appends behind it.
#[inline]
pub(crate) fn frame(out: &mut Vec<u8>, header: Header, content: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    let mut bytes = [0; HEADER_LEN];
    bytes[4] = header.kind;
    bytes[5] = header.code;
    bytes[6] = header.a;
    bytes[7] = header.b;
    bytes[8..].copy_from_slice(&header.id.to_le_bytes());
    out.extend_from_slice(&bytes);
    content(out);
    let len = u32::try_from(out.len() - begin).unwrap_or(u32::MAX);
    debug_assert!(len as usize <= FRAME_LEN_MAX, "a frame of {len} bytes");
    if let Some(place) = out.get_mut(begin..begin + 4) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

/// A whole frame: its header, its content, and the length of both.
pub type Frame<'a> = (Header, &'a [u8], usize);

/// The frame at the front of `bytes`, if it is whole.
///
/// # Errors
/// A length that no frame has.
#[inline]
pub fn split(bytes: &[u8]) -> Result<Option<Frame<'_>>, Malformed> {
    let Some((head, _)) = bytes.split_first_chunk::<HEADER_LEN>() else {
        // The length is judged as soon as it is there, before anything is kept for it.
        if let Some(len) = bytes.first_chunk::<4>() {
            check_len(u32::from_le_bytes(*len))?;
        }
        return Ok(None);
    };
    let [l0, l1, l2, l3, kind, code, a, b, id @ ..] = head;
    let len = check_len(u32::from_le_bytes([*l0, *l1, *l2, *l3]))?;
    let Some(content) = bytes.get(HEADER_LEN..len) else {
        return Ok(None);
    };
    let header = Header {
        kind: *kind,
        code: *code,
        a: *a,
        b: *b,
        id: u64::from_le_bytes(*id),
    };
    Ok(Some((header, content, len)))
}

fn check_len(len: u32) -> Result<usize, Malformed> {
    match usize::try_from(len) {
        Ok(all) if (HEADER_LEN..=FRAME_LEN_MAX).contains(&all) => Ok(all),
        _ => Err(Malformed::FrameLen(len)),
    }
}

/// Takes numbers from the front of a frame's content.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    kind: u8,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(kind: u8, content: &'a [u8]) -> Self {
        Self {
            rest: content,
            kind,
        }
    }

    pub(crate) fn malformed(&self) -> Malformed {
        Malformed::Content(self.kind)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Malformed::Content(self.kind))?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that is there only if `is_there`.
    #[inline]
    pub(crate) fn u32_if(&mut self, is_there: bool) -> Result<Option<u32>, Malformed> {
        is_there.then(|| self.u32()).transpose()
    }

    /// A number that is there only if `is_there`.
    #[inline]
    pub(crate) fn u64_if(&mut self, is_there: bool) -> Result<Option<u64>, Malformed> {
        is_there.then(|| self.u64()).transpose()
    }

    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Malformed::Content(self.kind))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// All that is left.
    #[inline]
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}

/// Appends numbers.
pub(crate) trait Put {
    fn put_u16(&mut self, number: u16);
    fn put_u32(&mut self, number: u32);
    fn put_u64(&mut self, number: u64);
}

impl Put for Vec<u8> {
    #[inline]
    fn put_u16(&mut self, number: u16) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    #[inline]
    fn put_u32(&mut self, number: u32) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    #[inline]
    fn put_u64(&mut self, number: u64) {
        self.extend_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
#[path = "wire_test.rs"]
mod tests;
