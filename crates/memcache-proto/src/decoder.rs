//! The decoder of one admitted connection: which dialect, and what was begun and not yet ended.

use base::Timestamp;
use base::kv::{INLINE_VALUE_LEN_MAX, KEY_LEN_MAX};

use crate::peek::{Keys, peek_keys, peek_list};
use crate::request::{Dialect, Request};
use crate::text::keys::KeyList;
use crate::{binary, text};

/// The longest command line in bytes, but for key lists, which have no end.
pub(crate) const LINE_LEN_MAX: usize = 2048;

/// How many bytes may at most have to be kept for a [`Step::Incomplete`].
pub const INPUT_LEN_MAX: usize = LINE_LEN_MAX + 2 + INLINE_VALUE_LEN_MAX + 2;

/// What the server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest value, in bytes.
    pub item_size_max: u32,
}

/// Room for a key that came in base64, for as long as its request is looked at.
#[derive(Clone, Debug)]
pub struct KeyBuf(pub(crate) [u8; KEY_LEN_MAX]);

impl KeyBuf {
    /// Empty room.
    pub const fn new() -> Self {
        Self([0; KEY_LEN_MAX])
    }
}

impl Default for KeyBuf {
    fn default() -> Self {
        Self::new()
    }
}

/// What the next bytes mean.
#[derive(Debug)]
pub enum Step<'a> {
    /// Not enough to say; call again with the same bytes and more behind them.
    Incomplete,
    /// Bytes to drop.
    Skip {
        /// How many.
        consumed: usize,
    },
    /// A request.
    Request {
        /// How many bytes it took; may be 0 where an answer is due before the next bytes.
        consumed: usize,
        /// The request.
        request: Request<'a>,
    },
    /// A piece of the value announced by [`crate::Action::StoreLarge`].
    Body {
        /// How many bytes it took.
        consumed: usize,
        /// The piece.
        bytes: &'a [u8],
    },
    /// The end of that value.
    BodyEnd {
        /// How many bytes it took.
        consumed: usize,
        /// Whether it ended as it must; if not, store nothing and answer with
        /// [`crate::Reply::bad_body`].
        intact: bool,
    },
}

/// A list of keys, or what is here of it, that finds nothing.
#[derive(Debug)]
pub struct MissedKeys<'a> {
    /// How many keys it has.
    pub keys: usize,
    /// What to do for it: answer that it has ended, or drop what is here.
    pub step: Step<'a>,
}

/// What a connection is in the middle of.
///
/// ```text
///          "get" and its like            end of the line, or abandoned
///   Idle ─────────────────────▶ Keys ──────────────────────────▶ Idle
///        ─ value refused ─────▶ Skip ─ all of it dropped ──────▶ Idle
///        ─ large value ───────▶ Body ─ all of it, and its end ─▶ Idle
///   Keys ─ a key too long ────▶ SkipLine ─ end of the line ────▶ Idle
///   Idle, Keys ─ missed ──────▶ MissKeys ─ end of the line ────▶ Idle
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Between two requests.
    #[default]
    Idle,
    /// Between two keys of a list.
    Keys(KeyList),
    /// In a line of which nothing counts any more.
    SkipLine,
    /// In a list of keys that is to find nothing.
    MissKeys,
    /// In bytes of which nothing counts.
    Skip { left: u64 },
    /// In a value; `line_end` if `\r\n` must follow it.
    Body { left: u32, line_end: bool },
}

/// What a decoding step is given besides the bytes.
#[derive(Debug)]
pub(crate) struct Context<'l, 'k> {
    pub(crate) now: Timestamp,
    pub(crate) limits: &'l Limits,
    pub(crate) key_buf: &'k mut KeyBuf,
    /// The connection has authenticated.
    pub(crate) authenticated: bool,
}

/// Turns the bytes of one connection into requests.
///
/// Call [`decode`](Self::decode) with what has come, drop what it consumed, and go on until it
/// says [`Step::Incomplete`] (or until the session's turn is over: it may be left between any two
/// steps). After a request was answered with `Outcome::Denied`, call [`abandon`](Self::abandon).
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    dialect: Option<Dialect>,
    state: State,
    authenticated: bool,
}

impl Decoder {
    /// For a connection to a listener that asks nobody who he is; it knows nothing of SASL.
    pub const fn new() -> Self {
        Self {
            dialect: None,
            state: State::Idle,
            authenticated: false,
        }
    }

    /// For a connection that has authenticated.
    pub const fn of_authenticated() -> Self {
        Self {
            authenticated: true,
            ..Self::new()
        }
    }

