//! A little server for the tests: the decoder and the replies around a plain map.

use std::collections::HashMap;

use base::Timestamp;
use base::kv::{
    Arith, Delete, Expiry, Get, INLINE_VALUE_LEN_MAX, Item, Op, Outcome, Pin, Recache, Sink, Store,
    StoreMode, Value,
};

use crate::request::{Action, StatsKind};
use crate::{Decoder, KeyBuf, Limits, Reply, ReplySink, Step};

/// The time of all tests.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[derive(Clone, Debug)]
struct Entry {
    value: Vec<u8>,
    flags: u32,
    cas: u64,
    end: Expiry,
    stale: bool,
    token_sent: bool,
    fetched: bool,
}

/// One connection to a server of its own.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) decoder: Decoder,
    pub(crate) limits: Limits,
    /// Every operation on a key is denied.
    pub(crate) denies: bool,
    /// It closed the connection.
    pub(crate) closed: bool,
    /// How many bytes it kept at most between two calls.
    pub(crate) kept_max: usize,
    /// What came of flushes.
    pub(crate) flushes: Vec<Option<std::time::Duration>>,
    items: HashMap<Vec<u8>, Entry>,
    rest: Vec<u8>,
    large: Option<(crate::OwnedReply, Vec<u8>, LargeStore)>,
    cas: u64,
}

/// A store that waits for its value.
#[derive(Debug)]
struct LargeStore {
    key: Vec<u8>,
    flags: u32,
    expiry: Expiry,
    mode: StoreMode,
    compare_cas: Option<u64>,
}

/// Everything that a server answers to this input.
pub(crate) fn talk(input: &[u8]) -> Vec<u8> {
    Server::new().talk(input)
}

