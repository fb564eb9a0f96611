//! Requests in binary.

use super::Set;
use crate::binary::MECHANISMS;
use crate::binary::header::{HEADER_LEN, MAGIC, opcode};

/// A packet to be encoded, for requests that have no function of their own here, and for those
/// that are wrong on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The command's number.
    pub opcode: u8,
    /// The extras: at most 255 bytes, what is more is cut off.
    pub extras: &'a [u8],
    /// The key: at most 65,535 bytes, what is more is cut off.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// Given back with the reply.
    pub opaque: u32,
    /// The CAS to compare, 0 for none.
    pub cas: u64,
}

impl Packet<'_> {
    /// Appends it.
    #[inline]
    pub fn push(&self, out: &mut Vec<u8>) {
        let extras = &self.extras[..self.extras.len().min(usize::from(u8::MAX))];
        let key = &self.key[..self.key.len().min(usize::from(u16::MAX))];
        let body_len = extras.len() + key.len() + self.value.len();
        let mut header = [0; HEADER_LEN];
        header[0] = MAGIC;
        header[1] = self.opcode;
        header[2..4].copy_from_slice(&(key.len() as u16).to_be_bytes());
        header[4] = extras.len() as u8;
        header[8..12].copy_from_slice(&u32::try_from(body_len).unwrap_or(u32::MAX).to_be_bytes());
        header[12..16].copy_from_slice(&self.opaque.to_be_bytes());
        header[16..24].copy_from_slice(&self.cas.to_be_bytes());
        for part in [&header[..], extras, key, self.value] {
            out.extend_from_slice(part);
        }
    }
}

/// `Get`.
#[inline]
pub fn get(key: &[u8], out: &mut Vec<u8>) {
    keyed(opcode::GET, key, 0, out);
}

/// Quiet gets, and a no-op behind them.
pub fn multi_get(keys: &[&[u8]], out: &mut Vec<u8>) {
    for key in keys {
        keyed(opcode::GETKQ, key, 0, out);
    }
    noop(out);
}

/// `Set`, if the item has this CAS or `cas` is 0.
#[inline]
pub fn set(set: &Set<'_>, cas: u64, out: &mut Vec<u8>) {
    store(opcode::SET, set, cas, out);
}

/// `Add`.
pub fn add(set: &Set<'_>, out: &mut Vec<u8>) {
    store(opcode::ADD, set, 0, out);
}

/// `Replace`, if the item has this CAS or `cas` is 0.
pub fn replace(set: &Set<'_>, cas: u64, out: &mut Vec<u8>) {
    store(opcode::REPLACE, set, cas, out);
}

/// `Append`.
pub fn append(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    joined(opcode::APPEND, key, value, out);
}

/// `Prepend`.
pub fn prepend(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    joined(opcode::PREPEND, key, value, out);
}

/// `Delete`, if the item has this CAS or `cas` is 0.
pub fn delete(key: &[u8], cas: u64, out: &mut Vec<u8>) {
    keyed(opcode::DELETE, key, cas, out);
}

/// `Increment`; what is not there is created with `initial` if there is one.
pub fn increment(key: &[u8], delta: u64, initial: Option<u64>, out: &mut Vec<u8>) {
    arith(opcode::INCREMENT, key, delta, initial, out);
}

/// `Decrement`; what is not there is created with `initial` if there is one.
pub fn decrement(key: &[u8], delta: u64, initial: Option<u64>, out: &mut Vec<u8>) {
    arith(opcode::DECREMENT, key, delta, initial, out);
}

/// `Touch`.
pub fn touch(key: &[u8], exptime: u32, out: &mut Vec<u8>) {
    expiring(opcode::TOUCH, key, exptime, out);
}

/// Get and touch.
pub fn gat(key: &[u8], exptime: u32, out: &mut Vec<u8>) {
    expiring(opcode::GAT, key, exptime, out);
}

/// `Stat`, general for an empty name.
pub fn stats(name: &[u8], out: &mut Vec<u8>) {
    keyed(opcode::STAT, name, 0, out);
}

/// `Flush`.
pub fn flush(out: &mut Vec<u8>) {
    keyed(opcode::FLUSH, b"", 0, out);
}

/// `Version`.
pub fn version(out: &mut Vec<u8>) {
    keyed(opcode::VERSION, b"", 0, out);
}

/// `No-op`.
pub fn noop(out: &mut Vec<u8>) {
    keyed(opcode::NOOP, b"", 0, out);
}

/// `Quit`.
pub fn quit(out: &mut Vec<u8>) {
    keyed(opcode::QUIT, b"", 0, out);
}

/// SASL PLAIN in one step.
pub fn auth(username: &[u8], password: &[u8], out: &mut Vec<u8>) {
    let message = [b"\0", username, b"\0", password].concat();
    joined(opcode::SASL_AUTH, MECHANISMS, &message, out);
}

/// The list of SASL mechanisms.
pub fn list_mechanisms(out: &mut Vec<u8>) {
    keyed(opcode::SASL_LIST, b"", 0, out);
}

#[inline]
fn keyed(opcode: u8, key: &[u8], cas: u64, out: &mut Vec<u8>) {
    let packet = Packet {
        opcode,
        key,
        cas,
        ..Packet::default()
    };
    packet.push(out);
}

fn joined(opcode: u8, key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let packet = Packet {
        opcode,
        key,
        value,
        ..Packet::default()
    };
    packet.push(out);
}

#[inline]
fn store(opcode: u8, set: &Set<'_>, cas: u64, out: &mut Vec<u8>) {
    let mut extras = [0; 8];
    extras[..4].copy_from_slice(&set.flags.to_be_bytes());
    extras[4..].copy_from_slice(&set.exptime.to_be_bytes());
    let packet = Packet {
        opcode,
        extras: &extras,
        key: set.key,
        value: set.value,
        cas,
        ..Packet::default()
    };
    packet.push(out);
}

fn expiring(opcode: u8, key: &[u8], exptime: u32, out: &mut Vec<u8>) {
    let packet = Packet {
        opcode,
        extras: &exptime.to_be_bytes(),
        key,
        ..Packet::default()
    };
    packet.push(out);
}

fn arith(opcode: u8, key: &[u8], delta: u64, initial: Option<u64>, out: &mut Vec<u8>) {
    let mut extras = [0; 20];
    extras[..8].copy_from_slice(&delta.to_be_bytes());
    extras[8..16].copy_from_slice(&initial.unwrap_or(0).to_be_bytes());
    let expiration = if initial.is_some() { 0 } else { u32::MAX };
    extras[16..].copy_from_slice(&expiration.to_be_bytes());
    let packet = Packet {
        opcode,
        extras: &extras,
        key,
        ..Packet::default()
    };
    packet.push(out);
}
