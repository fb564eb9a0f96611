//! How an item lies in memory: a packed header of 22 bytes, the key, and the value or its table.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | link to the next item of the chain |
//! | 4..8 | expiry in Unix seconds, 0 for never |
//! | 8..10 | value length; all ones: the value is in chunks |
//! | 10 | key length |
//! | 11 | state |
//! | 12..15 | last access in Unix seconds, modulo 2²⁴ |
//! | 15..22 | CAS; all ones: it is wide |
//!
//! Then the key, client flags in as few of 0, 1, 2 or 4 bytes as hold them, 8 bytes of CAS if it is
//! wide, and the value; or, if it is in chunks, which chunks, the value's length (16 bytes in all)
//! and the bytes behind them. The whole is padded to a multiple of [`UNIT`]. All numbers are little
//! endian.
//!
//! Beside key and value an item takes 22 bytes, its flags, up to 3 of padding, and its part of the
//! index: 5 bytes at most as long as there come more items than go.

/// Bytes of the fixed header.
pub(crate) const HEADER_LEN: usize = 22;

/// Items lie at multiples of this many bytes.
pub(crate) const UNIT: u32 = 4;

/// Two bits that count accesses, saturating (the frequency of S3-FIFO).
pub(crate) const FREQUENCY: u8 = 0b11;
/// It was fetched at least once.
pub(crate) const FETCHED: u8 = 1 << 2;
/// An invalidation marked it stale.
pub(crate) const STALE: u8 = 1 << 3;
/// One client was told to refill it.
pub(crate) const TOKEN_SENT: u8 = 1 << 4;
/// Two bits that say how many bytes of client flags follow the key: 0 to 2, or 4 if both are set.
const FLAGS_LEN: u8 = 0b11 << FLAGS_LEN_AT;
const FLAGS_LEN_AT: u32 = 5;
/// No chain leads here any more.
pub(crate) const DEAD: u8 = 1 << 7;

/// Bytes that say in which chunks a value begins.
const EXTENT_LEN: usize = 16;

/// In the place of a length: the value is in chunks. No longer value lies with its item.
const IN_CHUNKS: u16 = u16::MAX;
/// In the place of a CAS: it is wide.
const WIDE: u64 = (1 << 56) - 1;
const CAS_NARROW_MAX: u64 = WIDE - 1;
const SECS_MASK: u32 = (1 << 24) - 1;

/// Where the chunks of a value are: a run of those that a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The body's number.
    pub(crate) body: u32,
    /// The number of the run's first chunk.
    pub(crate) first: u32,
    /// Bytes of that chunk before the value begins.
    pub(crate) skip: u32,
}

/// The header's fields, unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) expiry: u32,
    pub(crate) value_len: u32,
    pub(crate) key_len: u8,
    pub(crate) state: u8,
    wide: bool,
    in_chunks: bool,
    last_access: u32,
    /// Bytes of the first chunk before the value begins.
    pub(crate) skip: u32,
}

impl Header {
    pub(crate) fn read(item: &[u8]) -> Self {
        let len = u16_at(item, LEN_AT);
        let mut header = Self {
            expiry: u32_at(item, 4),
            value_len: u32::from(len),
            key_len: item[KEY_LEN_AT],
            state: item[STATE_AT],
            wide: narrow_cas(item) == WIDE,
            in_chunks: len == IN_CHUNKS,
            last_access: u32_at(item, ACCESS_AT) & SECS_MASK,
            skip: 0,
        };
        if header.in_chunks {
            let at = header.body_at();
            header.skip = u32_at(item, at + 8);
            header.value_len = u32_at(item, at + 12);
        }
        header
    }

    /// Whether the value's beginning is in chunks.
    #[inline]
    pub(crate) const fn is_in_chunks(&self) -> bool {
        self.in_chunks
    }

    pub(crate) const fn has(&self, bits: u8) -> bool {
        self.state & bits != 0
    }

    /// Seconds since the last access, right up to 194 days.
    pub(crate) const fn idle_s(&self, now_s: u32) -> u32 {
        now_s.wrapping_sub(self.last_access) & SECS_MASK
    }

