//! The text protocol: which command a line holds. Meta commands go on to [`crate::meta`].

pub(crate) mod errors;
pub(crate) mod keys;
pub(crate) mod reply;
mod storage;
pub(crate) mod words;

use base::kv::{Arith, Delete, Get, KEY_LEN_MAX, Op, StoreMode};

use crate::decoder::{Context, State, Step};
use crate::request::{Action, Request, StatsKind};
use crate::{VERSION_LINE, exptime, meta, number};
use errors::{BAD_DELETE, BAD_DELTA, BAD_EXPTIME, BAD_FORMAT, LINE_TOO_LONG, UNKNOWN_COMMAND};
use reply::{Form, Verb};
pub(crate) use storage::value_len;
use words::{Arguments, Line};

/// Looks at the next command; the state is idle.
#[inline]
pub(crate) fn decode<'a>(state: &mut State, input: &'a [u8], context: Context<'_, 'a>) -> Step<'a> {
    if let Some(kind) = keys::Kind::of(input) {
        return keys::begin(state, context.now, kind, input);
    }
    match Line::of(input) {
        Line::Incomplete => Step::Incomplete,
        Line::TooLong => closing(input.len(), LINE_TOO_LONG),
        Line::Whole { text, consumed } => {
            let name_len = memchr::memchr(b' ', text).unwrap_or(text.len());
            let (name, rest) = text.split_at(name_len);
            let command = Command {
                rest,
                input,
                consumed,
            };
            command.decode(name, state, context)
        }
    }
}

/// A line and what may follow it.
pub(crate) struct Command<'a> {
    /// The line behind the command's name, without its end.
    pub(crate) rest: &'a [u8],
    /// The line and all that came with it.
    pub(crate) input: &'a [u8],
    /// The line's length, with its end.
    pub(crate) consumed: usize,
}

