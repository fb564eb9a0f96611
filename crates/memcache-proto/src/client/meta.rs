//! Requests in meta commands. Flags are given as they stand on the line, parted by spaces.

use super::Set;
use crate::number;

/// The opaque that marks a key of a [`multi_get`]: its answer is part of one reply.
pub(super) const BATCH_MARK: &[u8] = b"Ob";

/// `mg` for the value.
#[inline]
pub fn get(key: &[u8], out: &mut Vec<u8>) {
    get_with(key, b"v", out);
}

/// `mg` with these flags.
#[inline]
pub fn get_with(key: &[u8], flags: &[u8], out: &mut Vec<u8>) {
    push_line(b"mg ", key, flags, out);
}

/// Quiet `mg`s for the values, and a `mn` behind them.
pub fn multi_get(keys: &[&[u8]], out: &mut Vec<u8>) {
    for key in keys {
        out.extend_from_slice(b"mg ");
        out.extend_from_slice(key);
        out.extend_from_slice(b" v q ");
        out.extend_from_slice(BATCH_MARK);
        out.extend_from_slice(b"\r\n");
    }
    noop(out);
}

/// `ms` with these flags besides `F` and `T`.
#[inline]
pub fn set(set: &Set<'_>, flags: &[u8], out: &mut Vec<u8>) {
    out.reserve(set.key.len() + set.value.len() + 64);
    out.extend_from_slice(b"ms ");
    out.extend_from_slice(set.key);
    out.push(b' ');
    number::push(out, set.value.len() as u64);
    for (letter, number) in [(b'F', set.flags), (b'T', set.exptime)] {
        if number != 0 {
            out.extend_from_slice(&[b' ', letter]);
            number::push(out, u64::from(number));
        }
    }
    push_flags(flags, out);
    out.extend_from_slice(set.value);
    out.extend_from_slice(b"\r\n");
}

/// `md` with these flags.
pub fn delete(key: &[u8], flags: &[u8], out: &mut Vec<u8>) {
    push_line(b"md ", key, flags, out);
}

/// `ma` with these flags.
pub fn arith(key: &[u8], flags: &[u8], out: &mut Vec<u8>) {
    push_line(b"ma ", key, flags, out);
}

/// `me`.
pub fn debug(key: &[u8], out: &mut Vec<u8>) {
    push_line(b"me ", key, b"", out);
}

/// `mn`.
pub fn noop(out: &mut Vec<u8>) {
    out.extend_from_slice(b"mn\r\n");
}

#[inline]
fn push_line(command: &[u8], key: &[u8], flags: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(command);
    out.extend_from_slice(key);
    push_flags(flags, out);
}

#[inline]
fn push_flags(flags: &[u8], out: &mut Vec<u8>) {
    if !flags.is_empty() {
        out.push(b' ');
        out.extend_from_slice(flags);
    }
    out.extend_from_slice(b"\r\n");
}
