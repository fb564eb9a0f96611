//! The flags of meta commands; one reading for all of them, as memcached has it: a flag that means
//! nothing to a command is accepted by it.

use base::Timestamp;
use base::kv::Expiry;

use crate::text::errors::{
    BAD_DELTA_FLAG, BAD_FORMAT, BAD_INITIAL_FLAG, BAD_TOKEN, DUPLICATE_FLAG, INVALID_FLAG,
    OPAQUE_TOO_LONG, TOO_MANY_FLAGS,
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
    /// Of `T` and `N`, `N` is the first.
    pub(super) vivify_first: bool,
    /// `R`.
    pub(super) recache_below_s: Option<u32>,
    /// `T` stands before `R`.
    pub(super) touch_first: bool,
    /// `t` stands before `T` and `N`.
    pub(super) expiry_before: bool,
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
        let mut is_opaque_long = false;
        for word in Words::of(text) {
            let Some((letter, token)) = word.split_first() else {
                continue;
            };
            if !matches!(letter, b'A'..=b'z' | b'0'..=b'9') {
                return Err(BAD_FORMAT);
            }
            count += 1;
            if matches!(failure, Some(DUPLICATE_FLAG | INVALID_FLAG)) {
                continue;
            }
            let is_repeated = seen & (1 << letter) != 0;
            let taken = match is_repeated {
                true => Err(DUPLICATE_FLAG),
                false => flags.take(*letter, token, seen, now),
            };
            seen |= 1 << letter;
            match taken {
                Ok(()) => {}
                Err(OPAQUE_TOO_LONG) => is_opaque_long = true,
                // It has no line of its own and leaves that of an earlier one.
                Err(BAD_FORMAT) => failure = failure.or(Some(BAD_FORMAT)),
                Err(line) => failure = Some(line),
            }
        }
        match failure {
            _ if count > WORDS_MAX => Err(TOO_MANY_FLAGS),
            Some(line) => Err(line),
            None if is_opaque_long => Err(OPAQUE_TOO_LONG),
            None => Ok(flags),
        }
    }

    /// The end of an item that is created for `N`: that of `T` if it stands behind it.
    pub(super) fn end_of_new(&self) -> Option<Expiry> {
        let touch = self.ttl.filter(|_| self.vivify_first);
        self.vivify.map(|end| touch.unwrap_or(end))
    }

    /// Takes one flag; `seen` has a bit for each letter before it.
    fn take(
        &mut self,
        letter: u8,
        token: &[u8],
        seen: u128,
        now: Timestamp,
    ) -> Result<(), &'static [u8]> {
        let has = |letter: u8| seen & (1 << letter) != 0;
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
            b'T' => {
                self.ttl = Some(exptime::expiry(seconds(token)?, now));
                self.vivify_first = has(b'N');
                self.expiry_before |= has(b't') && !has(b'N');
            }
            b'N' => {
                self.vivify = Some(exptime::expiry(seconds(token)?, now));
                self.expiry_before |= has(b't') && !has(b'T');
            }
            b'R' => {
                self.recache_below_s = Some(exptime::recache_below_s(seconds(token)?, now));
                self.touch_first = has(b'T');
            }
            b'F' => self.client_flags = number::parse_u32(token).ok_or(BAD_FORMAT)?,
            b'C' => self.compare_cas = Some(number::parse_u64(token).ok_or(BAD_TOKEN)?),
            b'E' => self.new_cas = Some(number::parse_u64(token).ok_or(BAD_TOKEN)?),
            b'M' => self.mode = Some(token.first().copied().unwrap_or(0)),
            b'J' => self.initial = number::parse_u64(token).ok_or(BAD_INITIAL_FLAG)?,
            b'D' => self.delta = Some(number::parse_u64(token).ok_or(BAD_DELTA_FLAG)?),
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
