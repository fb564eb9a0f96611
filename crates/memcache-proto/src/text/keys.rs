//! Lists of keys of any length: `get`, `gets`, `gat`, `gats`.
//!
//! A list that ends within [`LINE_LEN_MAX`] bytes is looked over before its first key is given
//! out, so that a bad key fails all of it, as with memcached. A longer one is read as it comes, in
//! bounded memory; a bad key in it ends it with the error line, in the place of `END`.

use base::Timestamp;
use base::kv::{Expiry, Get, KEY_LEN_MAX, Op};

use super::errors::{BAD_EXPTIME, BAD_FORMAT};
use super::reply::{Form, Verb};
use super::words::{Line, Words};
use crate::decoder::{LINE_LEN_MAX, State, Step};
use crate::request::{Action, Request};
use crate::{exptime, number, reply};

/// What follows the last item.
pub(crate) const END: &[u8] = b"END\r\n";

/// What all keys of a list share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyList {
    /// Show each item's CAS.
    cas: bool,
    /// Give each item this end.
    touch: Option<Expiry>,
    /// No key has been given out yet.
    first: bool,
}

/// The commands that take a list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    name_len: usize,
    cas: bool,
    touch: bool,
}

/// Begins the list that `input` begins with.
#[inline]
pub(super) fn begin<'a>(
    state: &mut State,
    now: Timestamp,
    kind: Kind,
    input: &'a [u8],
) -> Step<'a> {
    let list = KeyList {
        cas: kind.cas,
        touch: None,
        first: true,
    };
    match only_key(&input[kind.name_len..]) {
        Some(key) if !kind.touch => found(state, list, kind.name_len, key),
        _ => begin_carefully(state, now, kind, list, input),
    }
}

/// The key of a list of one that is all here, as most are.
#[inline]
fn only_key(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte <= b' ')?;
    let (key, rest) = text.split_at(end);
    let is_whole = matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]);
    (is_whole && !key.is_empty() && end <= KEY_LEN_MAX).then_some(key)
}

/// Looks the list over before the first key is given out, if it is not too long for that.
fn begin_carefully<'a>(
    state: &mut State,
    now: Timestamp,
    kind: Kind,
    list: KeyList,
    input: &'a [u8],
) -> Step<'a> {
    let rest = &input[kind.name_len..];
    let (text, is_whole) = match Line::of(input) {
        Line::Incomplete => return Step::Incomplete,
        Line::TooLong => (&rest[..LINE_LEN_MAX - kind.name_len], false),
        Line::Whole { text, .. } => (text.get(kind.name_len..).unwrap_or(b""), true),
    };
    let mut words = Words::of(text);
    let touch = match kind.touch {
        true => match words.next().map(number::parse_i32) {
            Some(Some(exptime)) if is_whole || !words.rest().is_empty() => {
                Some(exptime::expiry(i64::from(exptime), now))
            }
            Some(_) => return fail(state, 0, BAD_EXPTIME),
            None => return fail(state, 0, BAD_FORMAT),
        },
        false => None,
    };
    if is_whole && !are_keys(words) {
        return fail(state, 0, BAD_FORMAT);
    }
    let list = KeyList { touch, ..list };
    let consumed = kind.name_len + (text.len() - words.rest().len());
    advance(state, list, input, consumed)
}

/// The next key of a list, or its end.
#[inline]
pub(crate) fn next<'a>(state: &mut State, list: KeyList, input: &'a [u8]) -> Step<'a> {
    advance(state, list, input, 0)
}

impl KeyList {
    /// Whether its items are given out as they are.
    pub(crate) fn is_plain(self) -> bool {
        self.touch.is_none()
    }
}

impl Kind {
    /// The command that `input` begins with.
    #[inline]
    pub(super) fn of(input: &[u8]) -> Option<Self> {
        let (name_len, cas, touch) = match input {
            [b'g', b'e', b't', b' ', ..] => (4, false, false),
            [b'g', b'e', b't', b's', b' ', ..] => (5, true, false),
            [b'g', b'a', b't', b' ', ..] => (4, false, true),
            [b'g', b'a', b't', b's', b' ', ..] => (5, true, true),
            _ => return None,
        };
        Some(Self {
            name_len,
            cas,
            touch,
        })
    }
}

/// Whether there is at least one key and none is too long.
#[inline]
fn are_keys(mut words: Words<'_>) -> bool {
    let Some(first) = words.next() else {
        return false;
    };
    first.len() <= KEY_LEN_MAX
        && (words.rest().len() <= KEY_LEN_MAX || words.all(|key| key.len() <= KEY_LEN_MAX))
}

/// Looks for the next key from `start` on.
#[inline]
fn advance<'a>(state: &mut State, list: KeyList, input: &'a [u8], start: usize) -> Step<'a> {
    let spaces = input[start..].iter().take_while(|byte| **byte == b' ');
    let start = start + spaces.count();
    let text = &input[start..];
    match text {
        [b'\n', ..] => return end(state, start + 1),
        [b'\r', b'\n', ..] => return end(state, start + 2),
        [] | [b'\r'] => return wait(state, list, start),
        _ => {}
    }
    let window = &text[..text.len().min(KEY_LEN_MAX + 2)];
    let key = match window.iter().position(|byte| matches!(byte, b' ' | b'\n')) {
        Some(end) if window[end] == b'\n' => {
            let key = &window[..end];
            key.strip_suffix(b"\r").unwrap_or(key)
        }
        Some(end) => &window[..end],
        None if window.len() == KEY_LEN_MAX + 2 => window,
        None => return wait(state, list, start),
    };
    if key.len() > KEY_LEN_MAX {
        return fail(state, start, BAD_FORMAT);
    }
    found(state, list, start, key)
}

/// Gives out a key that lies at `start`.
#[inline]
fn found<'a>(state: &mut State, list: KeyList, start: usize, key: &'a [u8]) -> Step<'a> {
    *state = State::Keys(KeyList {
        first: false,
        ..list
    });
    Step::Request {
        consumed: start + key.len(),
        request: retrieval(list, key),
    }
}

#[inline]
fn retrieval(list: KeyList, key: &[u8]) -> Request<'_> {
    let verb = Verb::Retrieve {
        cas: list.cas,
        first: list.first,
    };
    Request {
        action: Action::Kv(Op::Get(Get {
            touch: list.touch,
            ..Get::plain(key)
        })),
        reply: reply::Reply {
            key,
            flags: b"",
            form: reply::Form::Text(Form { verb, quiet: false }),
        },
    }
}

/// More bytes are needed; what was looked at need not be kept.
fn wait<'a>(state: &mut State, list: KeyList, consumed: usize) -> Step<'a> {
    if consumed == 0 {
        return Step::Incomplete;
    }
    *state = State::Keys(list);
    Step::Skip { consumed }
}

fn end<'a>(state: &mut State, consumed: usize) -> Step<'a> {
    *state = State::Idle;
    super::answer(consumed, END, false)
}

/// Answers with an error, and skips what is left of the line.
fn fail<'a>(state: &mut State, consumed: usize, line: &'static [u8]) -> Step<'a> {
    *state = State::SkipLine;
    super::answer(consumed, line, false)
}

#[cfg(test)]
#[path = "keys_test.rs"]
mod tests;
