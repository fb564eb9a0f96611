//! Random histories against the plain map: what the cache shows is the map's, or nothing.

use std::collections::HashMap;
use std::time::Duration;

use base::Timestamp;
use base::kv::{
    Arith, Delete, Expiry, Get, INLINE_VALUE_LEN_MAX, Op, Outcome, Pin, Reservation, Store,
    StoreMode,
};
use base::rng::Rng;

use crate::model::{Keep, Model, Seen};
use crate::{Config, TenantCache};

const START_S: u64 = 1_800_000_000;

/// How a history is drawn.
#[derive(Clone, Copy)]
struct Plan {
    quota_bytes: u64,
    item_size_max: u32,
    keys: u64,
    /// Typical length of a value; one in eight is drawn up to the item size.
    value_len: u64,
    steps: u32,
    /// Change quota and item size now and then.
    resizes: bool,
}

struct Upload {
    reservation: Reservation,
    value: Vec<u8>,
    sent: usize,
    store: OwnedStore,
}

#[derive(Clone)]
struct OwnedStore {
    key: Vec<u8>,
    flags: u32,
    expiry: Expiry,
    mode: StoreMode,
    compare_cas: Option<u64>,
}

impl OwnedStore {
    fn op<'a>(&'a self, value: &'a [u8]) -> Store<'a> {
        Store {
            key: &self.key,
            value,
            flags: self.flags,
            expiry: self.expiry,
            mode: self.mode,
            compare_cas: self.compare_cas,
            new_cas: None,
            invalidate: false,
            vivify: None,
        }
    }
}

struct Held {
    pin: Pin,
    value: Vec<u8>,
    read: usize,
    progress: Timestamp,
    resizes: u32,
}

struct History {
    rng: Rng,
    plan: Plan,
    cache: TenantCache,
    model: Model,
    now: Timestamp,
    uploads: Vec<Upload>,
    pins: Vec<Held>,
    resizes: u32,
    cas_seen: HashMap<u64, ()>,
    hits: u64,
}

impl History {
    fn new(seed: u64, plan: Plan) -> Self {
        let now = Timestamp::from_secs(START_S);
        let config = Config {
            quota_bytes: plan.quota_bytes,
            item_size_max: plan.item_size_max,
            hash_key: [seed as u8; 16],
        };
        let cache = TenantCache::new(config, now).expect("a plan that fits");
        let model = Model {
            item_size_max: u64::from(plan.item_size_max),
            ..Model::default()
        };
        Self {
            rng: Rng::new(seed),
            plan,
            cache,
            model,
            now,
            uploads: Vec::new(),
            pins: Vec::new(),
            resizes: 0,
            cas_seen: HashMap::new(),
            hits: 0,
        }
    }

    fn run(mut self) -> u64 {
        for step in 0..self.plan.steps {
            self.step();
            if step % 257 == 0 {
                self.cache.check();
                let stats = self.cache.stats();
                assert!(self.resizes > 0 || stats.held_bytes <= stats.quota_bytes);
            }
        }
        self.settle();
        self.hits
    }

    fn step(&mut self) {
        match self.rng.below(1000) {
            0..=2 => {
                let now = self.now;
                self.cache.flush(now, now);
                self.model.flush_at = None;
                self.model.entries.clear();
            }
            3..=4 => {
                let at = self.now + Duration::from_millis(self.rng.below(5000));
                self.cache.flush(self.now, at);
                self.model.flush_at = Some(at);
                self.model.tick(self.now);
            }
            5..=6 if self.plan.resizes => self.resize(),
            7..=40 => self.now = self.now + Duration::from_millis(self.rng.below(3000)),
            41..=60 => {
                self.model.tick(self.now);
                self.cache.maintain(self.now, 64 << 10);
            }
            61..=90 => self.begin_upload(),
            91..=200 => self.go_on_uploading(),
            201..=300 => self.read_pins(),
            _ => self.operate(),
        }
    }

    fn resize(&mut self) {
        self.resizes += 1;
        let least = self.plan.quota_bytes;
        let bytes = match self.rng.below(4) {
            // Far enough for another cut of the memory, and another number of shards.
            0 => least * (1 + self.rng.below(64)),
            _ => least + self.rng.below(least),
        };
        self.cache
            .set_quota(self.now, bytes)
            .expect("a quota that fits");
        let item_size_max = self.plan.item_size_max / (1 + self.rng.below(2) as u32);
        self.cache
            .set_item_size_max(item_size_max)
            .expect("an item size that fits");
        self.model.item_size_max = u64::from(item_size_max);
    }

