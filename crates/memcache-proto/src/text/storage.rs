//! Commands that carry a value, and the value itself, for the classic and the meta protocol alike.

use base::Timestamp;
use base::kv::{INLINE_VALUE_LEN_MAX, KEY_LEN_MAX, Op, Store, StoreMode};

use super::errors::{BAD_DATA_CHUNK, BAD_FORMAT};
use super::reply::{Form, Verb};
use super::words::Arguments;
use super::{Command, answer};
use crate::decoder::{Context, Limits, State, Step};
use crate::reply::Reply;
use crate::request::{Action, Request};
use crate::{exptime, number};

/// The longest length that memcached reads at all: what it is, is skipped if it cannot be stored.
const VALUE_LEN_MAX: i32 = i32::MAX - 2;

/// A value's length, if it is one.
pub(crate) fn value_len(word: &[u8]) -> Option<u32> {
    let len = number::parse_i32(word).filter(|len| *len <= VALUE_LEN_MAX)?;
    u32::try_from(len).ok()
}

impl<'a> Command<'a> {
    /// `set`, `add`, `replace`, `append`, `prepend` and `cas`.
    pub(super) fn store(
        &self,
        mode: StoreMode,
        with_cas: bool,
        state: &mut State,
        context: Context<'_, 'a>,
    ) -> Step<'a> {
        let arguments = Arguments::of(self.rest);
        let len = match arguments.count() {
            ..4 => None,
            _ => value_len(arguments.word(3)),
        };
        let Some(len) = len else {
            return self.answer(BAD_FORMAT);
        };
        let quiet = arguments.is_quiet();
        let Some(store) = store(&arguments, mode, with_cas, context.now) else {
            return self.refuse_value(len, BAD_FORMAT, quiet, state);
        };
        let verb = Verb::Store;
        let reply = Reply {
            key: store.key,
            flags: b"",
            form: crate::reply::Form::Text(Form { verb, quiet }),
        };
        self.value(store, len, reply, state, context.limits)
    }

    /// Answers with an error, and skips the value.
    pub(crate) fn refuse_value(
        &self,
        len: u32,
        line: &'static [u8],
        quiet: bool,
        state: &mut State,
    ) -> Step<'a> {
        *state = skip(len);
        answer(self.consumed, line, quiet)
    }

    /// Takes the value that follows the line, if it is here and not too large.
    pub(crate) fn value(
        &self,
        store: Store<'a>,
        len: u32,
        reply: Reply<'a>,
        state: &mut State,
        limits: &Limits,
    ) -> Step<'a> {
        if len > limits.item_size_max {
            *state = skip(len);
            let action = Action::Refused {
                key: store.key,
                drop_old: store.mode == StoreMode::Set && store.compare_cas.is_none(),
            };
            return self.request(self.consumed, action, reply);
        }
        let value_len = len as usize;
        if value_len > INLINE_VALUE_LEN_MAX {
            *state = State::Body {
                left: len,
                line_end: true,
            };
            let action = Action::StoreLarge { store, len };
            return self.request(self.consumed, action, reply);
        }
        let body = &self.input[self.consumed..];
        let (Some(value), Some(end)) = (body.get(..value_len), body.get(value_len..value_len + 2))
        else {
            return Step::Incomplete;
        };
        let consumed = self.consumed + value_len + 2;
        if end != b"\r\n" {
            let quiet = matches!(
                reply.form,
                crate::reply::Form::Text(Form { quiet: true, .. })
            );
            return answer(consumed, BAD_DATA_CHUNK, quiet);
        }
        let store = Store { value, ..store };
        self.request(consumed, Action::Kv(Op::Store(store)), reply)
    }

    fn request(&self, consumed: usize, action: Action<'a>, reply: Reply<'a>) -> Step<'a> {
        Step::Request {
            consumed,
            request: Request { action, reply },
        }
    }
}

/// The store that the line asks for, without its value.
fn store<'a>(
    arguments: &Arguments<'a>,
    mode: StoreMode,
    with_cas: bool,
    now: Timestamp,
) -> Option<Store<'a>> {
    let key = arguments.word(0);
    let flags = u32::try_from(number::parse_i64(arguments.word(1))?).ok()?;
    let exptime = number::parse_i64(arguments.word(2))?;
    let compare_cas = match with_cas {
        true => Some(number::parse_u64(arguments.word(4))?),
        false => None,
    };
    (key.len() <= KEY_LEN_MAX).then_some(Store {
        key,
        value: b"",
        flags,
        expiry: exptime::expiry(exptime, now),
        mode,
        compare_cas,
        new_cas: None,
        invalidate: false,
        vivify: None,
    })
}

/// The value and its line end.
fn skip(len: u32) -> State {
    State::Skip {
        left: u64::from(len) + 2,
    }
}

#[cfg(test)]
#[path = "storage_test.rs"]
mod tests;
