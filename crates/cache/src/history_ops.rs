//! The steps of a history that are one operation, done to the cache and to the map.

use base::kv::{Arith, Delete, Get, INLINE_VALUE_LEN_MAX, Op, Outcome, Store, StoreMode};

use crate::history::{Held, History};
use crate::model::{Keep, Seen};

impl History {
    pub(crate) fn operate(&mut self) {
        let key = self.key();
        match self.rng.below(100) {
            0..=44 => {
                let op = Get {
                    key: &key,
                    value: self.rng.below(10) > 0,
                    known_cas: self.maybe_cas(&key),
                    touch: self.maybe_expiry(),
                    vivify: self.maybe_expiry(),
                    may_recache: self.rng.below(4) != 0,
                    recache_below_s: (self.rng.below(6) == 0).then_some(self.rng.below(90) as u32),
                    touch_first: self.rng.below(2) == 0,
                    expiry_before: self.rng.below(4) == 0,
                    new_cas: self.maybe_new_cas(),
                    peek: self.rng.below(8) == 0,
                };
                self.both(&Op::Get(op));
            }
            45..=79 => {
                let mut value = self.value();
                value.truncate(INLINE_VALUE_LEN_MAX);
                let op = self.store(&key, &value);
                self.both(&Op::Store(op));
            }
            80..=87 => {
                let op = Delete {
                    key: &key,
                    compare_cas: self.maybe_cas(&key),
                    new_cas: self.maybe_new_cas(),
                    invalidate: self.rng.below(3) == 0,
                    touch: self.maybe_expiry(),
                    clear_value: self.rng.below(4) == 0,
                };
                self.both(&Op::Delete(op));
            }
            _ => {
                let op = Arith {
                    key: &key,
                    delta: self.rng.below(300),
                    decrement: self.rng.below(2) == 0,
                    initial: self.maybe_expiry().map(|expiry| (99_990, expiry)),
                    touch: self.maybe_expiry(),
                    expiry_before: self.rng.below(4) == 0,
                    compare_cas: self.maybe_cas(&key),
                    new_cas: self.maybe_new_cas(),
                };
                self.both(&Op::Arith(op));
            }
        }
    }

    pub(crate) fn mode(&mut self) -> StoreMode {
        match self.rng.below(12) {
            0 => StoreMode::Add,
            1 => StoreMode::Replace,
            2..=3 => StoreMode::Append,
            4 => StoreMode::Prepend,
            _ => StoreMode::Set,
        }
    }

    fn store<'a>(&mut self, key: &'a [u8], value: &'a [u8]) -> Store<'a> {
        Store {
            key,
            value,
            flags: if self.rng.below(3) == 0 {
                self.rng.next_u64() as u32
            } else {
                0
            },
            expiry: self.expiry(),
            mode: self.mode(),
            compare_cas: self.maybe_cas(key),
            new_cas: self.maybe_new_cas(),
            invalidate: self.rng.below(4) == 0,
            vivify: self.maybe_expiry(),
        }
    }

    /// Does it to both and compares. Where the cache has evicted the item, the map forgets it.
    fn both(&mut self, op: &Op<'_>) {
        let mut keep = Keep::default();
        self.model.tick(self.now);
        let present = self.model.look(self.now, op.key()).is_some();
        if present && !self.holds(op.key()) {
            self.model.entries.remove(op.key());
        }
        let outcome = self.cache.execute(self.now, op, &mut keep);
        if outcome == Outcome::OutOfMemory {
            self.forget_if_dropped(op.key());
            return;
        }
        let cas = self.cas_of(op, &outcome, keep.0.as_ref());
        let (expected, shown) = self.model.execute(self.now, op, cas);
        if let (Outcome::Hit, Outcome::Miss) = (expected, outcome) {
            // A large value that may not be held, or no room for a new item.
            assert!(!self.pins.is_empty() || !self.uploads.is_empty());
            self.model.entries.remove(op.key());
            let still = Op::Delete(delete(op.key()));
            self.cache.execute(self.now, &still, &mut Keep::default());
            return;
        }
        assert_eq!(outcome, expected, "{:?}", Brief(op));
        match (keep.0, shown) {
            (None, None) => {}
            (Some(seen), Some(shown)) => self.compare(op, seen, shown),
            (seen, shown) => panic!("shown {} expected {}", seen.is_some(), shown.is_some()),
        }
    }

