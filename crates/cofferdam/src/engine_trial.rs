//! What the gate tries a node's engine out with: a small cache of its own, read and written as tenants do.

use std::sync::Arc;

use base::Timestamp;
use base::kv::{Get, Item, Op, Sink, Store};
use base::rng::Rng;
use cache::{Config as CacheConfig, TenantCache};
use runtime::nodes::OwnTrial;

use crate::config::Config;

/// Memory of the cache, keys that are asked for, and the length of their values.
const QUOTA_LEN: u64 = 4 << 20;
const KEYS: u64 = 8192;
const VALUE: [u8; 100] = [b'v'; 100];
/// One operation in so many is a change.
const CHANGES: u64 = 10;
/// Nothing in it expires, so that any moment will do.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Of a node with this configuration.
pub(crate) fn of(config: &Config) -> OwnTrial {
    OwnTrial {
        engine: Arc::new(|| {
            let config = CacheConfig {
                quota_bytes: QUOTA_LEN,
                item_size_max: 64 * 1024,
                hash_key: [7; 16],
                cas_after: None,
            };
            match TenantCache::new(config, NOW) {
                Ok(cache) => operation(cache),
                // No memory for it: whoever tries it out sees that nothing is done.
                Err(_) => Box::new(|| {}),
            }
        }),
        folder: config.data_dir(),
    }
}

/// One read, or now and then a change, of a random key, all of which are there.
fn operation(cache: TenantCache) -> Box<dyn FnMut()> {
    let mut rng = Rng::new(1);
    for number in 0..KEYS {
        store(&cache, number);
    }
    Box::new(move || {
        let number = rng.below(KEYS);
        let key = number.to_be_bytes();
        match rng.below(CHANGES) {
            0 => store(&cache, number),
            _ => {
                let mut seen = Seen(0);
                let get = Op::Get(Get::plain(&key));
                cache.execute(NOW, &get, &mut seen);
                std::hint::black_box(seen.0);
            }
        }
    })
}

fn store(cache: &TenantCache, number: u64) {
    let key = number.to_be_bytes();
    let op = Op::Store(Store::plain(&key, &VALUE));
    cache.execute(NOW, &op, &mut Seen(0));
}

/// Bytes of values that were found.
struct Seen(usize);

impl Sink for Seen {
    fn item(&mut self, item: &Item<'_>) {
        self.0 += item.value.len();
    }
}