impl<'a> Command<'a> {
    fn decode(&self, name: &[u8], state: &mut State, context: Context<'_, 'a>) -> Step<'a> {
        match name {
            b"set" => self.store(StoreMode::Set, false, state, context),
            b"cas" => self.store(StoreMode::Set, true, state, context),
            b"add" => self.store(StoreMode::Add, false, state, context),
            b"replace" => self.store(StoreMode::Replace, false, state, context),
            b"append" => self.store(StoreMode::Append, false, state, context),
            b"prepend" => self.store(StoreMode::Prepend, false, state, context),
            b"mg" => meta::get(self, context),
            b"ms" => meta::set(self, state, context),
            b"md" => meta::delete(self, context),
            b"ma" => meta::arith(self, context),
            b"me" => meta::debug(self, context),
            b"mn" => self.answer(reply::NO_OPERATION),
            b"get" | b"gets" | b"gat" | b"gats" => self.answer(BAD_FORMAT),
            b"delete" => self.delete(),
            b"incr" => self.arith(false),
            b"decr" => self.arith(true),
            b"touch" => self.touch(context),
            b"flush_all" => self.flush_all(context),
            // Whatever stands behind it, `noreply` too.
            b"version" => self.answer(VERSION_LINE),
            b"verbosity" => self.verbosity(),
            b"stats" => self.stats(),
            b"quit" => closing(self.consumed, b""),
            _ => self.other(name),
        }
    }

    fn delete(&self) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let key = arguments.word(0);
        let is_well_formed = match arguments.count() {
            1 => true,
            2 => matches!(arguments.word(1), b"0" | b"noreply"),
            3 => arguments.word(1) == b"0" && arguments.is_quiet(),
            _ => return self.answer(BAD_FORMAT),
        };
        if !is_well_formed {
            return self.refuse(BAD_DELETE, &arguments);
        }
        if key.len() > KEY_LEN_MAX {
            return self.refuse(BAD_FORMAT, &arguments);
        }
        let delete = Delete {
            key,
            compare_cas: None,
            new_cas: None,
            invalidate: false,
            touch: None,
            clear_value: false,
        };
        self.kv(Op::Delete(delete), Verb::Delete, &arguments)
    }

    fn arith(&self, decrement: bool) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let key = arguments.word(0);
        if arguments.count() < 2 {
            return self.answer(BAD_FORMAT);
        }
        if key.len() > KEY_LEN_MAX {
            return self.refuse(BAD_FORMAT, &arguments);
        }
        let Some(delta) = number::parse_u64(arguments.word(1)) else {
            return self.refuse(BAD_DELTA, &arguments);
        };
        let arith = Arith {
            key,
            delta,
            decrement,
            initial: None,
            touch: None,
            expiry_before: false,
            compare_cas: None,
            new_cas: None,
        };
        self.kv(Op::Arith(arith), Verb::Arith, &arguments)
    }

    fn touch(&self, context: Context<'_, 'a>) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let key = arguments.word(0);
        if arguments.count() < 2 {
            return self.answer(BAD_FORMAT);
        }
        if key.len() > KEY_LEN_MAX {
            return self.refuse(BAD_FORMAT, &arguments);
        }
        let Some(exptime) = number::parse_i32(arguments.word(1)) else {
            return self.refuse(BAD_EXPTIME, &arguments);
        };
        let get = Get {
            value: false,
            touch: Some(exptime::expiry(i64::from(exptime), context.now)),
            ..Get::plain(key)
        };
        self.kv(Op::Get(get), Verb::Touch, &arguments)
    }

    fn flush_all(&self, context: Context<'_, 'a>) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let is_plain = arguments.count() == usize::from(arguments.is_quiet());
        let exptime = match is_plain {
            true => Some(0),
            false => number::parse_i32(arguments.word(0)),
        };
        let Some(exptime) = exptime else {
            return self.refuse(BAD_EXPTIME, &arguments);
        };
        let delay = exptime::delay(i64::from(exptime), context.now);
        self.act(Action::FlushAll { delay }, b"OK\r\n", arguments.is_quiet())
    }

    fn verbosity(&self) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        match number::parse_u32(arguments.word(0)) {
            Some(_) => self.act(Action::Verbosity, b"OK\r\n", arguments.is_quiet()),
            None => self.refuse(BAD_FORMAT, &arguments),
        }
    }

    fn stats(&self) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let (kind, line): (_, &'static [u8]) = match arguments.word(0) {
            b"" => (StatsKind::General, b""),
            b"settings" => (StatsKind::Settings, b""),
            b"items" => (StatsKind::Items, b""),
            b"slabs" => (StatsKind::Slabs, b""),
            b"sizes" => (StatsKind::Sizes, b""),
            b"conns" => (StatsKind::Conns, b""),
            b"reset" => (StatsKind::Reset, b"RESET\r\n"),
            b"detail" => match arguments.word(1) {
                b"on" => (StatsKind::DetailOn, b"OK\r\n"),
                b"off" => (StatsKind::DetailOff, b"OK\r\n"),
                b"dump" => (StatsKind::DetailDump, b"END\r\n"),
                _ => return self.answer(b"CLIENT_ERROR usage: stats detail on|off|dump\r\n"),
            },
            b"cachedump" => {
                return self.answer(b"CLIENT_ERROR stats cachedump not allowed\r\n");
            }
            name => (StatsKind::Unknown(name), UNKNOWN_COMMAND),
        };
        self.act(Action::Stats(kind), line, false)
    }

    /// What belongs to whoever runs the server is refused in memcached's words for it, and what
    /// looks like HTTP is cut off, since it comes from a browser that was tricked.
    fn other(&self, name: &[u8]) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let line: &'static [u8] = match name {
            b"shutdown" => b"SERVER_ERROR: shutdown not enabled\r\n",
            b"watch" => b"CLIENT_ERROR watch commands not allowed\r\n",
            b"lru_crawler" => b"CLIENT_ERROR lru crawler disabled\r\n",
            b"slabs" => b"CLIENT_ERROR slab reassignment disabled\r\n",
            b"cache_memlimit" => b"MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n",
            _ if arguments.is_http() => return closing(self.consumed, b""),
            _ if self.consumed < 4 => BAD_FORMAT,
            _ => UNKNOWN_COMMAND,
        };
        self.refuse(line, &arguments)
    }

    /// A request about one key.
    fn kv(&self, op: Op<'a>, verb: Verb, arguments: &Arguments<'_>) -> Step<'a> {
        let key = op.key();
        let quiet = arguments.is_quiet();
        Step::Request {
            consumed: self.consumed,
            request: request(Action::Kv(op), key, Form { verb, quiet }),
        }
    }

    /// A request about no key, whose answer is known.
    fn act(&self, action: Action<'a>, line: &'static [u8], quiet: bool) -> Step<'a> {
        let verb = Verb::Line(line);
        Step::Request {
            consumed: self.consumed,
            request: request(action, b"", Form { verb, quiet }),
        }
    }

    /// An error, which is not written either if no reply was asked for.
    fn refuse(&self, line: &'static [u8], arguments: &Arguments<'_>) -> Step<'a> {
        answer(self.consumed, line, arguments.is_quiet())
    }

    /// An answer that is written in any case.
    pub(crate) fn answer(&self, line: &'static [u8]) -> Step<'a> {
        answer(self.consumed, line, false)
    }
}

/// A request for the text protocol.
pub(crate) fn request<'a>(action: Action<'a>, key: &'a [u8], form: Form) -> Request<'a> {
    Request {
        action,
        reply: crate::Reply {
            key,
            flags: b"",
            form: crate::reply::Form::Text(form),
        },
    }
}

/// Nothing to do but to write this line.
#[inline]
pub(crate) fn answer<'a>(consumed: usize, line: &'static [u8], quiet: bool) -> Step<'a> {
    let verb = Verb::Line(line);
    Step::Request {
        consumed,
        request: request(Action::Answer, b"", Form { verb, quiet }),
    }
}

/// Write this line and close.
fn closing<'a>(consumed: usize, line: &'static [u8]) -> Step<'a> {
    let verb = Verb::Line(line);
    let form = Form { verb, quiet: false };
    Step::Request {
        consumed,
        request: request(Action::Close, b"", form),
    }
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;
