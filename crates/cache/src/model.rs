//! A plain map with the same rules, which never forgets on its own; for tests.

use std::collections::HashMap;

use base::Timestamp;
use base::kv::{
    Arith, Delete, Expiry, Get, Item, Op, Outcome, Recache, Sink, Store, StoreMode, Value,
};

use crate::shard::NUMBER_LEN_MAX;

/// What a retrieval showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) value: Vec<u8>,
    /// Named by a pin instead of shown.
    pub(crate) pin: Option<base::kv::Pin>,
    pub(crate) flags: u32,
    pub(crate) cas: u64,
    pub(crate) expiry: Expiry,
    pub(crate) idle_s: u32,
    pub(crate) fetched: bool,
    pub(crate) stale: bool,
    pub(crate) recache: Recache,
}

/// A sink that keeps what it is shown.
#[derive(Default)]
pub(crate) struct Keep(pub(crate) Option<Seen>);

impl Sink for Keep {
    fn item(&mut self, item: &Item<'_>) {
        assert!(self.0.is_none(), "shown once");
        let (value, pin) = match item.value {
            Value::Inline(bytes) => (bytes.to_vec(), None),
            Value::Pinned(pin) => (Vec::new(), Some(pin)),
        };
        self.0 = Some(Seen {
            value,
            pin,
            flags: item.flags,
            cas: item.cas,
            expiry: item.expiry,
            idle_s: item.idle_s,
            fetched: item.fetched,
            stale: item.stale,
            recache: item.recache,
        });
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) value: Vec<u8>,
    flags: u32,
    pub(crate) cas: u64,
    expiry: Expiry,
    accessed_s: u32,
    fetched: bool,
    stale: bool,
    token_sent: bool,
}

impl Entry {
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.expiry.is_past(now)
    }
}

/// The map. Fresh CAS values are taken over from the cache, since their order is the cache's own.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) entries: HashMap<Vec<u8>, Entry>,
    pub(crate) flush_at: Option<Timestamp>,
    pub(crate) item_size_max: u64,
}

