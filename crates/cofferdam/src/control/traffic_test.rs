//! What is out of bounds is told with key, value, flag, bounds and the way out.

use super::*;

fn unlimited() -> TrafficLimits {
    TrafficLimits::default()
}

fn refusal(change: &TrafficChange) -> String {
    let refused = changed("acme", unlimited(), change).unwrap_err();
    assert!(matches!(refused, ControlError::Invalid(_)), "{refused}");
    refused.to_string()
}

#[test]
fn every_limit_has_bounds_and_names_them() {
    type Set = fn(&mut TrafficChange, u64);
    let cases: [(Set, u64, &str, &str); 12] = [
        (
            |c, n| c.ops_per_second = Some(Some(n)),
            0,
            "--ops 1 to",
            "ops_per_second",
        ),
        (
            |c, n| c.ops_per_second = Some(Some(n)),
            u64::MAX,
            "1000000000, or none",
            "18446744073709551615",
        ),
        (
            |c, n| c.bytes_in_per_second = Some(Some(n)),
            1023,
            "--bytes-in 1KiB to 1TiB",
            "1023",
        ),
        (
            |c, n| c.bytes_out_per_second = Some(Some(n)),
            0,
            "--bytes-out 1KiB",
            "bytes_out",
        ),
        (
            |c, n| c.burst_ms = Some(Some(n)),
            60_001,
            "--burst 1ms to 1m",
            "1m 1ms",
        ),
        (
            |c, n| c.weight = Some(Some(n)),
            0,
            "--weight 1 to 10000",
            "cannot be 0",
        ),
        (
            |c, n| c.weight = Some(Some(n)),
            10_001,
            "--weight 1 to 10000",
            "10001",
        ),
        (
            |c, n| c.connections = Some(Some(n)),
            0,
            "--connections 1 to",
            "connections",
        ),
        (
            |c, n| c.connects_per_second = Some(Some(n)),
            0,
            "--connects-per-second 1",
            "none",
        ),
        (
            |c, n| c.inflight_bytes = Some(Some(n)),
            1,
            "--inflight-bytes 64KiB",
            "cannot be 1:",
        ),
        (
            |c, n| c.max_delay_ms = Some(Some(n)),
            10_001,
            "--max-delay-ms 0 to 10000",
            "cannot be 10001",
        ),
        (
            |c, n| c.hot_keys_ms = Some(Some(n)),
            1001,
            "--hot-keys 1ms to 1s",
            "cannot be 1s 1ms",
        ),
    ];
    for (set, value, bounds, more) in cases {
        let mut change = TrafficChange::default();
        set(&mut change, value);
        let text = refusal(&change);
        assert!(text.contains("\"acme\"") && text.contains(bounds), "{text}");
        assert!(text.contains(more), "{text}");
    }
}

#[test]
fn what_is_not_asked_for_stays_and_none_takes_away() {
    let all = TrafficChange {
        ops_per_second: Some(Some(1)),
        bytes_in_per_second: Some(Some(1 << 10)),
        bytes_out_per_second: Some(Some(1 << 40)),
        burst_ms: Some(Some(60_000)),
        weight: Some(Some(10_000)),
        connections: Some(Some(10_000_000)),
        connects_per_second: Some(Some(1_000_000)),
        inflight_bytes: Some(Some(64 << 10)),
        max_delay_ms: Some(Some(0)),
        hot_keys_ms: Some(Some(1000)),
    };
    let limits = changed("acme", unlimited(), &all).unwrap();
    assert_eq!(limits.burst, Duration::from_secs(60));
    assert_eq!(
        (limits.connections, limits.weight),
        (Some(10_000_000), 10_000)
    );
    assert_eq!(
        (limits.max_delay, limits.inflight_bytes),
        (Duration::ZERO, Some(64 << 10))
    );
    assert_eq!(limits.hot_keys, Some(Duration::from_secs(1)));
    assert_eq!(
        changed("acme", limits, &TrafficChange::default()).unwrap(),
        limits
    );
    let none = TrafficChange {
        ops_per_second: Some(None),
        bytes_in_per_second: Some(None),
        bytes_out_per_second: Some(None),
        burst_ms: Some(None),
        weight: Some(None),
        connections: Some(None),
        connects_per_second: Some(None),
        inflight_bytes: Some(None),
        max_delay_ms: Some(None),
        hot_keys_ms: Some(None),
    };
    assert_eq!(changed("acme", limits, &none).unwrap(), unlimited());
}

#[test]
fn json_tells_null_from_nothing() {
    let change: TrafficChange =
        serde_json::from_str(r#"{"ops_per_second":null,"weight":5}"#).unwrap();
    assert_eq!(
        (change.ops_per_second, change.weight),
        (Some(None), Some(Some(5)))
    );
    assert_eq!(change.connections, None);
    let text = serde_json::to_string(&change).unwrap();
    assert_eq!(text, r#"{"ops_per_second":null,"weight":5}"#);
    for wrong in [r#"{"ops":1}"#, r#"{"weight":-1}"#, r#"{"weight":"1"}"#] {
        assert!(
            serde_json::from_str::<TrafficChange>(wrong).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn only_what_is_set_is_told_and_by_its_key() {
    assert_eq!(in_words(&unlimited()), "none");
    let limits = TrafficLimits {
        bytes_in_per_second: Some(1 << 20),
        weight: 300,
        max_delay: Duration::from_millis(100),
        hot_keys: Some(Duration::from_millis(500)),
        ..unlimited()
    };
    assert_eq!(
        in_words(&limits),
        "bytes_in_per_second 1MiB, weight 300, max_delay_ms 100, hot_keys_ms 500ms"
    );
}
