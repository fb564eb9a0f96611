//! The client's side, for load generators and tests: requests as bytes, and replies counted.

pub mod binary;
pub mod meta;
mod replies;
pub mod text;

pub use replies::{Parsed, Replies, Reply, Status};

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The classic text commands.
    Text,
    /// The meta commands.
    Meta,
    /// The binary protocol.
    Binary,
}

/// A value to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set<'a> {
    /// The key: 1 to 250 bytes, none of them a space or a control character but in binary.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// The client's own 32 bits.
    pub flags: u32,
    /// When it ends: 0 never, up to 30 days in seconds from now, above that a Unix time; at most
    /// 2³¹-1 but in binary.
    pub exptime: u32,
}

/// The requests that all protocols have; each appends to `out` and makes exactly one [`Reply`].
impl Protocol {
    /// Retrieve one key: a hit counts in [`Reply::hits`].
    #[inline]
    pub fn get(self, key: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text => text::get(&[key], out),
            Self::Meta => meta::get(key, out),
            Self::Binary => binary::get(key, out),
        }
    }

    /// Retrieve several keys at once: the hits count in [`Reply::hits`].
    pub fn multi_get(self, keys: &[&[u8]], out: &mut Vec<u8>) {
        match self {
            Self::Text => text::get(keys, out),
            Self::Meta => meta::multi_get(keys, out),
            Self::Binary => binary::multi_get(keys, out),
        }
    }

    /// Store a value.
    #[inline]
    pub fn set(self, set: &Set<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Text => text::store(b"set", set, out),
            Self::Meta => meta::set(set, b"", out),
            Self::Binary => binary::set(set, 0, out),
        }
    }

    /// Remove a key.
    pub fn delete(self, key: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text => text::delete(key, out),
            Self::Meta => meta::delete(key, b"", out),
            Self::Binary => binary::delete(key, 0, out),
        }
    }

    /// Say who one is: `user password` in a `set`, or SASL PLAIN.
    pub fn auth(self, username: &[u8], password: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text | Self::Meta => text::auth(username, password, out),
            Self::Binary => binary::auth(username, password, out),
        }
    }

    /// A request that touches no key, to see whether anybody is there.
    pub fn noop(self, out: &mut Vec<u8>) {
        match self {
            Self::Text => text::version(out),
            Self::Meta => meta::noop(out),
            Self::Binary => binary::noop(out),
        }
    }
}

#[cfg(test)]
#[path = "client_test.rs"]
mod tests;
