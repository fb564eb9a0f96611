//! Answers in the binary protocol.

use base::kv::{Item, Outcome, StoreMode, Value};

use super::header::{Header, Lens, Status, opcode, push_response};
use crate::number;
use crate::reply::{PinnedTail, push_value};

/// How to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    opcode: u8,
    opaque: u32,
    kind: Kind,
}

/// What the answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Flags, and the value behind them.
    Get,
    /// Flags.
    Touch,
    /// The CAS.
    Store(StoreMode),
    /// The number in 8 bytes.
    Arith,
    /// A status.
    Plain,
    /// A status and a text that are known.
    Fixed {
        status: Status,
        value: &'static [u8],
    },
    /// No answer at all.
    Silent,
}

impl Form {
    pub(crate) fn new(header: &Header, kind: Kind) -> Self {
        Self {
            opcode: header.opcode,
            opaque: header.opaque,
            kind,
        }
    }

    pub(crate) fn fixed(header: &Header, status: Status, value: &'static [u8]) -> Self {
        Self::new(header, Kind::Fixed { status, value })
    }

    pub(crate) fn silent() -> Self {
        Self {
            opcode: 0,
            opaque: 0,
            kind: Kind::Silent,
        }
    }

    /// Whether the key goes with the value.
    fn gives_key(&self) -> bool {
        use opcode::{GATK, GATKQ, GETK, GETKQ};
        matches!(self.opcode, GETK | GETKQ | GATK | GATKQ)
    }

    /// Whether a miss is not worth an answer.
    fn is_quiet_get(&self) -> bool {
        use opcode::{GATKQ, GATQ, GETKQ, GETQ};
        matches!(self.opcode, GETQ | GETKQ | GATQ | GATKQ)
    }

    /// Whether a success is not worth an answer; errors always are.
    fn is_quiet(&self) -> bool {
        use opcode::{
            ADDQ, APPENDQ, DECREMENTQ, DELETEQ, FLUSHQ, INCREMENTQ, PREPENDQ, QUITQ, REPLACEQ, SETQ,
        };
        matches!(
            self.opcode,
            SETQ | ADDQ
                | REPLACEQ
                | DELETEQ
                | INCREMENTQ
                | DECREMENTQ
                | QUITQ
                | FLUSHQ
                | APPENDQ
                | PREPENDQ
        )
    }

    fn header(&self, status: Status, lens: Lens, cas: u64, out: &mut Vec<u8>) {
        push_response(self.opcode, self.opaque, status, lens, cas, out);
    }

    /// A status with a text.
    fn text(&self, status: Status, text: &[u8], out: &mut Vec<u8>) {
        self.header(status, Lens::value(text.len()), 0, out);
        out.extend_from_slice(text);
    }

    /// A success that says no more.
    fn done(&self, cas: u64, out: &mut Vec<u8>) {
        if !self.is_quiet() {
            self.header(Status::Ok, Lens::default(), cas, out);
        }
    }

    fn failed(&self, status: Status, out: &mut Vec<u8>) {
        self.text(status, status.text(), out);
    }
}

#[inline]
pub(crate) fn item(
    form: &Form,
    key: &[u8],
    item: &Item<'_>,
    out: &mut Vec<u8>,
) -> Option<PinnedTail> {
    match form.kind {
        Kind::Arith => {
            arith(form, item, out);
            None
        }
        Kind::Touch => {
            retrieved(form, b"", 0, item, out);
            None
        }
        Kind::Get => {
            let key = if form.gives_key() { key } else { b"" };
            retrieved(form, key, item.value.len(), item, out);
            push_value(&item.value, PinnedTail::NONE, out)
        }
        _ => None,
    }
}

/// Everything before the value.
fn retrieved(form: &Form, key: &[u8], value_len: usize, item: &Item<'_>, out: &mut Vec<u8>) {
    let lens = Lens {
        extras: 4,
        key: key.len() as u16,
        ..Lens::value(value_len)
    };
    form.header(Status::Ok, lens, item.cas, out);
    out.extend_from_slice(&item.flags.to_be_bytes());
    out.extend_from_slice(key);
}

fn arith(form: &Form, item: &Item<'_>, out: &mut Vec<u8>) {
    let Value::Inline(digits) = item.value else {
        return;
    };
    match number::parse_u64(digits) {
        _ if form.is_quiet() => {}
        Some(number) => {
            form.header(Status::Ok, Lens::value(8), item.cas, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        None => form.failed(Status::InternalError, out),
    }
}

#[inline]
pub(crate) fn outcome(form: &Form, key: &[u8], outcome: Outcome, out: &mut Vec<u8>) {
    match (form.kind, outcome) {
        (_, Outcome::Hit) | (Kind::Silent, _) => {}
        (Kind::Get, Outcome::Miss | Outcome::NotFound) => missed(form, key, out),
        (_, Outcome::Stored { cas, .. }) => form.done(cas, out),
        (_, Outcome::Deleted) => form.done(0, out),
        (kind, outcome) => form.failed(status(kind, outcome), out),
    }
}

/// A miss that was asked to name its key gives the key in the place of the text.
fn missed(form: &Form, key: &[u8], out: &mut Vec<u8>) {
    if form.is_quiet_get() {
        return;
    }
    if form.gives_key() {
        let lens = Lens {
            key: key.len() as u16,
            ..Lens::default()
        };
        form.header(Status::KeyNotFound, lens, 0, out);
        out.extend_from_slice(key);
    } else {
        form.failed(Status::KeyNotFound, out);
    }
}

fn status(kind: Kind, outcome: Outcome) -> Status {
    match (kind, outcome) {
        (Kind::Store(StoreMode::Add), Outcome::NotStored) => Status::KeyExists,
        (Kind::Store(StoreMode::Replace), Outcome::NotStored) => Status::KeyNotFound,
        (_, Outcome::NotStored) => Status::NotStored,
        (_, Outcome::Exists) => Status::KeyExists,
        (_, Outcome::NotFound | Outcome::Miss) => Status::KeyNotFound,
        (_, Outcome::NonNumeric) => Status::NonNumeric,
        (_, Outcome::TooLarge) => Status::TooLarge,
        (_, Outcome::OutOfMemory) => Status::OutOfMemory,
        (_, Outcome::Denied) => Status::NoAccess,
        (_, Outcome::Hit | Outcome::Deleted | Outcome::Stored { .. }) => Status::InternalError,
    }
}

pub(crate) fn answer(form: &Form, out: &mut Vec<u8>) {
    if let Kind::Fixed { status, value } = form.kind
        && !(status == Status::Ok && form.is_quiet())
    {
        form.text(status, value, out);
    }
}

/// Whether it answers a question for the version.
pub(crate) fn is_about_health(form: &Form) -> bool {
    form.opcode == opcode::VERSION && matches!(form.kind, Kind::Fixed { .. })
}

/// None of the data can be reached.
pub(crate) fn unreachable(form: &Form, out: &mut Vec<u8>) {
    form.failed(Status::TemporaryFailure, out);
}

/// Never due, since the length is all that ends a value here.
pub(crate) fn bad_body(form: &Form, out: &mut Vec<u8>) {
    form.failed(Status::InvalidArguments, out);
}

/// One statistic; without name and value it is the end of them.
pub(crate) fn stat(form: &Form, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let Ok(key_len) = u16::try_from(name.len()) else {
        return;
    };
    let lens = Lens {
        key: key_len,
        ..Lens::value(value.len())
    };
    form.header(Status::Ok, lens, 0, out);
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