    /// Where the value begins, or what says in which chunks it is.
    pub(crate) const fn body_at(&self) -> usize {
        let cas_len = if self.wide { 8 } else { 0 };
        HEADER_LEN + self.key_len as usize + self.flags_len() + cas_len
    }

    const fn flags_len(&self) -> usize {
        (1 << ((self.state & FLAGS_LEN) >> FLAGS_LEN_AT)) >> 1
    }

    /// Which chunks the value begins in, for an item that has some.
    pub(crate) fn extent(&self, item: &[u8]) -> Option<Extent> {
        let at = self.body_at();
        self.in_chunks.then(|| Extent {
            body: u32_at(item, at),
            first: u32_at(item, at + 4),
            skip: self.skip,
        })
    }

    /// How many chunks hold the value's beginning.
    pub(crate) const fn chunks(&self, chunk_len: u32) -> u32 {
        if self.in_chunks {
            (self.skip + self.value_len) / chunk_len
        } else {
            0
        }
    }

    /// How many of the value's bytes are with the item.
    pub(crate) const fn tail_len(&self, chunk_len: u32) -> u32 {
        self.skip + self.value_len - self.chunks(chunk_len) * chunk_len
    }

    /// Those bytes.
    pub(crate) fn tail<'a>(&self, item: &'a [u8], chunk_len: u32) -> &'a [u8] {
        let extent_len = if self.in_chunks { EXTENT_LEN } else { 0 };
        let from = self.body_at() + extent_len;
        &item[from..from + self.tail_len(chunk_len) as usize]
    }

    /// Bytes that the item takes in its segment.
    pub(crate) const fn footprint(&self, chunk_len: u32) -> u32 {
        let extent_len = if self.in_chunks { EXTENT_LEN as u32 } else { 0 };
        let len = self.body_at() as u32 + extent_len + self.tail_len(chunk_len);
        len.next_multiple_of(UNIT)
    }

    /// The key of the item that this header was read from.
    pub(crate) fn key<'a>(&self, item: &'a [u8]) -> &'a [u8] {
        &item[HEADER_LEN..HEADER_LEN + self.key_len as usize]
    }

    pub(crate) fn flags(&self, item: &[u8]) -> u32 {
        let at = HEADER_LEN + usize::from(self.key_len);
        match self.flags_len() {
            0 => 0,
            1 => u32::from(item[at]),
            2 => u32::from(u16_at(item, at)),
            _ => u32_at(item, at),
        }
    }

    pub(crate) fn cas(&self, item: &[u8]) -> u64 {
        if self.wide {
            u64_at(item, self.body_at() - 8)
        } else {
            narrow_cas(item)
        }
    }

    /// Gives the item this CAS where it is; false if it is too wide for its place.
    #[must_use]
    pub(crate) fn set_cas(&self, item: &mut [u8], cas: u64) -> bool {
        if self.wide {
            let at = self.body_at() - 8;
            item[at..at + 8].copy_from_slice(&cas.to_le_bytes());
            return true;
        }
        if cas > CAS_NARROW_MAX {
            return false;
        }
        item[CAS_AT..HEADER_LEN].copy_from_slice(&cas.to_le_bytes()[..7]);
        true
    }
}

/// The link to the next item of the chain.
pub(crate) fn next(item: &[u8]) -> u32 {
    u32_at(item, 0)
}

pub(crate) fn set_next(item: &mut [u8], link: u32) {
    item[..4].copy_from_slice(&link.to_le_bytes());
}

pub(crate) fn set_expiry(item: &mut [u8], expiry: u32) {
    item[4..8].copy_from_slice(&expiry.to_le_bytes());
}

const LEN_AT: usize = 8;
const KEY_LEN_AT: usize = 10;
/// Where the state is.
pub(crate) const STATE_AT: usize = 11;
const ACCESS_AT: usize = 12;
const CAS_AT: usize = 15;

fn narrow_cas(item: &[u8]) -> u64 {
    u64_at(item, CAS_AT - 1) >> 8
}

pub(crate) fn set_state(item: &mut [u8], state: u8) {
    item[STATE_AT] = state;
}

