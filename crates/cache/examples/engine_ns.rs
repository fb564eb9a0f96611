//! Prints nanoseconds per get and set of the engine alone, one thread.
//!
//! `cargo run --release -p cache --example engine_ns [ITEMS] [VALUE_LEN]`, by default a million items
//! of 100 bytes; the keys are drawn at random, so that most touch memory that no cache holds.

#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::time::Instant;

use base::Timestamp;
use base::kv::{Get, Item, Op, Outcome, Sink, Store};
use base::rng::Rng;
use cache::{Config, TenantCache};

struct Sum(u64);

impl Sink for Sum {
    fn item(&mut self, item: &Item<'_>) {
        self.0 = self.0.wrapping_add(item.value.len() as u64 + item.cas);
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default| {
        args.next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (items, value_len) = (number(1_000_000u64), number(100) as usize);
    let value = vec![b'v'; value_len];
    let roomy = items * (value_len as u64 + 60) * 3 / 2;
    println!("{items} items of {value_len} bytes");
    let cache = with_quota(roomy.max(8 << 20));
    let now = Timestamp::from_secs(1_800_000_000);
    time("set, new", items, |number, _| {
        set(&cache, now, number, &value)
    });
    let stats = cache.stats();
    println!(
        "  {:.1} bytes per item beyond key and value, {:.1} held; index {:.1}; evictions {}",
        stats.bytes as f64 / items as f64 - 12.0 - value_len as f64
            + stats.index_bytes as f64 / items as f64,
        stats.held_bytes as f64 / items as f64,
        stats.index_bytes as f64 / items as f64,
        stats.evictions,
    );
    time("get, hit", items, |_, rng| {
        get(&cache, now, rng.below(items))
    });
    time("get, miss", items, |_, rng| {
        get(&cache, now, items + rng.below(items))
    });
    time("set, over", items, |_, rng| {
        set(&cache, now, rng.below(items), &value)
    });
    let small = with_quota((roomy / 4).max(8 << 20));
    time("set, evicting", 2 * items, |number, _| {
        set(&small, now, number, &value)
    });
    time("get, hot 10 000", items, |_, rng| {
        get(&small, now, 2 * items - 1 - rng.below(10_000))
    });
    let mixed = with_quota((roomy / 4).max(8 << 20));
    time("90 % get, 10 % set, evicting", items, |_, rng| {
        let key = (rng.unit_f64().powi(3) * items as f64) as u64;
        if rng.below(10) == 0 {
            set(&mixed, now, key, &value)
        } else {
            get(&mixed, now, key)
        }
    });
    slowest(&small, now, items, &value);
}

fn with_quota(quota_bytes: u64) -> TenantCache {
    let config = Config {
        quota_bytes,
        item_size_max: 1 << 20,
        hash_key: [7; 16],
        cas_after: None,
    };
    TenantCache::new(config, Timestamp::from_secs(1_800_000_000)).expect("a quota that fits")
}

fn key_of(number: u64) -> [u8; 12] {
    let mut key = *b"k00000000000";
    let mut left = number;
    for digit in key[1..].iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    key
}

fn get(cache: &TenantCache, now: Timestamp, number: u64) {
    let mut sum = Sum(0);
    let outcome = cache.execute(now, &Op::Get(Get::plain(&key_of(number))), &mut sum);
    black_box((outcome, sum.0));
}

fn set(cache: &TenantCache, now: Timestamp, number: u64, value: &[u8]) {
    let key = key_of(number);
    let op = Op::Store(Store::plain(&key, value));
    let outcome = cache.execute(now, &op, &mut Sum(0));
    assert!(matches!(outcome, Outcome::Stored { .. }), "{outcome:?}");
}

fn time(name: &str, count: u64, mut work: impl FnMut(u64, &mut Rng)) {
    let mut rng = Rng::new(1);
    let start = Instant::now();
    for number in 0..count {
        work(number, &mut rng);
    }
    println!(
        "{name:30} {:6.0} ns",
        start.elapsed().as_nanos() as f64 / count as f64
    );
}

/// The distribution of single sets at the quota, clock included.
fn slowest(cache: &TenantCache, now: Timestamp, items: u64, value: &[u8]) {
    let mut times: Vec<u64> = (0..items)
        .map(|number| {
            let start = Instant::now();
            set(cache, now, 2 * items + number, value);
            start.elapsed().as_nanos() as u64
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "set, evicting: p50 {} p99 {} p99.9 {} p99.99 {} most {} ns",
        at(0.5),
        at(0.99),
        at(0.999),
        at(0.9999),
        at(1.0)
    );
}
