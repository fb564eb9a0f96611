//! The decoder of one admitted connection.

use base::Timestamp;
use base::kv::{INLINE_VALUE_LEN_MAX, KEY_LEN_MAX};

use crate::request::{Dialect, Request};

/// The longest command line in bytes, but for key lists, which have no end.
pub(crate) const LINE_LEN_MAX: usize = 2048;

/// How many bytes may at most have to be kept for a [`Step::Incomplete`].
pub const INPUT_LEN_MAX: usize = LINE_LEN_MAX + INLINE_VALUE_LEN_MAX + 2;

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
        /// How many bytes it took.
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

/// Turns the bytes of one connection into requests.
///
/// Call [`decode`](Self::decode) with what has come, drop what it consumed, and go on until it
/// says [`Step::Incomplete`] (or until the session's turn is over: it may be left between any two
/// steps).
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    dialect: Option<Dialect>,
}

impl Decoder {
    /// For a connection that has not said anything yet.
    pub const fn new() -> Self {
        Self { dialect: None }
    }

    /// Looks at the next bytes. `key_buf` is where a key in base64 is decoded to.
    pub fn decode<'a>(
        &mut self,
        _now: Timestamp,
        _input: &'a [u8],
        _limits: &Limits,
        _key_buf: &'a mut KeyBuf,
    ) -> Step<'a> {
        Step::Incomplete
    }

    /// How the connection speaks, once a byte has come.
    pub fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Whether a request has been begun that has not been sent whole: a value that is still
    /// arriving or being skipped, or a list of keys.
    pub fn is_mid_request(&self) -> bool {
        false
    }
}
