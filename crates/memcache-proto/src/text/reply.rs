//! Answers to the classic commands.

use base::kv::{Item, Outcome, Value};

use super::errors;
use crate::VERSION_LINE;
use crate::number;
use crate::reply::{PinnedTail, push_value};

/// What answers `mn`.
pub(crate) const NO_OPERATION: &[u8] = b"MN\r\n";

/// How to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) verb: Verb,
    /// `noreply`: write nothing at all.
    pub(crate) quiet: bool,
}

impl Form {
    /// That of a reply that is never due.
    pub(crate) const NOTHING: Self = Self {
        verb: Verb::Line(b""),
        quiet: true,
    };
}

/// Whether it answers `version` or `mn`.
pub(crate) fn is_about_health(form: &Form) -> bool {
    matches!(form.verb, Verb::Line(line) if line == VERSION_LINE || line == NO_OPERATION)
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// One key of a list.
    Retrieve {
        /// Show the CAS.
        cas: bool,
        /// It is the first of its list.
        first: bool,
    },
    Touch,
    Store,
    Delete,
    Arith,
    /// Anything whose answer is known; also statistics that end with it.
    Line(&'static [u8]),
}

#[inline]
pub(crate) fn item(
    form: &Form,
    key: &[u8],
    item: &Item<'_>,
    out: &mut Vec<u8>,
) -> Option<PinnedTail> {
    match form.verb {
        Verb::Retrieve { cas, .. } => retrieved(key, cas, item, out),
        Verb::Arith if !form.quiet => {
            if let Value::Inline(digits) = item.value {
                out.extend_from_slice(digits);
                out.extend_from_slice(b"\r\n");
            }
            None
        }
        _ => None,
    }
}

#[inline]
fn retrieved(key: &[u8], cas: bool, item: &Item<'_>, out: &mut Vec<u8>) -> Option<PinnedTail> {
    let mut numbers = number::Tail::new();
    numbers.push(u64::from(item.flags));
    numbers.push(item.value.len() as u64);
    if cas {
        numbers.push(item.cas);
    }
    out.extend_from_slice(b"VALUE ");
    out.extend_from_slice(key);
    out.extend_from_slice(numbers.finish());
    push_value(&item.value, PinnedTail::LINE_END, out)
}

#[inline]
pub(crate) fn outcome(form: &Form, outcome: Outcome, out: &mut Vec<u8>) {
    if !form.quiet {
        out.extend_from_slice(line(form.verb, outcome));
    }
}

fn line(verb: Verb, outcome: Outcome) -> &'static [u8] {
    match (verb, outcome) {
        (Verb::Retrieve { .. } | Verb::Arith, Outcome::Hit) => b"",
        (Verb::Retrieve { .. }, Outcome::Miss | Outcome::NotFound) => b"",
        (Verb::Retrieve { first: false, .. }, Outcome::Denied) => b"",
        (Verb::Retrieve { .. }, Outcome::OutOfMemory) => errors::NO_MEMORY_READING,
        (Verb::Touch, Outcome::Hit) => b"TOUCHED\r\n",
        (_, Outcome::Stored { .. }) => b"STORED\r\n",
        (_, Outcome::NotStored) => b"NOT_STORED\r\n",
        (_, Outcome::Exists) => b"EXISTS\r\n",
        (_, Outcome::NotFound | Outcome::Miss) => b"NOT_FOUND\r\n",
        (_, Outcome::Deleted) => b"DELETED\r\n",
        (_, Outcome::NonNumeric) => errors::NON_NUMERIC,
        (_, Outcome::TooLarge) => errors::TOO_LARGE,
        (Verb::Store, Outcome::OutOfMemory) => errors::NO_MEMORY_STORING,
        (_, Outcome::OutOfMemory) => errors::NO_MEMORY,
        (_, Outcome::Denied) => errors::DENIED,
        (_, Outcome::Hit) => errors::UNEXPECTED,
    }
}

#[inline]
pub(crate) fn answer(form: &Form, out: &mut Vec<u8>) {
    if let (Verb::Line(line), false) = (form.verb, form.quiet) {
        out.extend_from_slice(line);
    }
}

pub(crate) fn bad_body(form: &Form, out: &mut Vec<u8>) {
    if !form.quiet {
        out.extend_from_slice(errors::BAD_DATA_CHUNK);
    }
}

pub(crate) fn stat(form: &Form, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    if !form.quiet {
        for part in [b"STAT ", name, b" ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

pub(crate) fn stats_end(form: &Form, out: &mut Vec<u8>) {
    if !form.quiet {
        out.extend_from_slice(b"END\r\n");
    }
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
