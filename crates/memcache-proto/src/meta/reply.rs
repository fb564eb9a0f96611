//! Answers to meta commands: a code of two letters, and the flags asked for in the order given.

use base::Timestamp;
use base::kv::{Item, Outcome, Recache};

use crate::reply::{PinnedTail, push_value};
use crate::text::errors;
use crate::text::words::Words;
use crate::{base64_key, number};

/// How to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) verb: Verb,
    /// Say nothing where all is well (`ms`, `md`, `ma`), or where nothing was found (`mg`).
    pub(crate) quiet: bool,
    /// Give the key back in base64.
    pub(crate) base64: bool,
    /// Give the value.
    pub(crate) value: bool,
    /// But not that of an item with this CAS.
    pub(crate) known_cas: Option<u64>,
    /// Of `ms` the length of the value that came, in bytes.
    pub(crate) sent_len: u32,
}

/// What memcached counts of an item besides key, flags and value, in bytes: its header, the CAS,
/// the key's end and the value's line end. The limit on an item's size counts the same.
const ITEM_OVERHEAD: usize = 59;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Set,
    Delete,
    Arith,
    Debug,
}

pub(crate) fn item(
    form: &Form,
    key: &[u8],
    flags: &[u8],
    item: &Item<'_>,
    now: Timestamp,
    out: &mut Vec<u8>,
) -> Option<PinnedTail> {
    match form.verb {
        Verb::Debug => {
            debug(form, key, item, now, out);
            return None;
        }
        Verb::Arith if form.quiet => return None,
        _ => {}
    }
    let with_value = form.value && form.known_cas != Some(item.cas);
    if with_value {
        out.extend_from_slice(b"VA ");
        number::push(out, item.value.len() as u64);
    } else {
        out.extend_from_slice(b"HD");
    }
    for word in Words::of(flags) {
        push_item_flag(form, key, word, item, now, out);
    }
    if form.verb == Verb::Get {
        push_state(item, out);
    }
    out.extend_from_slice(b"\r\n");
    match with_value {
        true => push_value(&item.value, PinnedTail::LINE_END, out),
        false => None,
    }
}

fn push_item_flag(
    form: &Form,
    key: &[u8],
    word: &[u8],
    item: &Item<'_>,
    now: Timestamp,
    out: &mut Vec<u8>,
) {
    let is_get = form.verb == Verb::Get;
    match word.first() {
        Some(b's') if is_get => push_flag(b's', item.value.len() as u64, out),
        Some(b't') => push_ttl(item, now, out),
        Some(b'c') => push_flag(b'c', item.cas, out),
        Some(b'f') if is_get => push_flag(b'f', u64::from(item.flags), out),
        Some(b'l') if is_get => push_flag(b'l', u64::from(item.idle_s), out),
        Some(b'h') if is_get => push_flag(b'h', u64::from(item.fetched), out),
        _ => push_request_flag(form, key, word, out),
    }
}

/// What is given back whether or not there is an item.
fn push_request_flag(form: &Form, key: &[u8], word: &[u8], out: &mut Vec<u8>) {
    match word.first() {
        Some(b'O') => {
            out.push(b' ');
            out.extend_from_slice(word);
        }
        Some(b'k') => {
            out.extend_from_slice(b" k");
            push_key(form, key, out);
            if form.base64 {
                out.extend_from_slice(b" b");
            }
        }
        _ => {}
    }
}

fn push_key(form: &Form, key: &[u8], out: &mut Vec<u8>) {
    match form.base64 {
        true => base64_key::push(key, out),
        false => out.extend_from_slice(key),
    }
}

fn push_flag(letter: u8, number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b' ', letter]);
    number::push(out, number);
}

fn push_ttl(item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) {
    match item.expiry.secs_left(now) {
        Some(secs) => push_flag(b't', u64::from(secs), out),
        None => out.extend_from_slice(b" t-1"),
    }
}

/// `Z`, `X` and `W`, in memcached's order.
fn push_state(item: &Item<'_>, out: &mut Vec<u8>) {
    if item.recache == Recache::Lost {
        out.extend_from_slice(b" Z");
    }
    if item.stale {
        out.extend_from_slice(b" X");
    }
    if item.recache == Recache::Won {
        out.extend_from_slice(b" W");
    }
}

/// The line of `me`. There are no slab classes here, so the class is always 1; the size is that of
/// key and value.
fn debug(form: &Form, key: &[u8], item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ME ");
    push_key(form, key, out);
    out.extend_from_slice(b" exp=");
    match item.expiry.secs_left(now) {
        Some(secs) => number::push(out, u64::from(secs)),
        None => out.extend_from_slice(b"-1"),
    }
    out.extend_from_slice(b" la=");
    number::push(out, u64::from(item.idle_s));
    out.extend_from_slice(b" cas=");
    number::push(out, item.cas);
    out.extend_from_slice(match item.fetched {
        true => b" fetch=yes cls=1 size=",
        false => b" fetch=no cls=1 size=",
    });
    let flags_len = if item.flags == 0 { 0 } else { 4 };
    let size = ITEM_OVERHEAD + key.len() + flags_len + item.value.len();
    number::push(out, size as u64);
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn outcome(form: &Form, key: &[u8], flags: &[u8], outcome: Outcome, out: &mut Vec<u8>) {
    let code: &[u8; 2] = match (form.verb, outcome) {
        (_, Outcome::Hit) => return,
        (Verb::Debug, Outcome::Miss | Outcome::NotFound) => {
            return out.extend_from_slice(b"EN\r\n");
        }
        (Verb::Get, Outcome::Miss | Outcome::NotFound) => b"EN",
        (_, Outcome::Stored { .. } | Outcome::Deleted) => b"HD",
        (_, Outcome::NotStored) => b"NS",
        (_, Outcome::Exists) => b"EX",
        (_, Outcome::NotFound | Outcome::Miss) => b"NF",
        (_, outcome) => return out.extend_from_slice(error(form.verb, outcome)),
    };
    if form.quiet && matches!(code, b"EN" | b"HD") {
        return;
    }
    out.extend_from_slice(code);
    let is_set = form.verb == Verb::Set;
    let (cas, len) = match outcome {
        Outcome::Stored { cas, value_len } => (cas, value_len),
        _ => (0, form.sent_len),
    };
    for word in Words::of(flags) {
        match word.first() {
            Some(b'c') if is_set => push_flag(b'c', cas, out),
            Some(b's') if is_set => push_flag(b's', u64::from(len), out),
            _ => push_request_flag(form, key, word, out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Errors are written even where quiet was asked for.
fn error(verb: Verb, outcome: Outcome) -> &'static [u8] {
    match (verb, outcome) {
        (_, Outcome::NonNumeric) => errors::NON_NUMERIC,
        (_, Outcome::TooLarge) => errors::TOO_LARGE,
        (Verb::Set, Outcome::OutOfMemory) => errors::NO_MEMORY_STORING,
        (_, Outcome::OutOfMemory) => errors::NO_MEMORY,
        (_, Outcome::Denied) => errors::DENIED,
        _ => errors::UNEXPECTED,
    }
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
