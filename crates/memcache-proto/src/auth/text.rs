//! The two authentication dialects in text, both of them a `set`.

use super::{AuthReply, Form, INPUT_LEN_MAX, Step};
use crate::text::value_len;
use crate::text::words::{Arguments, Line};

const UNAUTHENTICATED: &[u8] = b"CLIENT_ERROR unauthenticated\r\n";
const TOO_LONG: &[u8] = b"CLIENT_ERROR bad authentication token format\r\n";
const BAD_END: &[u8] = b"CLIENT_ERROR bad command line termination\r\n";

/// `set <key> <flags> <exptime> <length>` and a body on a line of its own.
pub(super) fn decode(input: &[u8]) -> Step<'_> {
    let (text, head_len) = match Line::of(input) {
        Line::Incomplete => return Step::Incomplete,
        Line::TooLong => return refuse(UNAUTHENTICATED),
        Line::Whole { text, consumed } => (text, consumed),
    };
    let Some(arguments) = text.strip_prefix(b"set ").map(Arguments::of) else {
        return refuse(UNAUTHENTICATED);
    };
    let Some(body_len) = value_len(arguments.word(3)).filter(|_| arguments.count() >= 4) else {
        return refuse(UNAUTHENTICATED);
    };
    let Some(body_end) = body_end(head_len, body_len) else {
        return refuse(TOO_LONG);
    };
    let Some((body, end)) = input
        .get(head_len..body_end + 2)
        .and_then(|body| body.split_last_chunk::<2>())
    else {
        return Step::Incomplete;
    };
    if end != b"\r\n" {
        return refuse(BAD_END);
    }
    let (username, password) = match memchr::memchr(b' ', body) {
        Some(space) => (&body[..space], &body[space + 1..]),
        None => (arguments.word(0), body),
    };
    Step::Attempt {
        consumed: body_end + 2,
        username,
        password,
        reply: AuthReply(Form::Text),
    }
}

/// The user name in the body once a space has ended it, else the key.
pub(super) fn username_of_part(input: &[u8]) -> Option<&[u8]> {
    let Line::Whole { text, consumed } = Line::of(input) else {
        return None;
    };
    let body = input.get(consumed..)?;
    let key = || Some(Arguments::of(text.strip_prefix(b"set ")?).word(0));
    memchr::memchr(b' ', body).map_or_else(key, |space| body.get(..space))
}

/// Where the body ends, unless that is further than is ever kept.
fn body_end(head_len: usize, body_len: u32) -> Option<usize> {
    let end = head_len.checked_add(usize::try_from(body_len).ok()?)?;
    (end + 2 <= INPUT_LEN_MAX).then_some(end)
}

fn refuse(line: &'static [u8]) -> Step<'static> {
    Step::Refuse {
        reply: AuthReply(Form::Line(line)),
    }
}
