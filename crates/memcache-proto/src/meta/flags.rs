//! The flags of meta commands; one reading for all of them, as memcached has it: a flag that means
//! nothing to a command is accepted by it.

use base::Timestamp;
use base::kv::Expiry;

use crate::text::errors::{
    BAD_ARITH_FLAG, BAD_FORMAT, BAD_TOKEN, DUPLICATE_FLAG, INVALID_FLAG, OPAQUE_TOO_LONG,
    TOO_MANY_FLAGS,
};
use crate::text::words::Words;
use crate::{exptime, number};

/// The most words of a line: command, key and flags (and length).
const WORDS_MAX: usize = 20;

/// The longest `O` flag with its letter, in bytes.
const OPAQUE_LEN_MAX: usize = 32;

/// What the flags of a line say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `b`: the key is base64.
    pub(super) base64: bool,
    /// `v`: the value is wanted.
    pub(super) value: bool,
    /// `q`: what everything-is-well would say is not written.
    pub(super) quiet: bool,
    /// `u`: not counted as an access.
    pub(super) peek: bool,
    /// `I`.
    pub(super) invalidate: bool,
    /// `x`.
    pub(super) clear_value: bool,
    /// `T`.
    pub(super) ttl: Option<Expiry>,
    /// `N`.
    pub(super) vivify: Option<Expiry>,
    /// `R`.
    pub(super) recache_below_s: Option<u32>,
    /// `F`.
    pub(super) client_flags: u32,
    /// `C`: of a change, the CAS that the item must have; of `mg`, the one whose value is known.
    pub(super) compare_cas: Option<u64>,
    /// `E`.
    pub(super) new_cas: Option<u64>,
    /// `M`: its letter, 0 if there is none behind it.
    pub(super) mode: Option<u8>,
    /// `J`.
    pub(super) initial: u64,
    /// `D`.
    pub(super) delta: Option<u64>,
}

impl Flags {
    /// Reads the flags of a line that has `words_before` words before them.
    ///
    /// # Errors
    /// The line to answer with.
    pub(super) fn read(
        text: &[u8],
        words_before: usize,
        now: Timestamp,
    ) -> Result<Self, &'static [u8]> {
        let mut flags = Self::default();
        let mut seen = 0u128;
        let mut count = words_before;
        let mut failure = None;
        for word in Words::of(text) {
            let Some((letter, token)) = word.split_first() else {
                continue;
            };
            if !matches!(letter, b'A'..=b'z' | b'0'..=b'9') {
                return Err(BAD_FORMAT);
            }
            if seen & (1 << letter) != 0 {
                failure = failure.or(Some(DUPLICATE_FLAG));
            }
            seen |= 1 << letter;
            count += 1;
            if let Err(line) = flags.take(*letter, token, now) {
                failure = failure.or(Some(line));
            }
        }
        match failure {
            _ if count > WORDS_MAX => Err(TOO_MANY_FLAGS),
            Some(line) => Err(line),
            None => Ok(flags),
        }
    }

    fn take(&mut self, letter: u8, token: &[u8], now: Timestamp) -> Result<(), &'static [u8]> {
        match letter {
            b'b' => self.base64 = true,
            b'v' => self.value = true,
            b'q' => self.quiet = true,
            b'u' => self.peek = true,
            b'I' => self.invalidate = true,
            b'x' => self.clear_value = true,
            b'k' | b's' | b't' | b'c' | b'f' | b'l' | b'h' | b'P' | b'L' => {}
            b'O' if token.len() < OPAQUE_LEN_MAX => {}
            b'O' => return Err(OPAQUE_TOO_LONG),
            b'T' => self.ttl = Some(exptime::expiry(seconds(token)?, now)),
            b'N' => self.vivify = Some(exptime::expiry(seconds(token)?, now)),
            b'R' => self.recache_below_s = Some(exptime::recache_below_s(seconds(token)?, now)),
            b'F' => self.client_flags = number::parse_u32(token).ok_or(BAD_FORMAT)?,
            b'C' => self.compare_cas = Some(number::parse_u64(token).ok_or(BAD_TOKEN)?),
            b'E' => self.new_cas = Some(number::parse_u64(token).ok_or(BAD_TOKEN)?),
            b'M' => self.mode = Some(token.first().copied().unwrap_or(0)),
            b'J' => self.initial = number::parse_u64(token).ok_or(BAD_ARITH_FLAG)?,
            b'D' => self.delta = Some(number::parse_u64(token).ok_or(BAD_ARITH_FLAG)?),
            _ => return Err(INVALID_FLAG),
        }
        Ok(())
    }
}

fn seconds(token: &[u8]) -> Result<i64, &'static [u8]> {
    number::parse_i32(token).map(i64::from).ok_or(BAD_TOKEN)
}

#[cfg(test)]
#[path = "flags_test.rs"]
mod tests;
