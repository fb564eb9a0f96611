//! The meta commands: `mg`, `ms`, `md`, `ma` and `me` as operations on keys.

mod flags;
pub(crate) mod reply;

use base::Timestamp;
use base::kv::{Arith, Delete, Expiry, Get, KEY_LEN_MAX, Op, Store, StoreMode};

use crate::base64_key;
use crate::decoder::{Context, KeyBuf, State, Step};
use crate::reply::Reply;
use crate::request::{Action, Request};
use crate::text::errors::{
    BAD_ARITH_FLAG, BAD_ARITH_MODE, BAD_BASE64_KEY, BAD_FORMAT, BAD_STORE_MODE, OPAQUE_TOO_LONG,
};
use crate::text::words::Words;
use crate::text::{Command, value_len};
use flags::Flags;
use reply::{Form, Verb};

/// `mg <key> <flags>*`
pub(crate) fn get<'a>(command: &Command<'a>, context: Context<'_, 'a>) -> Step<'a> {
    let line = match Parsed::of(command.rest, 2, context.now, context.key_buf) {
        Ok(line) => line,
        Err(error) => return command.answer(error),
    };
    let op = Op::Get(Get {
        key: line.key,
        value: line.flags.value,
        known_cas: line.flags.compare_cas,
        touch: line.flags.ttl,
        vivify: line.flags.end_of_new(),
        may_recache: true,
        recache_below_s: line.flags.recache_below_s,
        touch_first: line.flags.touch_first,
        expiry_before: line.flags.expiry_before,
        new_cas: line.flags.new_cas,
        peek: line.flags.peek,
    });
    line.request(command, op, Verb::Get)
}

/// `ms <key> <length> <flags>*`, and the value on a line of its own.
pub(crate) fn set<'a>(
    command: &Command<'a>,
    state: &mut State,
    context: Context<'_, 'a>,
) -> Step<'a> {
    let Context {
        now,
        limits,
        key_buf,
        ..
    } = context;
    let mut words = Words::of(command.rest);
    let (Some(key), Some(len)) = (words.next(), words.next().and_then(value_len)) else {
        return command.answer(BAD_FORMAT);
    };
    let line = match Parsed::from_parts(key, words.rest(), 3, now, key_buf) {
        Ok(line) => line,
        Err(error) => return command.refuse_value(len, error, false, state),
    };
    let Some(mode) = store_mode(line.flags.mode) else {
        return command.refuse_value(len, BAD_STORE_MODE, false, state);
    };
    let store = store(&line, mode);
    let reply = line.reply(Verb::Set, len);
    command.value(store, len, reply, state, limits)
}

/// `md <key> <flags>*`
pub(crate) fn delete<'a>(command: &Command<'a>, context: Context<'_, 'a>) -> Step<'a> {
    let line = match Parsed::of(command.rest, 2, context.now, context.key_buf) {
        Ok(line) => line,
        Err(error) => return command.answer(error),
    };
    let op = Op::Delete(Delete {
        key: line.key,
        compare_cas: line.flags.compare_cas,
        new_cas: line.flags.new_cas,
        invalidate: line.flags.invalidate,
        touch: line.flags.ttl,
        clear_value: line.flags.clear_value,
    });
    line.request(command, op, Verb::Delete)
}

/// `ma <key> <flags>*`
pub(crate) fn arith<'a>(command: &Command<'a>, context: Context<'_, 'a>) -> Step<'a> {
    let mut words = Words::of(command.rest);
    let Some(key) = words.next() else {
        return command.answer(BAD_FORMAT);
    };
    let line = match Parsed::from_parts(key, words.rest(), 2, context.now, context.key_buf) {
        Ok(line) => line,
        Err(OPAQUE_TOO_LONG) => return command.answer(OPAQUE_TOO_LONG),
        Err(_) => return command.answer(BAD_ARITH_FLAG),
    };
    let decrement = match line.flags.mode {
        None | Some(b'I' | b'+') => false,
        Some(b'D' | b'-') => true,
        Some(_) => return command.answer(BAD_ARITH_MODE),
    };
    let op = Op::Arith(Arith {
        key: line.key,
        delta: line.flags.delta.unwrap_or(1),
        decrement,
        initial: (line.flags.end_of_new()).map(|end| (line.flags.initial, end)),
        touch: line.flags.ttl,
        expiry_before: line.flags.expiry_before,
        compare_cas: line.flags.compare_cas.filter(|cas| *cas != 0),
        new_cas: line.flags.new_cas,
    });
    line.request(command, op, Verb::Arith)
}

