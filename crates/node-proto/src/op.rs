//! Operations on keys, in the content of a request.

use base::kv::{Arith, Delete, Expiry, Get, KEY_LEN_MAX, Op, Store, StoreMode};

use crate::wire::{Fields, Header, Put};
use crate::{Malformed, PIECE_LEN_MAX};

const GET: u8 = 1;
const STORE: u8 = 2;
const DELETE: u8 = 3;
const ARITH: u8 = 4;
/// A store whose value follows in pieces.
const STORE_LARGE: u8 = 5;

/// Which of the optional fields there are, and what is told by one bit. They follow in this order.
mod bit {
    pub(super) const FLAG_0: u16 = 1;
    pub(super) const FLAG_1: u16 = 1 << 1;
    pub(super) const CAS: u16 = 1 << 2;
    pub(super) const NEW_CAS: u16 = 1 << 3;
    pub(super) const END: u16 = 1 << 4;
    pub(super) const OTHER: u16 = 1 << 5;
    pub(super) const RECACHE: u16 = 1 << 6;
    pub(super) const TOUCH_FIRST: u16 = 1 << 7;
    pub(super) const EXPIRY_BEFORE: u16 = 1 << 8;
    pub(super) const MAY_RECACHE: u16 = 1 << 9;
}

/// The code of an operation, of which `large_len` is the value's length if that follows in pieces.
pub(crate) fn code(op: &Op<'_>, large_len: Option<u32>) -> u8 {
    match (op, large_len) {
        (Op::Get(_), _) => GET,
        (Op::Store(_), None) => STORE,
        (Op::Store(_), Some(_)) => STORE_LARGE,
        (Op::Delete(_), _) => DELETE,
        (Op::Arith(_), _) => ARITH,
    }
}

/// The optional fields that an operation has.
#[inline]
pub(crate) fn bits(op: &Op<'_>) -> u16 {
    let set = |bit, is_set: bool| if is_set { bit } else { 0 };
    match op {
        Op::Get(op) => {
            set(bit::FLAG_0, op.value)
                | set(bit::FLAG_1, op.peek)
                | set(bit::CAS, op.known_cas.is_some())
                | set(bit::NEW_CAS, op.new_cas.is_some())
                | set(bit::END, op.touch.is_some())
                | set(bit::OTHER, op.vivify.is_some())
                | set(bit::RECACHE, op.recache_below_s.is_some())
                | set(bit::TOUCH_FIRST, op.touch_first)
                | set(bit::EXPIRY_BEFORE, op.expiry_before)
                | set(bit::MAY_RECACHE, op.may_recache)
        }
        Op::Store(op) => {
            set(bit::FLAG_0, op.invalidate)
                | set(bit::CAS, op.compare_cas.is_some())
                | set(bit::NEW_CAS, op.new_cas.is_some())
                | set(bit::OTHER, op.vivify.is_some())
        }
        Op::Delete(op) => {
            set(bit::FLAG_0, op.invalidate)
                | set(bit::FLAG_1, op.clear_value)
                | set(bit::CAS, op.compare_cas.is_some())
                | set(bit::NEW_CAS, op.new_cas.is_some())
                | set(bit::END, op.touch.is_some())
        }
        Op::Arith(op) => {
            set(bit::FLAG_0, op.decrement)
                | set(bit::CAS, op.compare_cas.is_some())
                | set(bit::NEW_CAS, op.new_cas.is_some())
                | set(bit::END, op.touch.is_some())
                | set(bit::OTHER, op.initial.is_some())
                | set(bit::EXPIRY_BEFORE, op.expiry_before)
        }
    }
}

pub(crate) fn mode_number(op: &Op<'_>) -> u8 {
    match op {
        Op::Store(store) => match store.mode {
            StoreMode::Set => 0,
            StoreMode::Add => 1,
            StoreMode::Replace => 2,
            StoreMode::Append => 3,
            StoreMode::Prepend => 4,
        },
        _ => 0,
    }
}

fn mode_of(number: u8) -> Option<StoreMode> {
    Some(match number {
        0 => StoreMode::Set,
        1 => StoreMode::Add,
        2 => StoreMode::Replace,
        3 => StoreMode::Append,
        4 => StoreMode::Prepend,
        _ => return None,
    })
}