impl Model {
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if self.flush_at.is_some_and(|at| at <= now) {
            self.flush_at = None;
            self.entries.clear();
        }
    }

    /// Drops an item if it has ended.
    pub(crate) fn look(&mut self, now: Timestamp, key: &[u8]) -> Option<&mut Entry> {
        if self
            .entries
            .get(key)
            .is_some_and(|entry| entry.expiry.is_past(now))
        {
            self.entries.remove(key);
        }
        self.entries.get_mut(key)
    }

    fn too_large(&self, key: &[u8], flags: u32, len: usize) -> bool {
        let flags_len = if flags == 0 { 0 } else { 4 };
        (59 + key.len() + flags_len + len) as u64 > self.item_size_max
    }

    /// What must come of it, given the CAS that the cache says the item has afterwards.
    pub(crate) fn execute(
        &mut self,
        now: Timestamp,
        op: &Op<'_>,
        cas: u64,
    ) -> (Outcome, Option<Seen>) {
        self.tick(now);
        match op {
            Op::Get(get) => self.get(now, get, cas),
            Op::Store(store) => (self.store(now, store, store.value, cas), None),
            Op::Delete(delete) => (self.delete(now, delete, cas), None),
            Op::Arith(arith) => self.arith(now, arith, cas),
        }
    }

    fn get(&mut self, now: Timestamp, op: &Get<'_>, cas: u64) -> (Outcome, Option<Seen>) {
        let now_s = now.unix_secs();
        if self.look(now, op.key).is_none() {
            let Some(expiry) = op.vivify else {
                return (Outcome::Miss, None);
            };
            let entry = Entry {
                value: Vec::new(),
                flags: 0,
                cas: op.new_cas.filter(|cas| *cas != 0).unwrap_or(cas),
                expiry,
                accessed_s: now_s,
                fetched: !op.peek,
                stale: false,
                token_sent: true,
            };
            let seen = Seen {
                recache: Recache::Won,
                fetched: false,
                expiry: shown_of_new(op.expiry_before, expiry),
                ..seen(&entry, now_s)
            };
            self.entries.insert(op.key.to_vec(), entry);
            return (Outcome::Hit, Some(seen));
        }
        let Some(entry) = self.look(now, op.key) else {
            return (Outcome::Miss, None);
        };
        let end = op.touch.filter(|_| op.touch_first).unwrap_or(entry.expiry);
        let soon = |below: u32| end != Expiry::NEVER && end.unix_secs() < now_s + below;
        let mut shown = seen(entry, now_s);
        shown.recache = if !op.may_recache {
            Recache::No
        } else if entry.token_sent {
            Recache::Lost
        } else if entry.stale || op.recache_below_s.is_some_and(soon) {
            entry.token_sent = true;
            Recache::Won
        } else {
            Recache::No
        };
        if let Some(expiry) = op.touch {
            entry.expiry = expiry;
            if !op.expiry_before {
                shown.expiry = expiry;
            }
        }
        if !op.peek {
            entry.fetched = true;
            entry.accessed_s = now_s;
        }
        (Outcome::Hit, Some(shown))
    }

    fn store(&mut self, now: Timestamp, op: &Store<'_>, value: &[u8], cas: u64) -> Outcome {
        if self.too_large(op.key, op.flags, value.len()) {
            if op.mode == StoreMode::Set && op.compare_cas.is_none() {
                self.entries.remove(op.key);
            }
            return Outcome::TooLarge;
        }
        self.store_arrived(now, op, value, cas)
    }

    /// A store of a value whose length was found right when it was announced.
    pub(crate) fn store_arrived(
        &mut self,
        now: Timestamp,
        op: &Store<'_>,
        value: &[u8],
        cas: u64,
    ) -> Outcome {
        let joins = matches!(op.mode, StoreMode::Append | StoreMode::Prepend);
        let mut fresh = Entry {
            value: value.to_vec(),
            flags: op.flags,
            cas: op.new_cas.filter(|cas| *cas != 0).unwrap_or(cas),
            expiry: op.expiry,
            accessed_s: now.unix_secs(),
            fetched: false,
            stale: false,
            token_sent: false,
        };
        let Some(old) = self.look(now, op.key).map(|entry| entry.clone()) else {
            match op.mode {
                StoreMode::Set | StoreMode::Replace if op.compare_cas.is_some() => {
                    return Outcome::NotFound;
                }
                StoreMode::Replace => return Outcome::NotStored,
                StoreMode::Append | StoreMode::Prepend => match op.vivify {
                    Some(expiry) => fresh.expiry = expiry,
                    None => return Outcome::NotStored,
                },
                StoreMode::Set | StoreMode::Add => {}
            }
            return self.put(op.key, fresh);
        };
        match (op.mode, op.compare_cas) {
            (StoreMode::Add, _) => {
                if let Some(entry) = self.entries.get_mut(op.key) {
                    entry.accessed_s = now.unix_secs();
                }
                return Outcome::NotStored;
            }
            (_, Some(given)) if joins && given != 0 && given != old.cas => return Outcome::Exists,
            (_, Some(given)) if !joins && given != old.cas => {
                if !op.invalidate || given == 0 || given > old.cas {
                    return Outcome::Exists;
                }
                fresh.stale = true;
                fresh.token_sent = old.token_sent;
                fresh.expiry = old.expiry;
            }
            _ => {}
        }
        if joins {
            if self.too_large(op.key, old.flags, old.value.len() + value.len()) {
                return Outcome::NotStored;
            }
            fresh.flags = old.flags;
            fresh.expiry = old.expiry;
            fresh.value = if op.mode == StoreMode::Append {
                [&old.value, value].concat()
            } else {
                [value, &old.value].concat()
            };
        }
        self.put(op.key, fresh)
    }

    fn put(&mut self, key: &[u8], entry: Entry) -> Outcome {
        let outcome = Outcome::Stored {
            cas: entry.cas,
            value_len: entry.value.len() as u32,
        };
        self.entries.insert(key.to_vec(), entry);
        outcome
    }

    fn delete(&mut self, now: Timestamp, op: &Delete<'_>, cas: u64) -> Outcome {
        let Some(entry) = self.look(now, op.key) else {
            return Outcome::NotFound;
        };
        if op.compare_cas.is_some_and(|given| given != entry.cas) {
            return Outcome::Exists;
        }
        if !op.invalidate && !op.clear_value {
            self.entries.remove(op.key);
            return Outcome::Deleted;
        }
        let given = op.new_cas.filter(|cas| *cas != 0);
        if op.clear_value {
            entry.value.clear();
            entry.flags = 0;
            entry.expiry = op.touch.unwrap_or(Expiry::NEVER);
            entry.accessed_s = now.unix_secs();
            entry.fetched = false;
            entry.stale = false;
            entry.token_sent = false;
            entry.cas = given.unwrap_or(entry.cas);
        }
        if op.invalidate {
            entry.stale = true;
            entry.token_sent = false;
            entry.cas = given.unwrap_or(cas);
            entry.expiry = op.touch.unwrap_or(entry.expiry);
        }
        Outcome::Deleted
    }

    fn arith(&mut self, now: Timestamp, op: &Arith<'_>, cas: u64) -> (Outcome, Option<Seen>) {
        let now_s = now.unix_secs();
        let cas = op.new_cas.filter(|cas| *cas != 0).unwrap_or(cas);
        let Some(entry) = self.look(now, op.key) else {
            let Some((number, expiry)) = op.initial else {
                return (Outcome::NotFound, None);
            };
            let entry = Entry {
                value: number.to_string().into_bytes(),
                flags: 0,
                cas,
                expiry,
                accessed_s: now_s,
                fetched: false,
                stale: false,
                token_sent: false,
            };
            let mut shown = seen(&entry, now_s);
            shown.expiry = shown_of_new(op.expiry_before, expiry);
            self.entries.insert(op.key.to_vec(), entry);
            return (Outcome::Hit, Some(shown));
        };
        if entry.value.is_empty() {
            return (Outcome::NonNumeric, None);
        }
        if op
            .compare_cas
            .is_some_and(|given| given != 0 && given != entry.cas)
        {
            return (Outcome::Exists, None);
        }
        let len = entry.value.len();
        let Some(number) = number(&entry.value) else {
            return (Outcome::NonNumeric, None);
        };
        let number = if op.decrement {
            number.saturating_sub(op.delta)
        } else {
            number.wrapping_add(op.delta)
        };
        let mut shown = seen(entry, now_s);
        let digits = number.to_string().into_bytes();
        entry.cas = cas;
        entry.expiry = op.touch.unwrap_or(entry.expiry);
        entry.accessed_s = now_s;
        entry.value = digits.clone();
        entry.value.resize(digits.len().max(len), b' ');
        shown.value = digits;
        shown.cas = cas;
        if !op.expiry_before {
            shown.expiry = entry.expiry;
        }
        shown.recache = Recache::No;
        (Outcome::Hit, Some(shown))
    }
}

/// What C's `strtoull` makes of a value, told by Rust's own parser.
fn number(value: &[u8]) -> Option<u64> {
    let text: String = value.iter().map(|byte| char::from(*byte)).collect();
    let text = text
        .split('\0')
        .next()
        .filter(|_| value.len() <= NUMBER_LEN_MAX)?;
    let space = |c: char| " \t\n\x0b\x0c\r".contains(c);
    let word = text.trim_start_matches(space).split(space).next()?;
    let number: i128 = word.parse().ok()?;
    if number.unsigned_abs() > u128::from(u64::MAX) {
        return None;
    }
    let number = number as u64;
    (number >> 63 == 0 || !text.contains('-')).then_some(number)
}

/// The end that is shown of an item that was created.
fn shown_of_new(before: bool, expiry: Expiry) -> Expiry {
    if before { Expiry::NEVER } else { expiry }
}

fn seen(entry: &Entry, now_s: u32) -> Seen {
    Seen {
        value: entry.value.clone(),
        pin: None,
        flags: entry.flags,
        cas: entry.cas,
        expiry: entry.expiry,
        idle_s: (now_s - entry.accessed_s) & 0xff_ffff,
        fetched: entry.fetched,
        stale: entry.stale,
        recache: Recache::No,
    }
}