/// `me <key> [b]`
pub(crate) fn debug<'a>(command: &Command<'a>, context: Context<'_, 'a>) -> Step<'a> {
    let mut words = Words::of(command.rest);
    let Some(key) = words.next().filter(|key| key.len() <= KEY_LEN_MAX) else {
        return command.answer(BAD_FORMAT);
    };
    let base64 = words.next() == Some(b"b");
    let key = match base64 {
        true => base64_key::decode(key, context.key_buf),
        false => Some(key),
    };
    let Some(key) = key else {
        return command.answer(BAD_FORMAT);
    };
    let line = Parsed {
        key,
        text: b"",
        flags: Flags {
            base64,
            ..Flags::default()
        },
    };
    let op = Op::Get(Get {
        value: false,
        peek: true,
        ..Get::plain(key)
    });
    line.request(command, op, Verb::Debug)
}

/// A line that is well formed.
struct Parsed<'a> {
    key: &'a [u8],
    /// The flags as they came, to be given back in their order.
    text: &'a [u8],
    flags: Flags,
}

impl<'a> Parsed<'a> {
    fn of(
        rest: &'a [u8],
        words_before: usize,
        now: Timestamp,
        key_buf: &'a mut KeyBuf,
    ) -> Result<Self, &'static [u8]> {
        let mut words = Words::of(rest);
        let key = words.next().ok_or(BAD_FORMAT)?;
        Self::from_parts(key, words.rest(), words_before, now, key_buf)
    }

    fn from_parts(
        key: &'a [u8],
        text: &'a [u8],
        words_before: usize,
        now: Timestamp,
        key_buf: &'a mut KeyBuf,
    ) -> Result<Self, &'static [u8]> {
        if key.len() > KEY_LEN_MAX {
            return Err(BAD_FORMAT);
        }
        let flags = Flags::read(text, words_before, now)?;
        let key = match flags.base64 {
            true => base64_key::decode(key, key_buf).ok_or(BAD_BASE64_KEY)?,
            false => key,
        };
        Ok(Self { key, text, flags })
    }

    fn reply(&self, verb: Verb, sent_len: u32) -> Reply<'a> {
        Reply {
            key: self.key,
            flags: self.text,
            form: crate::reply::Form::Meta(Form {
                verb,
                quiet: self.flags.quiet,
                base64: self.flags.base64,
                value: self.flags.value,
                known_cas: self.flags.compare_cas.filter(|_| verb == Verb::Get),
                sent_len,
            }),
        }
    }

    fn request(&self, command: &Command<'a>, op: Op<'a>, verb: Verb) -> Step<'a> {
        Step::Request {
            consumed: command.consumed,
            request: Request {
                action: Action::Kv(op),
                reply: self.reply(verb, 0),
            },
        }
    }
}

/// The mode that a letter names.
fn store_mode(letter: Option<u8>) -> Option<StoreMode> {
    Some(match letter {
        None | Some(b'S') => StoreMode::Set,
        Some(b'E') => StoreMode::Add,
        Some(b'A') => StoreMode::Append,
        Some(b'P') => StoreMode::Prepend,
        Some(b'R') => StoreMode::Replace,
        Some(_) => return None,
    })
}

/// With a CAS to compare, a set and a replacement are the same; an addition has none to compare.
fn store<'a>(line: &Parsed<'a>, mode: StoreMode) -> Store<'a> {
    let flags = &line.flags;
    let compares = flags.compare_cas.is_some();
    let mode = match mode {
        StoreMode::Replace if compares => StoreMode::Set,
        mode => mode,
    };
    let is_joining = matches!(mode, StoreMode::Append | StoreMode::Prepend);
    Store {
        key: line.key,
        value: b"",
        flags: flags.client_flags,
        expiry: flags.ttl.unwrap_or(Expiry::NEVER),
        mode,
        compare_cas: flags.compare_cas.filter(|_| mode != StoreMode::Add),
        new_cas: flags.new_cas,
        invalidate: flags.invalidate && compares && mode == StoreMode::Set,
        vivify: flags.vivify.filter(|_| is_joining),
    }
}

#[cfg(test)]
#[path = "meta_test.rs"]
mod tests;
