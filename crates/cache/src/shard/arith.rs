//! Counting up and down in a decimal number.

use base::kv::{Arith, Expiry, Item, Outcome, Recache, Sink, Value};

use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{self, Draft, FETCHED, STALE, TOKEN_SENT};

/// Digits of the largest number, 2⁶⁴ - 1.
const DIGITS_MAX: usize = 20;

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
        if op
            .compare_cas
            .is_some_and(|given| given != 0 && given != cas)
        {
            return Outcome::Exists;
        }
        let from = header.body_at();
        let inline = !header.has(item::EXTENTS);
        let value = &bytes[from..from + if inline { header.value_len as usize } else { 0 }];
        let Some(number) = number_of(value) else {
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
            let mut padded = [b' '; 2 * DIGITS_MAX];
            padded[..digits.len()].copy_from_slice(digits);
            let len = digits
                .len()
                .max(header.value_len as usize)
                .min(padded.len());
            let draft = Draft {
                key: op.key,
                flags,
                expiry,
                cas,
                state: header.state & (FETCHED | STALE | TOKEN_SENT),
                value_len: len as u32,
                slots: &[],
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
            expiry: Expiry::at_unix_secs(expiry),
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
        let expiry = op.touch.unwrap_or(expiry);
        let mut buffer = [0; DIGITS_MAX];
        let digits = digits_of(number, &mut buffer);
        let draft = Draft {
            key: op.key,
            flags: 0,
            expiry: expiry.unix_secs(),
            cas: self.fresh_cas(op.new_cas),
            state: 0,
            value_len: digits.len() as u32,
            slots: &[],
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
            expiry,
            idle_s: 0,
            fetched: false,
            stale: false,
            recache: Recache::No,
        });
        Outcome::Hit
    }
}

/// The number that a value is: up to 20 digits that fit 64 bits, with spaces behind allowed.
fn number_of(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii_end();
    if digits.is_empty() || digits.len() > DIGITS_MAX || value.len() > 2 * DIGITS_MAX {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
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