    /// Whether the cache still has the key, asked without a trace.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        let op = Get {
            value: false,
            peek: true,
            ..Get::plain(key)
        };
        // A peek at a stale item wins its recache: ask by a CAS that nothing has instead.
        let probe = Delete {
            compare_cas: Some(u64::MAX - 100),
            ..delete(op.key)
        };
        let outcome = self
            .cache
            .execute(self.now, &Op::Delete(probe), &mut Keep::default());
        outcome == Outcome::Exists
    }

    pub(crate) fn forget_if_dropped(&mut self, key: &[u8]) {
        if !self.holds(key) {
            self.model.entries.remove(key);
        }
    }

    /// The CAS that the item has now, for the map to take over.
    fn cas_of(&mut self, op: &Op<'_>, outcome: &Outcome, seen: Option<&Seen>) -> u64 {
        let cas = match (outcome, seen) {
            (Outcome::Stored { cas, .. }, _) => *cas,
            (_, Some(seen)) => seen.cas,
            (Outcome::Deleted, _) => {
                let Op::Delete(delete) = op else {
                    return 0;
                };
                return if delete.invalidate {
                    self.peek_cas(op.key())
                } else {
                    0
                };
            }
            _ => 0,
        };
        assert!(cas != 0 || !matches!(outcome, Outcome::Stored { .. } | Outcome::Hit));
        cas
    }

    /// The CAS of an item, without winning its recache: a replacement refused says `Exists` only
    /// for another CAS, so the counter's order is used: it is the newest.
    fn peek_cas(&mut self, key: &[u8]) -> u64 {
        let mut keep = Keep::default();
        let get = Get {
            value: false,
            peek: true,
            ..Get::plain(key)
        };
        self.cache.execute(self.now, &Op::Get(get), &mut keep);
        let Some(seen) = keep.0 else {
            return 0;
        };
        // The peek won the recache, which the map must hear about: give it back.
        let op = Delete {
            compare_cas: Some(seen.cas),
            new_cas: Some(seen.cas),
            invalidate: true,
            ..delete(key)
        };
        let outcome = self
            .cache
            .execute(self.now, &Op::Delete(op), &mut Keep::default());
        assert_eq!(outcome, Outcome::Deleted);
        seen.cas
    }

    fn compare(&mut self, op: &Op<'_>, mut seen: Seen, shown: Seen) {
        self.hits += 1;
        if let Some(pin) = seen.pin.take() {
            assert_eq!(pin.len as usize, shown.value.len());
            assert!(shown.value.len() > INLINE_VALUE_LEN_MAX);
            let is_held = pin.token != 0;
            assert_eq!(is_held, wants_value(op, shown.cas), "{:?}", Brief(op));
            if is_held {
                self.pins.push(Held {
                    pin,
                    value: shown.value.clone(),
                    read: 0,
                    progress: self.now,
                    resizes: self.resizes,
                });
            }
            seen.value = shown.value.clone();
        }
        assert!(seen == shown, "{:?}: {seen:?} is not {shown:?}", Brief(op));
        assert!(seen.cas != 0);
    }
}

fn wants_value(op: &Op<'_>, cas: u64) -> bool {
    matches!(op, Op::Get(get) if get.wants_value(cas))
}

/// An operation without its value.
struct Brief<'a>(&'a Op<'a>);

impl std::fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Op::Store(store) => {
                let brief = Store {
                    value: &[],
                    ..store.clone()
                };
                write!(f, "{brief:?} of {} bytes", store.value.len())
            }
            other => write!(f, "{other:?}"),
        }
    }
}

fn delete(key: &[u8]) -> Delete<'_> {
    Delete {
        key,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    }
}