    /// Looks at the next bytes. `key_buf` is where a key in base64 is decoded to.
    #[inline]
    pub fn decode<'a>(
        &mut self,
        now: Timestamp,
        input: &'a [u8],
        limits: &Limits,
        key_buf: &'a mut KeyBuf,
    ) -> Step<'a> {
        let Some(&first) = input.first() else {
            return self.decode_nothing();
        };
        let context = Context {
            now,
            limits,
            key_buf,
            authenticated: self.authenticated,
        };
        match self.state {
            State::Idle => match self.dialect_of(first) {
                Dialect::Text => text::decode(&mut self.state, input, context),
                Dialect::Binary => binary::decode(&mut self.state, input, context),
            },
            State::Keys(list) => text::keys::next(&mut self.state, list, input),
            State::SkipLine => self.skip_line(input),
            State::MissKeys => self.miss_line(input).step,
            State::Skip { left } => self.skip(left, input),
            State::Body { left, line_end } => self.body(left, line_end, input),
        }
    }

    /// Lets a list of keys find nothing, which takes no more than a look for the end of its line:
    /// neither are the keys parted nor is one that is too long noticed.
    ///
    /// `None` if no list is next, or one of `gat`, whose keys may be about to end at once: then
    /// [`decode`](Self::decode).
    pub fn miss_keys<'a>(&mut self, input: &'a [u8]) -> Option<MissedKeys<'a>> {
        let is_list = match self.state {
            State::Idle => input.starts_with(b"get ") || input.starts_with(b"gets "),
            State::Keys(list) => !input.is_empty() && list.is_plain(),
            State::MissKeys => !input.is_empty(),
            _ => false,
        };
        if !is_list {
            return None;
        }
        self.dialect = Some(Dialect::Text);
        Some(self.miss_line(input))
    }

    /// The keys that the next steps will seem to ask for; nothing of it is checked.
    pub fn peek_keys<'a>(&self, input: &'a [u8]) -> Keys<'a> {
        match self.state {
            State::Idle => peek_keys(input),
            State::Keys(_) => peek_list(input),
            _ => peek_keys(&[]),
        }
    }

    /// How the connection speaks, once a byte has come.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Whether a request has been begun that has not been sent whole: a value that is still
    /// arriving or being skipped, or a list of keys.
    pub fn is_mid_request(&self) -> bool {
        self.state != State::Idle
    }

    /// Whether all keys of a list have been given out, and its end is here. Who stops before it keeps
    /// a client waiting for nothing.
    #[inline]
    pub fn is_at_list_end(&self, input: &[u8]) -> bool {
        matches!(self.state, State::Keys(_)) && matches!(input, [b'\n', ..] | [b'\r', b'\n', ..])
    }

    /// To be called after a request was answered with `Outcome::Denied`: if it was a key of a
    /// list, the rest of the line is skipped, since the one error line answers it all and an `END`
    /// behind it would be taken for the answer to the next request. Does nothing otherwise.
    pub fn abandon(&mut self) {
        if let State::Keys(_) = self.state {
            self.state = State::SkipLine;
        }
    }

    fn dialect_of(&mut self, first: u8) -> Dialect {
        *self.dialect.get_or_insert(if first == binary::MAGIC {
            Dialect::Binary
        } else {
            Dialect::Text
        })
    }

    /// A binary value has no end mark: once its last piece has gone out its end is due at once.
    fn decode_nothing(&mut self) -> Step<'static> {
        match self.state {
            State::Body {
                left: 0,
                line_end: false,
            } => {
                self.state = State::Idle;
                Step::BodyEnd {
                    consumed: 0,
                    intact: true,
                }
            }
            _ => Step::Incomplete,
        }
    }

    fn skip_line(&mut self, input: &[u8]) -> Step<'static> {
        let consumed = match memchr::memchr(b'\n', input) {
            Some(end) => {
                self.state = State::Idle;
                end + 1
            }
            None => input.len(),
        };
        Step::Skip { consumed }
    }

    fn miss_line<'a>(&mut self, input: &'a [u8]) -> MissedKeys<'a> {
        let (len, step) = match memchr::memchr(b'\n', input) {
            Some(end) => {
                self.state = State::Idle;
                (end + 1, text::answer(end + 1, text::keys::END, false))
            }
            None => {
                self.state = State::MissKeys;
                let consumed = input.len();
                (consumed, Step::Skip { consumed })
            }
        };
        let keys = memchr::memchr_iter(b' ', &input[..len]).count();
        MissedKeys { keys, step }
    }

    fn skip(&mut self, left: u64, input: &[u8]) -> Step<'static> {
        let consumed = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        self.state = match left - consumed as u64 {
            0 => State::Idle,
            left => State::Skip { left },
        };
        Step::Skip { consumed }
    }

    fn body<'a>(&mut self, left: u32, line_end: bool, input: &'a [u8]) -> Step<'a> {
        if left > 0 {
            let consumed = input.len().min(left as usize);
            self.state = State::Body {
                left: left - consumed as u32,
                line_end,
            };
            return Step::Body {
                consumed,
                bytes: &input[..consumed],
            };
        }
        let (consumed, intact) = match (line_end, input) {
            (false, _) => (0, true),
            (true, [a, b, ..]) => (2, [*a, *b] == *b"\r\n"),
            (true, _) => return Step::Incomplete,
        };
        self.state = State::Idle;
        Step::BodyEnd { consumed, intact }
    }
}

#[cfg(test)]
#[path = "decoder_miss_test.rs"]
mod miss_tests;
#[cfg(test)]
#[path = "decoder_test.rs"]
mod tests;