/// The same as text, for what is text.
pub(crate) fn talk_text(input: &str) -> String {
    String::from_utf8_lossy(&talk(input.as_bytes())).into_owned()
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            limits: Limits {
                item_size_max: 1 << 20,
            },
            denies: false,
            closed: false,
            kept_max: 0,
            flushes: Vec::new(),
            items: HashMap::new(),
            rest: Vec::new(),
            large: None,
            cas: 0,
        }
    }

    /// Takes a piece of input; gives what it answers.
    pub(crate) fn talk(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.rest);
        input.extend_from_slice(piece);
        let mut out = Vec::new();
        let mut consumed = 0;
        let mut key_buf = KeyBuf::new();
        while !self.closed {
            let step = self
                .decoder
                .decode(NOW, &input[consumed..], &self.limits, &mut key_buf);
            match step {
                Step::Incomplete => break,
                Step::Skip { consumed: len } => {
                    assert!(len > 0, "a skip of nothing goes round for ever");
                    consumed += len;
                }
                Step::Request {
                    consumed: len,
                    request,
                } => {
                    consumed += len;
                    let denied = self.act(request.action, &request.reply, &mut out);
                    if denied {
                        self.decoder.abandon();
                    }
                }
                Step::Body {
                    consumed: len,
                    bytes,
                } => {
                    assert_eq!(len, bytes.len());
                    consumed += len;
                    if let Some((_, value, _)) = &mut self.large {
                        value.extend_from_slice(bytes);
                    }
                }
                Step::BodyEnd {
                    consumed: len,
                    intact,
                } => {
                    consumed += len;
                    self.end_large(intact, &mut out);
                }
            }
        }
        self.rest = input.split_off(consumed);
        self.kept_max = self.kept_max.max(self.rest.len());
        out
    }

    /// The same in pieces of this length.
    pub(crate) fn talk_in_pieces(&mut self, input: &[u8], len: usize) -> Vec<u8> {
        input
            .chunks(len)
            .flat_map(|piece| self.talk(piece))
            .collect()
    }

    /// Whether it was denied.
    fn act(&mut self, action: Action<'_>, reply: &Reply<'_>, out: &mut Vec<u8>) -> bool {
        let owned = reply.into_owned();
        assert_eq!(owned.borrow(), *reply);
        match action {
            Action::Kv(_) if self.denies => {
                reply.outcome(Outcome::Denied, out);
                return true;
            }
            Action::Kv(op) => {
                let mut sink = ReplySink::new(reply, NOW, out);
                let (outcome, value) = self.execute(&op, &mut sink);
                if let Some((_, tail)) = sink.pinned {
                    out.extend_from_slice(&value);
                    out.extend_from_slice(tail.as_bytes());
                }
                reply.outcome(outcome, out);
            }
            Action::StoreLarge { store, len } => {
                let large = LargeStore {
                    key: store.key.to_vec(),
                    flags: store.flags,
                    expiry: store.expiry,
                    mode: store.mode,
                    compare_cas: store.compare_cas,
                };
                assert!(len as usize > INLINE_VALUE_LEN_MAX && len <= self.limits.item_size_max);
                self.large = Some((owned, Vec::new(), large));
            }
            Action::Refused { key, drop_old } => {
                if drop_old {
                    self.items.remove(key);
                }
                reply.outcome(Outcome::TooLarge, out);
            }
            Action::FlushAll { delay } => {
                self.flushes.push(delay);
                if delay.is_none() {
                    self.items.clear();
                }
                reply.answer(out);
            }
            Action::Stats(
                StatsKind::General
                | StatsKind::Settings
                | StatsKind::Items
                | StatsKind::Slabs
                | StatsKind::Sizes
                | StatsKind::Conns,
            ) => {
                reply.stat(b"curr_items", b"7", out);
                reply.stats_end(out);
            }
            Action::Stats(_) | Action::Verbosity | Action::Answer => reply.answer(out),
            Action::Close => {
                reply.answer(out);
                self.closed = true;
            }
        }
        false
    }

    fn end_large(&mut self, intact: bool, out: &mut Vec<u8>) {
        let (reply, value, large) = self.large.take().expect("a large store was begun");
        if !intact {
            return reply.borrow().bad_body(out);
        }
        let outcome = self.store(&Store {
            key: &large.key,
            value: &value,
            flags: large.flags,
            expiry: large.expiry,
            mode: large.mode,
            compare_cas: large.compare_cas,
            new_cas: None,
            invalidate: false,
            vivify: None,
        });
        reply.borrow().outcome(outcome, out);
    }

    fn execute(&mut self, op: &Op<'_>, sink: &mut ReplySink<'_, '_>) -> (Outcome, Vec<u8>) {
        self.items.retain(|_, entry| !entry.end.is_past(NOW));
        match op {
            Op::Get(get) => self.get(get, sink),
            Op::Store(store) => (self.store(store), Vec::new()),
            Op::Delete(delete) => (self.delete(delete), Vec::new()),
            Op::Arith(arith) => (self.arith(arith, sink), Vec::new()),
        }
    }

    fn next_cas(&mut self, given: Option<u64>) -> u64 {
        self.cas += 1;
        given.unwrap_or(self.cas)
    }

    fn get(&mut self, get: &Get<'_>, sink: &mut ReplySink<'_, '_>) -> (Outcome, Vec<u8>) {
        let mut created = false;
        if let (Some(end), false) = (get.vivify, self.items.contains_key(get.key)) {
            let cas = self.next_cas(get.new_cas);
            self.items
                .insert(get.key.to_vec(), Entry::new(b"", 0, cas, end));
            created = true;
        }
        let Some(entry) = self.items.get_mut(get.key) else {
            return (Outcome::Miss, Vec::new());
        };
        let touch = get.touch.filter(|_| !created);
        let before = if created { Expiry::NEVER } else { entry.end };
        entry.end = touch.unwrap_or(entry.end);
        let judged = if get.touch_first { entry.end } else { before };
        let is_due = judged.secs_left(NOW) < get.recache_below_s
            && judged != Expiry::NEVER
            && get.recache_below_s.is_some();
        let recache = match entry.token_sent {
            true if get.may_recache => Recache::Lost,
            false if get.may_recache && (created || is_due || entry.stale) => Recache::Won,
            _ => Recache::No,
        };
        entry.token_sent |= recache == Recache::Won;
        let value = entry.value.clone();
        let is_large = value.len() > INLINE_VALUE_LEN_MAX;
        sink.item(&Item {
            value: match is_large && get.wants_value(entry.cas) {
                true => Value::Pinned(Pin {
                    token: 1,
                    len: value.len() as u32,
                }),
                false => Value::Inline(&value),
            },
            flags: entry.flags,
            cas: entry.cas,
            expiry: [entry.end, before][usize::from(get.expiry_before)],
            idle_s: 0,
            fetched: entry.fetched,
            stale: entry.stale,
            recache,
        });
        entry.fetched |= !get.peek;
        (Outcome::Hit, value)
    }

    fn store(&mut self, store: &Store<'_>) -> Outcome {
        let old = self.items.get(store.key).cloned();
        if let (Some(cas), Some(old)) = (store.compare_cas, &old)
            && old.cas != cas
            && !(store.invalidate && cas < old.cas)
        {
            return Outcome::Exists;
        }
        let stale = match (store.compare_cas, &old) {
            (Some(_), None) => return Outcome::NotFound,
            (Some(cas), Some(old)) => old.cas != cas,
            _ => false,
        };
        let mut entry = Entry::new(store.value, store.flags, 0, store.expiry);
        entry.stale = stale;
        match (store.mode, old) {
            (StoreMode::Set, _) | (StoreMode::Add, None) | (StoreMode::Replace, Some(_)) => {}
            (StoreMode::Append, Some(old)) => {
                entry.value = [&old.value[..], store.value].concat();
                (entry.flags, entry.end) = (old.flags, old.end);
            }
            (StoreMode::Prepend, Some(old)) => {
                entry.value = [store.value, &old.value[..]].concat();
                (entry.flags, entry.end) = (old.flags, old.end);
            }
            (StoreMode::Append | StoreMode::Prepend, None) if store.vivify.is_some() => {
                entry.end = store.vivify.unwrap_or(Expiry::NEVER);
            }
            _ => return Outcome::NotStored,
        }
        entry.cas = self.next_cas(store.new_cas);
        let stored = Outcome::Stored {
            cas: entry.cas,
            value_len: entry.value.len() as u32,
        };
        self.items.insert(store.key.to_vec(), entry);
        stored
    }

    fn delete(&mut self, delete: &Delete<'_>) -> Outcome {
        let cas = self.next_cas(delete.new_cas);
        let Some(entry) = self.items.get_mut(delete.key) else {
            return Outcome::NotFound;
        };
        if delete.compare_cas.is_some_and(|cas| cas != entry.cas) {
            return Outcome::Exists;
        }
        if delete.clear_value {
            (entry.value, entry.flags) = (Vec::new(), 0);
        }
        if delete.invalidate {
            (entry.stale, entry.token_sent, entry.cas) = (true, false, cas);
            entry.end = delete.touch.unwrap_or(entry.end);
        } else if !delete.clear_value {
            self.items.remove(delete.key);
        }
        Outcome::Deleted
    }

    fn arith(&mut self, arith: &Arith<'_>, sink: &mut ReplySink<'_, '_>) -> Outcome {
        let cas = self.next_cas(arith.new_cas);
        let old = self.items.get(arith.key).map(|entry| entry.end);
        if let (Some((initial, end)), None) = (arith.initial, self.items.get(arith.key)) {
            let entry = Entry::new(initial.to_string().as_bytes(), 0, cas, end);
            self.items.insert(arith.key.to_vec(), entry);
        } else {
            let Some(entry) = self.items.get_mut(arith.key) else {
                return Outcome::NotFound;
            };
            if arith.compare_cas.is_some_and(|cas| cas != entry.cas) {
                return Outcome::Exists;
            }
            let Some(number) = crate::number::parse_u64(&entry.value) else {
                return Outcome::NonNumeric;
            };
            let number = match arith.decrement {
                true => number.saturating_sub(arith.delta),
                false => number.wrapping_add(arith.delta),
            };
            entry.value = number.to_string().into_bytes();
            entry.cas = cas;
        }
        let Some(entry) = self.items.get_mut(arith.key) else {
            return Outcome::NotFound;
        };
        entry.end = arith.touch.filter(|_| old.is_some()).unwrap_or(entry.end);
        let before = old.unwrap_or(Expiry::NEVER);
        let expiry = [entry.end, before][usize::from(arith.expiry_before)];
        sink.item(&Item {
            value: Value::Inline(&entry.value),
            flags: entry.flags,
            cas: entry.cas,
            expiry,
            idle_s: 0,
            fetched: entry.fetched,
            stale: entry.stale,
            recache: Recache::No,
        });
        Outcome::Hit
    }
}

impl Entry {
    fn new(value: &[u8], flags: u32, cas: u64, end: Expiry) -> Self {
        Self {
            value: value.to_vec(),
            flags,
            cas,
            end,
            stale: false,
            token_sent: false,
            fetched: false,
        }
    }
}
