//! Guesses which keys the requests that have come name, so that their items can be fetched ahead.

use base::kv::KEY_LEN_MAX;

use crate::number::parse_u32;
use crate::text::words::Words;

const BINARY_MAGIC: u8 = 0x80;
const BINARY_HEADER_LEN: usize = 24;

/// The keys that the requests in `input` seem to name, in whichever dialect, one request after the
/// other.
///
/// Nothing is checked: a wrong guess costs its fetch and no more, for whatever is served is decoded
/// anew.
pub(crate) fn peek_keys(input: &[u8]) -> Keys<'_> {
    Keys {
        rest: input,
        words: Words::of(&[]),
        left: 0,
    }
}

/// The same of input that begins in the middle of a list of keys.
pub(crate) fn peek_list(input: &[u8]) -> Keys<'_> {
    let (words, rest) = first_line(input);
    let left = usize::MAX;
    Keys { rest, words, left }
}

/// Words that seem to be keys.
#[derive(Clone, Debug)]
pub struct Keys<'i> {
    /// What stands behind the present request.
    rest: &'i [u8],
    /// Of the present request, if it is a line.
    words: Words<'i>,
    /// How many of them are keys.
    left: usize,
}

impl<'i> Iterator for Keys<'i> {
    type Item = &'i [u8];

    #[inline]
    fn next(&mut self) -> Option<&'i [u8]> {
        loop {
            if self.left > 0
                && let Some(word) = self.words.next()
            {
                self.left -= 1;
                return (word.len() <= KEY_LEN_MAX).then_some(word);
            }
            match self.rest.first()? {
                &BINARY_MAGIC => {
                    if let Some(key) = self.binary_request()? {
                        return Some(key);
                    }
                }
                _ => self.line(),
            }
        }
    }
}

impl<'i> Keys<'i> {
    /// Goes on to the next line, and past the value that follows it.
    #[inline]
    fn line(&mut self) {
        let (words, rest) = first_line(self.rest);
        (self.words, self.rest) = (words, rest);
        let verb = self.words.next();
        self.left = match verb {
            Some(b"get" | b"gets") => usize::MAX,
            Some(b"gat" | b"gats") => self.words.next().map_or(0, |_| usize::MAX),
            Some(_) => 1,
            None => 0,
        };
        let len_at = match verb {
            Some(b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas") => 3,
            Some(b"ms") => 1,
            _ => return,
        };
        let len = self.words.clone().nth(len_at).and_then(parse_u32);
        let value_len = len.map_or(0, |len| len as usize + b"\r\n".len());
        self.rest = rest.get(value_len..).unwrap_or_default();
    }

    /// Goes on past the next binary request; its key, if it has one. `None` if it is not here whole.
    fn binary_request(&mut self) -> Option<Option<&'i [u8]>> {
        let header: &[u8; BINARY_HEADER_LEN] = self.rest.first_chunk()?;
        let [_, _, key_high, key_low, extras_len, _, _, _, body @ ..] = header;
        let key_len = usize::from(u16::from_be_bytes([*key_high, *key_low]));
        let [b0, b1, b2, b3, ..] = *body;
        let body_len = u32::from_be_bytes([b0, b1, b2, b3]) as usize;
        let body = &self.rest[BINARY_HEADER_LEN..];
        let key_at = usize::from(*extras_len);
        let key = body.get(key_at..key_at + key_len)?;
        self.rest = body.get(body_len..).unwrap_or_default();
        Some((1..=KEY_LEN_MAX).contains(&key_len).then_some(key))
    }
}

/// The words of the first line, or of what is here of it, and what follows.
#[inline]
fn first_line(input: &[u8]) -> (Words<'_>, &[u8]) {
    let end = memchr::memchr(b'\n', input);
    let (line, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    (Words::of(text), rest)
}

#[cfg(test)]
#[path = "peek_test.rs"]
mod tests;