    fn key(&mut self) -> Vec<u8> {
        let number = self
            .rng
            .below(self.plan.keys)
            .min(self.rng.below(self.plan.keys));
        let mut key = format!("key-{number}").into_bytes();
        if number.is_multiple_of(7) {
            key.resize(250, (number % 251) as u8);
        }
        key
    }

    fn value(&mut self) -> Vec<u8> {
        let most = u64::from(self.plan.item_size_max);
        let len = match self.rng.below(64) {
            0..=7 => self.rng.below(most + 10),
            8..=9 => 0,
            10..=15 => return self.rng.below(200_000).to_string().into_bytes(),
            16..=17 => INLINE_VALUE_LEN_MAX as u64 + self.rng.below(3) - 1,
            18 => most - 59 - self.rng.below(60),
            _ => self.rng.below(2 * self.plan.value_len),
        };
        let first = self.rng.next_u64() as u8;
        (0..len)
            .map(|at| (at as u8).wrapping_mul(31) ^ first ^ (at >> 8) as u8)
            .collect()
    }

    fn expiry(&mut self) -> Expiry {
        match self.rng.below(8) {
            0 => Expiry::PAST,
            1..=3 => Expiry::at_unix_secs(self.now.unix_secs() + self.rng.below(60) as u32),
            _ => Expiry::NEVER,
        }
    }

    fn maybe_expiry(&mut self) -> Option<Expiry> {
        (self.rng.below(6) == 0).then(|| self.expiry())
    }

    /// Often the item's own CAS, sometimes another.
    fn maybe_cas(&mut self, key: &[u8]) -> Option<u64> {
        let known = self.model.entries.get(key).map_or(7, |entry| entry.cas);
        match self.rng.below(12) {
            0 => Some(known),
            1 => Some(known - self.rng.below(3).min(known)),
            2 => Some(self.rng.below(3)),
            _ => None,
        }
    }

    fn maybe_new_cas(&mut self) -> Option<u64> {
        match self.rng.below(20) {
            0 => Some(1 + self.rng.below(9)),
            1 => Some(u64::MAX - self.rng.below(9)),
            2 => Some(0),
            _ => None,
        }
    }

    fn operate(&mut self) {
        let key = self.key();
        match self.rng.below(100) {
            0..=44 => {
                let op = Get {
                    key: &key,
                    value: self.rng.below(10) > 0,
                    touch: self.maybe_expiry(),
                    vivify: self.maybe_expiry(),
                    recache_below_s: (self.rng.below(6) == 0).then_some(self.rng.below(90) as u32),
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
                    compare_cas: self.maybe_cas(&key),
                    new_cas: self.maybe_new_cas(),
                };
                self.both(&Op::Arith(op));
            }
        }
    }

