//! How to answer a request: the same calls for every protocol.

use base::Timestamp;
use base::kv::{Item, Outcome, Pin, Sink, Value};

use crate::{binary, meta, text};

/// How to answer one request; borrowed from its bytes.
///
/// All of its methods append to the connection's output, and none where nothing is due (`noreply`,
/// `q`, quiet opcodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The key, decoded if it came in base64.
    pub(crate) key: &'a [u8],
    /// The request's own flags, for a meta command.
    pub(crate) flags: &'a [u8],
    pub(crate) form: Form,
}

/// What the answer depends on besides key and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text(text::reply::Form),
    Meta(meta::reply::Form),
    Binary(binary::reply::Form),
}

impl Reply<'_> {
    /// Whether the request was a meta command.
    pub const fn is_meta(&self) -> bool {
        matches!(self.form, Form::Meta(_))
    }

    /// A copy that may outlive the request's bytes.
    pub fn into_owned(self) -> OwnedReply {
        let mut owned = OwnedReply::default();
        owned.assign(self);
        owned
    }

    /// Whether it answers a question that nobody asks but to know whether the server is well.
    pub fn is_about_health(&self) -> bool {
        match &self.form {
            Form::Text(form) => text::reply::is_about_health(form),
            Form::Meta(_) => false,
            Form::Binary(form) => binary::reply::is_about_health(form),
        }
    }

    /// Writes that none of the data can be reached.
    pub fn unreachable(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(_) | Form::Meta(_) => out.extend_from_slice(text::errors::UNREACHABLE),
            Form::Binary(form) => binary::reply::unreachable(form, out),
        }
    }

    /// Writes a hit. For a value that is pinned and wanted it writes what comes before the value
    /// and returns what comes behind it: append the value's bytes, then the tail's.
    #[inline]
    pub fn item(&self, item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) -> Option<PinnedTail> {
        match &self.form {
            Form::Text(form) => text::reply::item(form, self.key, item, out),
            Form::Meta(form) => meta::reply::item(form, self.key, self.flags, item, now, out),
            Form::Binary(form) => binary::reply::item(form, self.key, item, out),
        }
    }

    /// Writes what became of the operation, but for a hit's item, which [`item`](Self::item) wrote.
    #[inline]
    pub fn outcome(&self, outcome: Outcome, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(form) => text::reply::outcome(form, outcome, out),
            Form::Meta(form) => meta::reply::outcome(form, self.key, self.flags, outcome, out),
            Form::Binary(form) => binary::reply::outcome(form, self.key, outcome, out),
        }
    }

    /// Writes the answer to a request that is no operation on a key.
    #[inline]
    pub fn answer(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(form) => text::reply::answer(form, out),
            Form::Meta(_) => {}
            Form::Binary(form) => binary::reply::answer(form, out),
        }
    }

    /// Writes that the value did not end as it must.
    pub fn bad_body(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(form) => text::reply::bad_body(form, out),
            Form::Meta(_) => out.extend_from_slice(text::errors::BAD_DATA_CHUNK),
            Form::Binary(form) => binary::reply::bad_body(form, out),
        }
    }

    /// Writes one statistic.
    pub fn stat(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(form) => text::reply::stat(form, name, value, out),
            Form::Meta(_) => {}
            Form::Binary(form) => binary::reply::stat(form, name, value, out),
        }
    }

    /// Writes what `stats detail dump` tells, lines that each end with CRLF; its end is the
    /// [`answer`](Self::answer).
    pub fn prefixes(&self, lines: &[u8], out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(_) => out.extend_from_slice(lines),
            Form::Meta(_) => {}
            Form::Binary(form) => {
                let all = [lines, b"END\r\n"].concat();
                binary::reply::stat(form, b"detailed", &all, out);
            }
        }
    }

    /// Writes the end of the statistics.
    pub fn stats_end(&self, out: &mut Vec<u8>) {
        match &self.form {
            Form::Text(form) => text::reply::stats_end(form, out),
            Form::Meta(_) => {}
            Form::Binary(form) => binary::reply::stat(form, b"", b"", out),
        }
    }
}

/// A reply that must wait, with its own copy of what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedReply {
    bytes: Vec<u8>,
    key_len: usize,
    form: Form,
}

impl Default for OwnedReply {
    /// A reply that writes nothing.
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            key_len: 0,
            form: Form::Text(text::reply::Form::NOTHING),
        }
    }
}

impl OwnedReply {
    /// Becomes a copy of another reply, in the room that it has.
    #[inline]
    pub fn assign(&mut self, reply: Reply<'_>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(reply.key);
        self.bytes.extend_from_slice(reply.flags);
        self.key_len = reply.key.len();
        self.form = reply.form;
    }

    /// The reply.
    pub fn borrow(&self) -> Reply<'_> {
        let (key, flags) = self.bytes.split_at(self.key_len);
        Reply {
            key,
            flags,
            form: self.form,
        }
    }
}

/// What follows the bytes of a value that was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedTail(&'static [u8]);

impl PinnedTail {
    /// The end of a line.
    pub(crate) const LINE_END: Self = Self(b"\r\n");
    /// Nothing.
    pub(crate) const NONE: Self = Self(b"");

    /// Its bytes, perhaps none.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0
    }
}

/// Writes a value, if it is here, with its tail; else says which tail is to follow it.
#[inline]
pub(crate) fn push_value(
    value: &Value<'_>,
    tail: PinnedTail,
    out: &mut Vec<u8>,
) -> Option<PinnedTail> {
    match value {
        Value::Inline(bytes) => {
            out.extend_from_slice(bytes);
            out.extend_from_slice(tail.0);
            None
        }
        Value::Pinned(_) => Some(tail),
    }
}

/// Lets a backend write a hit straight into a connection's output.
#[derive(Debug)]
pub struct ReplySink<'r, 'a> {
    /// How to answer.
    pub reply: &'r Reply<'a>,
    /// The time of the request.
    pub now: Timestamp,
    /// The connection's output.
    pub out: &'r mut Vec<u8>,
    /// The value to append once the operation is done, and what comes behind it.
    pub pinned: Option<(Pin, PinnedTail)>,
}

impl<'r, 'a> ReplySink<'r, 'a> {
    /// A sink for the answer of one request.
    pub fn new(reply: &'r Reply<'a>, now: Timestamp, out: &'r mut Vec<u8>) -> Self {
        Self {
            reply,
            now,
            out,
            pinned: None,
        }
    }
}

impl Sink for ReplySink<'_, '_> {
    #[inline]
    fn item(&mut self, item: &Item<'_>) {
        let tail = self.reply.item(item, self.now, self.out);
        if let (Some(tail), Value::Pinned(pin)) = (tail, item.value) {
            self.pinned = Some((pin, tail));
        }
    }
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
