//! Random histories of a cache beside the plain map; for tests.

use std::time::Duration;

use base::Timestamp;
use base::kv::{Expiry, INLINE_VALUE_LEN_MAX, Pin, Reservation, Store, StoreMode};
use base::rng::Rng;

use crate::model::Model;
use crate::{Config, TenantCache};

const START_S: u64 = 1_800_000_000;

/// How a history is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) quota_bytes: u64,
    /// The first quota, in so many times that; far above, so that a change cuts memory up anew.
    pub(crate) starts_with: u64,
    pub(crate) item_size_max: u32,
    pub(crate) keys: u64,
    /// Typical length of a value; one in eight is drawn up to the item size.
    pub(crate) value_len: u64,
    pub(crate) steps: u32,
    /// Few operations at once, so that more happens while values arrive.
    pub(crate) mostly_uploads: bool,
    /// Change quota and item size now and then.
    pub(crate) resizes: bool,
}

pub(crate) struct Upload {
    pub(crate) reservation: Reservation,
    pub(crate) value: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) store: OwnedStore,
}

#[derive(Clone)]
pub(crate) struct OwnedStore {
    pub(crate) key: Vec<u8>,
    pub(crate) flags: u32,
    pub(crate) expiry: Expiry,
    pub(crate) mode: StoreMode,
    pub(crate) compare_cas: Option<u64>,
}

impl OwnedStore {
    pub(crate) fn op<'a>(&'a self, value: &'a [u8]) -> Store<'a> {
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

pub(crate) struct Held {
    pub(crate) pin: Pin,
    pub(crate) value: Vec<u8>,
    pub(crate) read: usize,
    pub(crate) progress: Timestamp,
    pub(crate) resizes: u32,
}

pub(crate) struct History {
    pub(crate) rng: Rng,
    pub(crate) plan: Plan,
    pub(crate) cache: TenantCache,
    pub(crate) model: Model,
    pub(crate) now: Timestamp,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) pins: Vec<Held>,
    pub(crate) resizes: u32,
    pub(crate) hits: u64,
}

impl History {
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let now = Timestamp::from_secs(START_S);
        let config = Config {
            quota_bytes: plan.quota_bytes * plan.starts_with,
            item_size_max: plan.item_size_max,
            hash_key: [seed as u8; 16],
            cas_after: None,
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
            hits: 0,
        }
    }

    pub(crate) fn run(mut self) -> u64 {
        for step in 0..self.plan.steps {
            self.step();
            if step % 257 == 0 {
                self.cache.check();
                let stats = self.cache.stats();
                assert!(
                    self.resizes > 0 || stats.held_bytes <= stats.quota_bytes,
                    "{stats:?}"
                );
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
            _ if self.plan.mostly_uploads && self.rng.below(6) > 0 => match self.rng.below(8) {
                0 => self.begin_upload(),
                _ => self.go_on_uploading(),
            },
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

    pub(crate) fn key(&mut self) -> Vec<u8> {
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

    pub(crate) fn value(&mut self) -> Vec<u8> {
        let most = u64::from(self.plan.item_size_max);
        let len = match self.rng.below(64) {
            0..=7 => self.rng.below(most + 10),
            8..=9 => 0,
            10..=15 => return self.number(),
            16..=17 => INLINE_VALUE_LEN_MAX as u64 + self.rng.below(3) - 1,
            18 => most - 59 - self.rng.below(60),
            _ => self.rng.below(2 * self.plan.value_len),
        };
        let first = self.rng.next_u64() as u8;
        (0..len)
            .map(|at| (at as u8).wrapping_mul(31) ^ first ^ (at >> 8) as u8)
            .collect()
    }

    /// What is a number, or nearly.
    fn number(&mut self) -> Vec<u8> {
        let number = self.rng.below(200_000);
        let text = match self.rng.below(16) {
            0 => format!(" {number}"),
            1 => format!("\t+{number} x"),
            2 => format!("{number:030}"),
            3 => format!("-{number}"),
            4 => format!("-{}", u64::MAX - number),
            5 => format!("{} -", u64::MAX - number),
            6 => format!("{number}\0 x"),
            7 => format!("{number}x"),
            8 => format!("{number}{}", " ".repeat(505)),
            _ => number.to_string(),
        };
        text.into_bytes()
    }

    pub(crate) fn expiry(&mut self) -> Expiry {
        match self.rng.below(8) {
            0 => Expiry::PAST,
            1..=3 => Expiry::at_unix_secs(self.now.unix_secs() + self.rng.below(60) as u32),
            _ => Expiry::NEVER,
        }
    }

    pub(crate) fn maybe_expiry(&mut self) -> Option<Expiry> {
        (self.rng.below(6) == 0).then(|| self.expiry())
    }

    /// Often the item's own CAS, sometimes another.
    pub(crate) fn maybe_cas(&mut self, key: &[u8]) -> Option<u64> {
        let known = self.model.entries.get(key).map_or(7, |entry| entry.cas);
        match self.rng.below(12) {
            0 => Some(known),
            1 => Some(known - self.rng.below(3).min(known)),
            2 => Some(self.rng.below(3)),
            _ => None,
        }
    }

    pub(crate) fn maybe_new_cas(&mut self) -> Option<u64> {
        match self.rng.below(20) {
            0 => Some(1 + self.rng.below(9)),
            1 => Some(u64::MAX - self.rng.below(9)),
            2 => Some(0),
            _ => None,
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