    fn mode(&mut self) -> StoreMode {
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
    fn holds(&self, key: &[u8]) -> bool {
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

    fn forget_if_dropped(&mut self, key: &[u8]) {
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
            if pin.token != 0 {
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
        self.cas_seen.insert(seen.cas, ());
    }

    fn begin_upload(&mut self) {
        let key = self.key();
        let mut value = self.value();
        if self.rng.below(2) == 0 {
            value.resize(INLINE_VALUE_LEN_MAX * 3 / 2, 0xa5);
        }
        let store = OwnedStore {
            flags: self.rng.below(2) as u32,
            expiry: self.expiry(),
            mode: self.mode(),
            compare_cas: self.maybe_cas(&key),
            key,
        };
        self.model.tick(self.now);
        match self
            .cache
            .reserve(self.now, &store.op(&[]), value.len() as u32)
        {
            Ok(reservation) => self.uploads.push(Upload {
                reservation,
                value,
                sent: 0,
                store,
            }),
            Err(outcome) => {
                assert!(matches!(outcome, Outcome::TooLarge | Outcome::OutOfMemory));
                self.forget_if_dropped(&store.key);
            }
        }
    }

    fn go_on_uploading(&mut self) {
        if self.uploads.is_empty() {
            return;
        }
        let which = self.rng.below(self.uploads.len() as u64) as usize;
        let piece = 1 + self.rng.below(100_000) as usize;
        let upload = &mut self.uploads[which];
        let end = upload.value.len().min(upload.sent + piece);
        let whole = self
            .cache
            .fill(upload.reservation, &upload.value[upload.sent..end]);
        upload.sent = end;
        let key = upload.store.key.clone();
        if !whole {
            self.uploads.remove(which);
            self.forget_if_dropped(&key);
        } else if end == upload.value.len() {
            let upload = self.uploads.remove(which);
            self.commit(&upload);
        } else if self.rng.below(20) == 0 {
            let upload = self.uploads.remove(which);
            self.cache.abort(upload.reservation);
            assert!(!self.cache.fill(upload.reservation, b"x"));
        }
    }

    fn commit(&mut self, upload: &Upload) {
        self.model.tick(self.now);
        let key = &upload.store.key;
        if self.model.look(self.now, key).is_some() && !self.holds(key) {
            self.model.entries.remove(key);
        }
        let outcome = self.cache.commit(self.now, upload.reservation);
        if outcome == Outcome::OutOfMemory {
            self.forget_if_dropped(key);
            return;
        }
        let cas = match outcome {
            Outcome::Stored { cas, .. } => cas,
            _ => 0,
        };
        let op = upload.store.op(&upload.value);
        assert_eq!(
            outcome,
            self.model.store_arrived(self.now, &op, &upload.value, cas)
        );
    }

    fn read_pins(&mut self) {
        if self.pins.is_empty() {
            return;
        }
        let which = self.rng.below(self.pins.len() as u64) as usize;
        let held = &mut self.pins[which];
        let mut out = vec![1, 2, 3];
        let max = 1 + self.rng.below(200_000) as usize;
        let offset = held.read as u32;
        let Some(count) = self.cache.read_pinned(held.pin, offset, max, &mut out) else {
            let stalled = self.now.since(held.progress) >= Duration::from_secs(5);
            assert!(stalled || held.resizes < self.resizes, "a hold ended");
            self.pins.remove(which);
            return;
        };
        held.progress = self.now;
        let rest = &held.value[held.read..];
        assert_eq!(count, max.min(rest.len()));
        assert_eq!(out[..3], [1, 2, 3]);
        assert!(out[3..] == rest[..count], "held bytes stay");
        held.read += count;
        if held.read == held.value.len() || self.rng.below(10) == 0 {
            let held = self.pins.remove(which);
            self.cache.unpin(held.pin);
            assert_eq!(
                self.cache.read_pinned(held.pin, 0, 1, &mut Vec::new()),
                None
            );
        }
    }

    /// All clients leave; the books must agree, and the quota be kept.
    fn settle(&mut self) {
        for upload in std::mem::take(&mut self.uploads) {
            self.cache.abort(upload.reservation);
        }
        for held in std::mem::take(&mut self.pins) {
            self.cache.unpin(held.pin);
        }
        // Long enough for what has ended to be looked for again.
        self.now = self.now + Duration::from_secs(20);
        for _ in 0..100_000 {
            if !self.cache.maintain(self.now, 1 << 20) {
                break;
            }
        }
        self.model.tick(self.now);
        let now = self.now;
        self.model.entries.retain(|_, entry| !entry.has_ended(now));
        self.cache.check();
        let stats = self.cache.stats();
        assert!(stats.held_bytes <= stats.quota_bytes, "{stats:?}");
        assert!(stats.curr_items <= self.model.entries.len() as u64);
    }
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

/// Histories under consecutive seeds; `CACHE_SEED` begins elsewhere.
fn histories(count: u64, plan: Plan) {
    let first = std::env::var("CACHE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let mut hits = 0;
    for seed in first..first + count {
        println!("CACHE_SEED={seed}");
        hits += History::new(seed, plan).run();
    }
    assert!(hits > count * u64::from(plan.steps) / 60, "{hits} hits");
}

#[test]
fn small_items_in_a_small_cache() {
    histories(
        20,
        Plan {
            quota_bytes: 256 << 10,
            item_size_max: 16 << 10,
            keys: 2000,
            value_len: 200,
            steps: 20_000,
            resizes: false,
        },
    );
}

#[test]
fn room_enough_for_all() {
    histories(
        6,
        Plan {
            quota_bytes: 24 << 20,
            item_size_max: 64 << 10,
            keys: 300,
            value_len: 300,
            steps: 20_000,
            resizes: false,
        },
    );
}

#[test]
fn large_values_in_the_least_quota() {
    histories(
        10,
        Plan {
            quota_bytes: 2 << 20,
            item_size_max: 1 << 20,
            keys: 40,
            value_len: 20_000,
            steps: 10_000,
            resizes: false,
        },
    );
}

#[test]
fn large_values_beside_small_ones_while_quotas_change() {
    histories(
        10,
        Plan {
            quota_bytes: 4 << 20,
            item_size_max: 300 << 10,
            keys: 500,
            value_len: 2000,
            steps: 15_000,
            resizes: true,
        },
    );
}

#[test]
fn several_shards_while_quotas_change() {
    histories(
        4,
        Plan {
            quota_bytes: 40 << 20,
            item_size_max: 1 << 20,
            keys: 3000,
            value_len: 3000,
            steps: 15_000,
            resizes: true,
        },
    );
}
