//! Random histories against the plain map: what the cache shows is the map's, or nothing.

use crate::history::{History, Plan};

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
            starts_with: 1,
            item_size_max: 16 << 10,
            keys: 2000,
            value_len: 200,
            steps: 20_000,
            mostly_uploads: false,
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
            starts_with: 1,
            item_size_max: 64 << 10,
            keys: 300,
            value_len: 300,
            steps: 20_000,
            mostly_uploads: false,
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
            starts_with: 1,
            item_size_max: 1 << 20,
            keys: 40,
            value_len: 20_000,
            steps: 10_000,
            mostly_uploads: false,
            resizes: false,
        },
    );
}

#[test]
fn the_largest_values_replace_and_join_each_other_in_the_least_quota() {
    histories(
        10,
        Plan {
            quota_bytes: 2 << 20,
            starts_with: 1,
            item_size_max: 1 << 20,
            keys: 8,
            value_len: 450_000,
            steps: 8000,
            mostly_uploads: true,
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
            starts_with: 1,
            item_size_max: 300 << 10,
            keys: 500,
            value_len: 2000,
            steps: 15_000,
            mostly_uploads: false,
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
            starts_with: 1,
            item_size_max: 1 << 20,
            keys: 3000,
            value_len: 3000,
            steps: 15_000,
            mostly_uploads: false,
            resizes: true,
        },
    );
}

#[test]
fn items_are_carried_over_when_memory_is_cut_up_anew() {
    for starts_with in [16, 256] {
        histories(
            20,
            Plan {
                quota_bytes: 2 << 20,
                starts_with,
                item_size_max: 300 << 10,
                keys: 1500,
                value_len: 2000,
                steps: 6000,
                mostly_uploads: false,
                resizes: true,
            },
        );
    }
}
