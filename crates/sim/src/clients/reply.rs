//! Checks a reply against the request that it must be the answer to.

use super::request::{Asker, Request, SharedKeys, shared_key, shared_value};

/// What the next bytes are, as the answer to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Not whole yet.
    Incomplete,
    /// Whole, of this many bytes, and right.
    Right(usize, Result),
    /// No answer to this request.
    Wrong(&'static str),
}

/// What a right answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Result {
    /// Values received.
    pub(crate) hits: u32,
    /// Keys asked for without a value.
    pub(crate) misses: u32,
    /// A change was refused.
    pub(crate) refused: bool,
    /// The server finds fault with itself or with the request.
    pub(crate) failed: bool,
}

/// What the connection's own key must hold: the number of the request that stored it last, if that
/// was stored and not removed since.
pub(crate) type Own = Option<u32>;

/// Whether `input` begins with the answer to request `n`; notes in `own` what that changed.
pub(crate) fn check(asker: Asker<'_>, n: u32, own: &mut Own, input: &[u8]) -> Answer {
    if let Some(line) = error_line(input) {
        // A store that failed must have dropped what was there before.
        if matches!(asker.request(n), Request::SetOwn) {
            *own = None;
        }
        let failed = Result {
            failed: true,
            ..Result::default()
        };
        return Answer::Right(line, failed);
    }
    match asker.request(n) {
        Request::GetShared(keys) => check_shared(keys, asker.value_len, input),
        Request::GetOwn => check_own(asker, *own, input),
        Request::SetOwn => check_line(input, &[b"STORED", b"NOT_STORED"], |said| {
            *own = (said == b"STORED").then_some(n);
        }),
        Request::DeleteOwn => check_line(input, &[b"DELETED", b"NOT_FOUND"], |_| *own = None),
    }
}

fn error_line(input: &[u8]) -> Option<usize> {
    let errors: [&[u8]; 3] = [b"SERVER_ERROR", b"CLIENT_ERROR", b"ERROR"];
    let is_error = errors.iter().any(|error| input.starts_with(error));
    let end = memchr::memchr(b'\n', input)?;
    is_error.then_some(end + 1)
}

fn check_line(input: &[u8], expected: &[&[u8]], note: impl FnOnce(&[u8])) -> Answer {
    let Some(end) = memchr::memchr(b'\n', input) else {
        return Answer::Incomplete;
    };
    let line = input[..end].strip_suffix(b"\r").unwrap_or_default();
    if !expected.contains(&line) {
        return Answer::Wrong("not an answer to a change");
    }
    note(line);
    let result = Result {
        refused: line == b"NOT_STORED",
        ..Result::default()
    };
    Answer::Right(end + 1, result)
}

fn check_own(asker: Asker<'_>, own: Own, input: &[u8]) -> Answer {
    let mut key = Vec::with_capacity(32);
    asker.own_key(&mut key);
    let (mut at, mut result) = (0, Result::default());
    if input.starts_with(b"VALUE ") {
        let found = match value(input) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let Some(n) = own else {
            return Answer::Wrong("a value that was refused or removed");
        };
        let mut expected = Vec::with_capacity(asker.value_len as usize);
        asker.own_value(n, &mut expected);
        if found.key != key || found.value != expected {
            return Answer::Wrong("not what this connection wrote last");
        }
        (at, result.hits) = (found.len, 1);
    } else {
        result.misses = 1;
    }
    check_end(input, at, result)
}

fn check_shared(mut keys: SharedKeys, value_len: u32, input: &[u8]) -> Answer {
    let (mut at, mut result) = (0, Result::default());
    let mut expected = Vec::with_capacity(value_len as usize);
    while input[at..].starts_with(b"VALUE ") {
        let found = match value(&input[at..]) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        loop {
            let Some(key) = keys.next() else {
                return Answer::Wrong("a value that was not asked for");
            };
            expected.clear();
            shared_key(key, &mut expected);
            if found.key == expected {
                expected.clear();
                shared_value(key, value_len, &mut expected);
                break;
            }
            result.misses += 1;
        }
        if found.value != expected {
            return Answer::Wrong("another key's value");
        }
        result.hits += 1;
        at += found.len;
    }
    result.misses += keys.count() as u32;
    check_end(input, at, result)
}

fn check_end(input: &[u8], at: usize, result: Result) -> Answer {
    let end = b"END\r\n";
    let rest = &input[at..];
    if rest.starts_with(end) {
        return Answer::Right(at + end.len(), result);
    }
    let may_come = end.starts_with(rest) || b"VALUE ".starts_with(rest);
    match may_come {
        true => Answer::Incomplete,
        false => Answer::Wrong("not an answer to a retrieval"),
    }
}

/// A value in a reply, and how long its lines are.
struct Found<'a> {
    key: &'a [u8],
    value: &'a [u8],
    len: usize,
}

/// The value that `input` begins with.
fn value(input: &[u8]) -> std::result::Result<Found<'_>, Answer> {
    let end = memchr::memchr(b'\n', input).ok_or(Answer::Incomplete)?;
    let (key, len) = head(&input[..end]).ok_or(Answer::Wrong("not a value's first line"))?;
    let body = end + 1..end + 1 + len;
    let after = input
        .get(body.end..body.end + 2)
        .ok_or(Answer::Incomplete)?;
    if after != b"\r\n" {
        return Err(Answer::Wrong("a value without an end"));
    }
    Ok(Found {
        key,
        len: body.end + 2,
        value: &input[body],
    })
}

/// The key and the length that a value's first line tells.
fn head(line: &[u8]) -> Option<(&[u8], usize)> {
    let mut words = line.strip_suffix(b"\r")?.split(|byte| *byte == b' ');
    let key = words.nth(1)?;
    let len = std::str::from_utf8(words.nth(1)?).ok()?;
    Some((key, len.parse().ok()?))
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
