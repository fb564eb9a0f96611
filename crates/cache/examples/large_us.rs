//! Prints the median and the slowest call of each kind on one large value, in microseconds.
//!
//! `cargo run --release -p cache --example large_us [MEBIBYTES]`, by default a value of 1024 MiB less
//! some room to grow in, in a quota three times as large. No call's time should follow the length of
//! the value by more than a little.

#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::time::{Duration, Instant};

use base::Timestamp;
use base::kv::{Delete, Expiry, Get, Item, Op, Outcome, Sink, Store, StoreMode, Value};
use cache::{Config, TenantCache};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
static PIECE: [u8; 64 << 10] = [7; 64 << 10];

/// Lets a value that it is handed go again.
struct Hold(Option<base::kv::Pin>);

impl Sink for Hold {
    fn item(&mut self, item: &Item<'_>) {
        if let Value::Pinned(pin) = item.value {
            self.0 = Some(pin);
        }
    }
}

/// The times of several calls.
struct Times(&'static str, Vec<Duration>);

impl Times {
    fn of<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.1.push(start.elapsed());
        result
    }
}

impl Drop for Times {
    fn drop(&mut self) {
        self.1.sort_unstable();
        let us = |at: usize| self.1[at].as_nanos() as f64 / 1e3;
        let last = self.1.len() - 1;
        println!("{:24} {:8.1} {:8.1} µs", self.0, us(last / 2), us(last));
    }
}

fn main() {
    let mebibytes = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let item = mebibytes.unwrap_or(1024u32) << 20;
    let config = Config {
        quota_bytes: 3 * u64::from(item),
        item_size_max: item,
        hash_key: [7; 16],
        cas_after: None,
    };
    let cache = TenantCache::new(config, NOW).expect("a quota that fits");
    let half = item / 2 - (4 << 20);
    upload(&cache, StoreMode::Set, half, ["fill", "commit"]);
    upload(
        &cache,
        StoreMode::Append,
        half,
        ["fill, to append", "commit, appending"],
    );
    for (name, mode, count) in [
        ("append 100 bytes", StoreMode::Append, 2000),
        ("prepend 100 bytes", StoreMode::Prepend, 2000),
        ("append 64 KiB", StoreMode::Append, 20),
        ("prepend 64 KiB", StoreMode::Prepend, 20),
    ] {
        let value = if count > 100 { &PIECE[..100] } else { &PIECE };
        let mut times = Times(name, Vec::new());
        for _ in 0..count {
            let store = Store {
                value,
                ..store(mode)
            };
            let outcome = times.of(|| cache.execute(NOW, &Op::Store(store), &mut Hold(None)));
            assert!(matches!(outcome, Outcome::Stored { .. }), "{outcome:?}");
        }
    }
    read(&cache);
    upload(
        &cache,
        StoreMode::Set,
        item - (1 << 20),
        ["fill again", "commit, replacing"],
    );
    let delete = Op::Delete(Delete {
        key: b"key",
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    });
    Times("delete", Vec::new()).of(|| cache.execute(NOW, &delete, &mut Hold(None)));
    let mut times = Times("maintain", Vec::new());
    while times.of(|| cache.maintain(NOW, 256 << 10)) {}
}

fn store(mode: StoreMode) -> Store<'static> {
    Store {
        key: b"key",
        value: &[],
        flags: 0,
        expiry: Expiry::NEVER,
        mode,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        vivify: None,
    }
}

fn upload(cache: &TenantCache, mode: StoreMode, len: u32, names: [&'static str; 2]) {
    let reservation = cache.reserve(NOW, &store(mode), len).expect("room");
    let mut times = Times(names[0], Vec::new());
    let mut left = len as usize;
    while left > 0 {
        let piece = &PIECE[..left.min(PIECE.len())];
        assert!(times.of(|| cache.fill(reservation, piece)), "{left} left");
        left -= piece.len();
    }
    drop(times);
    let outcome = Times(names[1], Vec::new()).of(|| cache.commit(NOW, reservation));
    assert!(matches!(outcome, Outcome::Stored { .. }), "{outcome:?}");
}

fn read(cache: &TenantCache) {
    let mut hold = Hold(None);
    let get = Op::Get(Get::plain(b"key"));
    Times("get", Vec::new()).of(|| cache.execute(NOW, &get, &mut hold));
    let pin = hold.0.expect("a large value");
    let mut times = Times("read 64 KiB", Vec::new());
    let mut out = Vec::new();
    let mut at = 0;
    while at < pin.len {
        out.clear();
        let read = times.of(|| cache.read_pinned(pin, at, PIECE.len(), &mut out));
        at += read.expect("it is held") as u32;
    }
    drop(times);
    Times("unpin", Vec::new()).of(|| cache.unpin(pin));
}
