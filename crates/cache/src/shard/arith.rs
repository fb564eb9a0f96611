//! Counting up and down in a decimal number.

use base::kv::{Arith, Expiry, Item, Outcome, Recache, Sink, Value};

use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{self, Draft, FETCHED, STALE, TOKEN_SENT};

/// Digits of the largest number, 2⁶⁴ - 1.
const DIGITS_MAX: usize = 20;

/// A value of more bytes than this is no number, whatever it begins with; less than any chunk, so
/// that a number always lies with its item.
pub(crate) const NUMBER_LEN_MAX: usize = 512;

impl Shard {
    pub(super) fn arith<S: Sink>(
        &mut self,
        hash: KeyHash,
        op: &Arith<'_>,
        sink: &mut S,
    ) -> Outcome {
        let Some(found) = self.look_up(hash, op.key) else {
            return self.begin_number(hash, op, sink);
        };
        let header = found.header;
        let bytes = self.segs.at(found.loc);
        let cas = header.cas(bytes);
        if header.value_len == 0 {
            return Outcome::NonNumeric;
        }
        if op
            .compare_cas
            .is_some_and(|given| given != 0 && given != cas)
        {
            return Outcome::Exists;
        }
        let from = header.body_at();
        let len = header.value_len as usize;
        let short = len <= NUMBER_LEN_MAX;
        let Some(number) = short.then(|| number_of(&bytes[from..from + len])).flatten() else {
            return Outcome::NonNumeric;
        };
        if op.decrement {
            self.stats.decr_hits += 1;
        } else {
            self.stats.incr_hits += 1;
        }
        let number = if op.decrement {
            number.saturating_sub(op.delta)
        } else {
            number.wrapping_add(op.delta)
        };
        self.put_number(hash, op, found, number, sink)
    }

    /// Writes the number over the old one, padded with spaces behind if that was longer (as
    /// memcached does, and its protocol text says), or anew if it was shorter.
    fn put_number<S: Sink>(
        &mut self,
        hash: KeyHash,
        op: &Arith<'_>,
        found: Found,
        number: u64,
        sink: &mut S,
    ) -> Outcome {
        let header = found.header;
        let mut buffer = [0; DIGITS_MAX];
        let digits = digits_of(number, &mut buffer);
        let cas = self.fresh_cas(op.new_cas);
        let flags = header.flags(self.segs.at(found.loc));
        let expiry = op.touch.map_or(header.expiry, Expiry::unix_secs);
        let bytes = self.segs.at_mut(found.loc);
        let fits = digits.len() <= header.value_len as usize;
        if fits && header.set_cas(bytes, cas) {
            let value = &mut bytes[header.body_at()..][..header.value_len as usize];
            value.fill(b' ');
            value[..digits.len()].copy_from_slice(digits);
            item::set_expiry(bytes, expiry);
            self.segs.around(found.loc).note_expiry(expiry);
            self.note_access(&found, false);
        } else {
            let mut padded = [b' '; NUMBER_LEN_MAX];
            padded[..digits.len()].copy_from_slice(digits);
            let len = digits.len().max(header.value_len as usize);
            let draft = Draft {
                key: op.key,
                flags,
                expiry,
                cas,
                state: header.state & (FETCHED | STALE | TOKEN_SENT),
                value_len: len as u32,
                extent: None,
                tail: &padded[..len],
                now_s: self.now_s(),
            };
            if self.write(hash, Some(found), &draft).is_none() {
                self.stats.store_no_memory += 1;
                return Outcome::OutOfMemory;
            }
        }
        sink.item(&Item {
            value: Value::Inline(digits),
            flags,
            cas,
            expiry: Expiry::at_unix_secs(match op.expiry_before {
                true => header.expiry,
                false => expiry,
            }),
            idle_s: header.idle_s(self.now_s()),
            fetched: header.has(FETCHED),
            stale: header.has(STALE),
            recache: Recache::No,
        });
        Outcome::Hit
    }

    fn begin_number<S: Sink>(&mut self, hash: KeyHash, op: &Arith<'_>, sink: &mut S) -> Outcome {
        let Some((number, expiry)) = op.initial else {
            if op.decrement {
                self.stats.decr_misses += 1;
            } else {
                self.stats.incr_misses += 1;
            }
            return Outcome::NotFound;
        };
        let mut buffer = [0; DIGITS_MAX];
        let digits = digits_of(number, &mut buffer);
        let draft = Draft {
            key: op.key,
            flags: 0,
            expiry: expiry.unix_secs(),
            cas: self.fresh_cas(op.new_cas),
            state: 0,
            value_len: digits.len() as u32,
            extent: None,
            tail: digits,
            now_s: self.now_s(),
        };
        if self.write(hash, None, &draft).is_none() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        sink.item(&Item {
            value: Value::Inline(digits),
            flags: 0,
            cas: draft.cas,
            expiry: if op.expiry_before {
                Expiry::NEVER
            } else {
                expiry
            },
            idle_s: 0,
            fetched: false,
            stale: false,
            recache: Recache::No,
        });
        Outcome::Hit
    }
}

/// The number that a value begins with, as memcached's `safe_strtoull` reads it: white space, a
/// sign, digits, then white space, a zero byte or the end. Whatever follows is not looked at.
///
/// A minus counts down from 2⁶⁴, as C's `strtoull` has it; where that, or the digits, make a number
/// of 2⁶³ or more, a minus anywhere before a zero byte refuses it.
fn number_of(value: &[u8]) -> Option<u64> {
    let start = value.iter().position(|byte| !is_space(*byte))?;
    let (negative, digits) = match &value[start..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = digits.split_at(count);
    let ends = rest
        .first()
        .is_none_or(|byte| is_space(*byte) || *byte == 0);
    if digits.is_empty() || !ends {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, byte| {
        let digit = u64::from(byte - b'0');
        number.checked_mul(10)?.checked_add(digit)
    })?;
    let number = if negative {
        number.wrapping_neg()
    } else {
        number
    };
    let mut text = value.iter().take_while(|byte| **byte != 0);
    let refused = number > i64::MAX as u64 && text.any(|byte| *byte == b'-');
    (!refused).then_some(number)
}

/// What C's `isspace` takes for white space.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn digits_of(mut number: u64, buffer: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut at = DIGITS_MAX;
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 || at == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
#[path = "arith_test.rs"]
mod tests;
