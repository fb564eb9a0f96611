//! Packets that carry a value.

use base::kv::{Expiry, INLINE_VALUE_LEN_MAX, Op, Store, StoreMode};

use super::header::{HEADER_LEN, opcode};
use super::reply::Kind;
use super::{Packet, invalid};
use crate::decoder::{Context, State, Step};
use crate::exptime;
use crate::request::Action;

impl<'a> Packet<'a> {
    /// `Set`, `Add`, `Replace`. With a CAS to compare they are all the same.
    pub(super) fn store(&self, state: &mut State, context: Context<'_, 'a>) -> Step<'a> {
        let (&[f0, f1, f2, f3, e0, e1, e2, e3], false) = (self.extras, self.key.is_empty()) else {
            return invalid(&self.header);
        };
        let compare_cas = self.compare_cas();
        let mode = match self.header.opcode {
            opcode::ADD | opcode::ADDQ if compare_cas.is_none() => StoreMode::Add,
            opcode::REPLACE | opcode::REPLACEQ if compare_cas.is_none() => StoreMode::Replace,
            _ => StoreMode::Set,
        };
        let exptime = u32::from_be_bytes([e0, e1, e2, e3]);
        let store = Store {
            flags: u32::from_be_bytes([f0, f1, f2, f3]),
            expiry: exptime::expiry(i64::from(exptime), context.now),
            ..self.bare(mode)
        };
        self.value(store, state, &context)
    }

    /// `Append`, `Prepend`.
    pub(super) fn join(&self, state: &mut State, context: Context<'_, 'a>) -> Step<'a> {
        if !self.extras.is_empty() || self.key.is_empty() {
            return invalid(&self.header);
        }
        let mode = match self.header.opcode {
            opcode::APPEND | opcode::APPENDQ => StoreMode::Append,
            _ => StoreMode::Prepend,
        };
        self.value(self.bare(mode), state, &context)
    }

    fn bare(&self, mode: StoreMode) -> Store<'a> {
        Store {
            key: self.key,
            value: b"",
            flags: 0,
            expiry: Expiry::NEVER,
            mode,
            compare_cas: self.compare_cas(),
            new_cas: None,
            invalidate: false,
            vivify: None,
        }
    }

    /// Takes the value that follows the key, if it is here and not too large.
    fn value(&self, store: Store<'a>, state: &mut State, context: &Context<'_, 'a>) -> Step<'a> {
        let kind = Kind::Store(store.mode);
        let head_len = self.header.head_len();
        let len = self.value_len;
        if len > context.limits.item_size_max {
            self.skip_value(state);
            let action = Action::Refused {
                key: store.key,
                drop_old: store.mode == StoreMode::Set && store.compare_cas.is_none(),
            };
            return self.request(head_len, action, kind);
        }
        if len as usize > INLINE_VALUE_LEN_MAX {
            *state = State::Body {
                left: len,
                line_end: false,
            };
            return self.request(head_len, Action::StoreLarge { store, len }, kind);
        }
        let end = HEADER_LEN + self.header.body_len as usize;
        match self.input.get(head_len..end) {
            Some(value) => {
                let store = Store { value, ..store };
                self.request(end, Action::Kv(Op::Store(store)), kind)
            }
            None => Step::Incomplete,
        }
    }
}

#[cfg(test)]
#[path = "storage_test.rs"]
mod tests;