/// Appends an operation's fields, its key and its value.
#[inline]
pub(crate) fn encode(op: &Op<'_>, large_len: Option<u32>, out: &mut Vec<u8>) {
    let (cas, new_cas) = match op {
        Op::Get(op) => (op.known_cas, op.new_cas),
        Op::Store(op) => (op.compare_cas, op.new_cas),
        Op::Delete(op) => (op.compare_cas, op.new_cas),
        Op::Arith(op) => (op.compare_cas, op.new_cas),
    };
    for cas in [cas, new_cas].into_iter().flatten() {
        out.put_u64(cas);
    }
    let put_end = |end: Option<Expiry>, out: &mut Vec<u8>| {
        if let Some(end) = end {
            out.put_u32(end.unix_secs());
        }
    };
    match op {
        Op::Get(op) => {
            put_end(op.touch, out);
            put_end(op.vivify, out);
            if let Some(secs) = op.recache_below_s {
                out.put_u32(secs);
            }
        }
        Op::Store(op) => {
            put_end(op.vivify, out);
            out.put_u32(op.flags);
            out.put_u32(op.expiry.unix_secs());
            if let Some(len) = large_len {
                out.put_u32(len);
            }
        }
        Op::Delete(op) => put_end(op.touch, out),
        Op::Arith(op) => {
            put_end(op.touch, out);
            if let Some((number, end)) = op.initial {
                out.put_u64(number);
                out.put_u32(end.unix_secs());
            }
            out.put_u64(op.delta);
        }
    }
    out.extend_from_slice(op.key());
    if let (Op::Store(op), None) = (op, large_len) {
        out.extend_from_slice(op.value);
    }
}

/// Reads what [`encode`] wrote; the operation, and the value's length if that follows in pieces.
#[inline]
pub(crate) fn decode<'a>(
    header: &Header,
    bits: u16,
    fields: &mut Fields<'a>,
) -> Result<(Op<'a>, Option<u32>), Malformed> {
    let has = |bit: u16| bits & bit != 0;
    let key_len = usize::from(header.a);
    if !(1..=KEY_LEN_MAX).contains(&key_len) {
        return Err(fields.malformed());
    }
    let cas = fields.u64_if(has(bit::CAS))?;
    let new_cas = fields.u64_if(has(bit::NEW_CAS))?;
    let touch = fields.u32_if(has(bit::END))?.map(Expiry::at_unix_secs);
    let mut large_len = None;
    let op = match header.code {
        GET => {
            let vivify = fields.u32_if(has(bit::OTHER))?.map(Expiry::at_unix_secs);
            let recache_below_s = fields.u32_if(has(bit::RECACHE))?;
            Op::Get(Get {
                key: fields.bytes(key_len)?,
                value: has(bit::FLAG_0),
                known_cas: cas,
                touch,
                vivify,
                may_recache: has(bit::MAY_RECACHE),
                recache_below_s,
                touch_first: has(bit::TOUCH_FIRST),
                expiry_before: has(bit::EXPIRY_BEFORE),
                new_cas,
                peek: has(bit::FLAG_1),
            })
        }
        STORE | STORE_LARGE => {
            let vivify = fields.u32_if(has(bit::OTHER))?.map(Expiry::at_unix_secs);
            let (flags, expiry) = (fields.u32()?, Expiry::at_unix_secs(fields.u32()?));
            large_len = fields.u32_if(header.code == STORE_LARGE)?;
            let key = fields.bytes(key_len)?;
            let value = fields.rest();
            let is_too_long = value.len() > PIECE_LEN_MAX;
            if is_too_long || large_len.is_some() && !value.is_empty() {
                return Err(fields.malformed());
            }
            Op::Store(Store {
                key,
                value,
                flags,
                expiry,
                mode: mode_of(header.b).ok_or_else(|| fields.malformed())?,
                compare_cas: cas,
                new_cas,
                invalidate: has(bit::FLAG_0),
                vivify,
            })
        }
        DELETE => Op::Delete(Delete {
            key: fields.bytes(key_len)?,
            compare_cas: cas,
            new_cas,
            invalidate: has(bit::FLAG_0),
            touch,
            clear_value: has(bit::FLAG_1),
        }),
        ARITH => {
            let initial = match has(bit::OTHER) {
                true => Some((fields.u64()?, Expiry::at_unix_secs(fields.u32()?))),
                false => None,
            };
            let delta = fields.u64()?;
            Op::Arith(Arith {
                key: fields.bytes(key_len)?,
                delta,
                decrement: has(bit::FLAG_0),
                initial,
                touch,
                expiry_before: has(bit::EXPIRY_BEFORE),
                compare_cas: cas,
                new_cas,
            })
        }
        _ => return Err(fields.malformed()),
    };
    match fields.rest().is_empty() {
        true => Ok((op, large_len)),
        false => Err(fields.malformed()),
    }
}

#[cfg(test)]
#[path = "op_test.rs"]
mod tests;
