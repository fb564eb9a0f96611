//! Tests of the sums over the large tenant's windows.

use super::*;
use crate::load::{Errors, Timing};

fn window(from_ms: u64, requests: u64, bytes_sent: u64, misses: u64) -> Window {
    Window {
        from_ns: from_ms * 1_000_000,
        to_ns: (from_ms + 100) * 1_000_000,
        latency: Timing::fine(),
        lag: Timing::fine(),
        requests,
        hits: requests * 100 - misses,
        misses,
        errors: Errors::default(),
        reconnects: 0,
        bytes_sent,
    }
}

#[test]
fn capacity_leaves_the_first_window_out() {
    let windows = [
        window(0, 1, 1, 0),
        window(100, 1_000, 50_000, 0),
        window(200, 3_000, 150_000, 0),
    ];
    let capacity = Capacity::of(&windows);
    assert!((capacity.per_s - 20_000.0).abs() < 1.0);
    assert!((capacity.keys_per_s - 2_000_000.0).abs() < 1.0);
    assert!((capacity.bytes_per_request - 50.0).abs() < 1e-9);
    assert_eq!(Capacity::of(&[]).per_s, 0.0);
}

#[test]
fn share_and_multiple_are_about_what_the_victims_leave() {
    let capacity = Capacity {
        per_s: 10_000.0,
        keys_per_s: 1_000_000.0,
        bytes_per_request: 100.0,
    };
    let windows = [
        window(0, 5, 5, 5),
        window(100, 1_700, 300_000, 85_000),
        window(200, 850, 300_000, 0),
    ];
    let span = Span::new(100_000_000, 300_000_000);
    let served = Served::of(&windows, span, capacity);
    assert!((served.requests - 1_700.0).abs() < 1e-6 && (served.refused - 850.0).abs() < 1e-6);
    assert!((served.offered - 6_000.0).abs() < 1e-6);
    assert!((served.multiple(capacity) - 3.0).abs() < 1e-6);
    assert!((served.share(capacity, 0.15) - 1.0).abs() < 1e-6);
}

#[test]
fn a_request_asks_for_stored_keys() {
    let request = String::from_utf8(request()).unwrap();
    let keys: Vec<&str> = request.trim_end().split(' ').skip(1).collect();
    assert_eq!(keys.len(), 100);
    assert_eq!(keys[99], "k00000000099");
    assert!(keys.iter().all(|key| key.len() == KEY_LEN as usize));
    assert!(
        plan(&Aim {
            target: ([127, 0, 0, 1], 1).into(),
            login: None,
            seed: 1,
            longest: Duration::from_secs(1),
        })
        .validate()
        .is_ok()
    );
}
