//! Tests of the serialised form, which others read.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_contract_s_fields_are_there() {
    let outcome = Outcome {
        drill: "friday",
        protections: "on",
        server: "cofferdam".into(),
        figures: Figures::default(),
        peers: vec![Peer {
            name: "memcached".into(),
            figures: Figures::default(),
            verdict: Verdict::Fail,
            reasons: vec!["slow".into()],
        }],
        seed: 1,
        notes: Vec::new(),
        verdict: Verdict::Pass,
        reasons: Vec::new(),
    };
    let value = serde_json::to_value(&outcome).unwrap();
    let contract: Value = json!({
        "drill": "friday", "protections": "on",
        "victims": {
            "p50_ms": {"before": 0.0, "during": 0.0, "after": 0.0},
            "p99_ms": {"before": 0.0, "during": 0.0, "after": 0.0},
            "server_p99_ms": {"before": 0.0, "during": 0.0, "after": 0.0},
            "errors": 0, "connect_failures": 0, "connect_p99_ms": 0.0,
        },
        "storm": {"opened": 0, "connections_peak": 0, "close_wait_peak": 0, "close_wait_oldest_ms": 0.0},
        "aggressor": {"offered": 0, "offered_multiple": 0.0, "served": 0, "served_share": 0.0, "refused": 0},
        "generator": {"lag_p99_ms": 0.0},
        "verdict": "pass", "reasons": [],
    });
    assert_contains(&value, &contract, "");
    assert!(value.get("recover_ms").is_some());
    assert_eq!(value["peers"][0]["name"], "memcached");
    assert_eq!(value["peers"][0]["verdict"], "fail");
    assert!(value["peers"][0]["victims"]["p99_ms"]["during"].is_number());
}

fn assert_contains(all: &Value, part: &Value, at: &str) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (key, value) in part {
                let found = all.get(key);
                let found = found.unwrap_or_else(|| panic!("{at}/{key} is missing"));
                assert_contains(found, value, &format!("{at}/{key}"));
            }
        }
        (all, part) => assert_eq!(all, part, "{at}"),
    }
}