pub(crate) fn set_last_access(item: &mut [u8], now_s: u32) {
    item[ACCESS_AT..CAS_AT].copy_from_slice(&now_s.to_le_bytes()[..3]);
}

/// The state after one more access.
pub(crate) const fn counted(state: u8) -> u8 {
    if state & FREQUENCY == FREQUENCY {
        state
    } else {
        state + 1
    }
}

/// Whether the key of the item is this one.
pub(crate) fn has_key(item: &[u8], key: &[u8]) -> bool {
    usize::from(item[KEY_LEN_AT]) == key.len() && item[HEADER_LEN..].starts_with(key)
}

/// Marks `len` bytes, at least a header's, as a dead item that a walk steps over.
pub(crate) fn write_filler(item: &mut [u8], len: usize) {
    item[..HEADER_LEN].fill(0);
    let value_len = (len - HEADER_LEN) as u16;
    item[LEN_AT..KEY_LEN_AT].copy_from_slice(&value_len.to_le_bytes());
    item[STATE_AT] = DEAD;
}

/// An item to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) expiry: u32,
    pub(crate) cas: u64,
    /// Frequency, fetched, stale and token; the rest follows from the other fields.
    pub(crate) state: u8,
    pub(crate) value_len: u32,
    /// The chunks of its beginning, none for a value that lies with the item.
    pub(crate) extent: Option<Extent>,
    /// The bytes that are not in chunks.
    pub(crate) tail: &'a [u8],
    pub(crate) now_s: u32,
}

impl Draft<'_> {
    fn body_at(&self) -> usize {
        let cas_len = if self.cas > CAS_NARROW_MAX { 8 } else { 0 };
        HEADER_LEN + self.key.len() + self.flags_len() + cas_len
    }

    fn flags_len(&self) -> usize {
        match self.flags {
            0 => 0,
            1..=0xff => 1,
            0x100..=0xffff => 2,
            _ => 4,
        }
    }

    /// Bytes that it will take.
    pub(crate) fn footprint(&self) -> u32 {
        let extent_len = self.extent.map_or(0, |_| EXTENT_LEN);
        let len = self.body_at() + extent_len + self.tail.len();
        (len as u32).next_multiple_of(UNIT)
    }

    /// Writes all but the link.
    pub(crate) fn write(&self, item: &mut [u8]) {
        let wide = self.cas > CAS_NARROW_MAX;
        let mut state = self.state & (FREQUENCY | FETCHED | STALE | TOKEN_SENT);
        let mut at = HEADER_LEN;
        let mut put = |item: &mut [u8], bytes: &[u8]| {
            item[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        put(item, self.key);
        let flags = self.flags.to_le_bytes();
        match self.flags_len() {
            0 => {}
            1 => {
                state |= 1 << FLAGS_LEN_AT;
                put(item, &flags[..1]);
            }
            2 => {
                state |= 2 << FLAGS_LEN_AT;
                put(item, &flags[..2]);
            }
            _ => {
                state |= FLAGS_LEN;
                put(item, &flags);
            }
        }
        if wide {
            put(item, &self.cas.to_le_bytes());
        }
        if let Some(Extent { body, first, skip }) = self.extent {
            put(item, &body.to_le_bytes());
            put(item, &first.to_le_bytes());
            put(item, &skip.to_le_bytes());
            put(item, &self.value_len.to_le_bytes());
        }
        put(item, self.tail);
        let len = self.extent.map_or(self.value_len as u16, |_| IN_CHUNKS);
        let cas = if wide { WIDE } else { self.cas };
        item[4..8].copy_from_slice(&self.expiry.to_le_bytes());
        item[LEN_AT..KEY_LEN_AT].copy_from_slice(&len.to_le_bytes());
        item[KEY_LEN_AT] = self.key.len() as u8;
        item[STATE_AT] = state;
        item[CAS_AT..HEADER_LEN].copy_from_slice(&cas.to_le_bytes()[..7]);
        set_last_access(item, self.now_s);
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
#[path = "item_test.rs"]
mod tests;
