//! Tests of what is read from a server's figures.

use serde_json::json;

use super::*;

fn stat(quick: u64, slow: u64) -> Value {
    json!({"tenants": [
        {"tenant": "a", "clients": {"busy_ns": 1}, "delay": {"buckets": [
            {"up_to_ns": 1_000_000, "requests": quick}, {"up_to_ns": 5_000_000, "requests": slow},
        ]}},
        {"tenant": "large", "clients": {"busy_ns": 2}, "delay": {"buckets": [
            {"up_to_ns": 9_000_000, "requests": 1_000_000},
        ]}},
    ]})
}

#[test]
fn quantiles_are_of_what_came_since() {
    let early = Delays::of(&stat(0, 1_000), "large");
    let late = Delays::of(&stat(990, 1_010), "large");
    assert!((late.p99_ms_since(&early) - 1.0).abs() < 1e-9);
    let later = Delays::of(&stat(1_980, 1_030), "large");
    assert!((later.p99_ms_since(&late) - 5.0).abs() < 1e-9);
    assert_eq!(late.p99_ms_since(&late), 0.0);
}

#[test]
fn a_server_that_tells_nothing_has_zeros() {
    let nothing = Delays::of(&Value::Null, "large");
    assert_eq!(nothing.p99_ms_since(&Delays::default()), 0.0);
    assert_eq!(clients(&Value::Null), Value::Null);
    assert_eq!(clients(&json!({"tenants": "?"})), Value::Null);
}

#[test]
fn clients_are_listed_by_tenant() {
    assert_eq!(clients(&stat(1, 1))["large"]["busy_ns"], 2);
    assert_eq!(busy_ns(&stat(1, 1), "large"), Some(1));
    assert_eq!(busy_ns(&Value::Null, "large"), None);
}
