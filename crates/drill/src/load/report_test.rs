//! Tests of `report`: its JSON is what programs read.

use super::*;

#[test]
fn the_json_has_the_names_that_programs_look_for() {
    let report = Report {
        mode: "closed",
        by_op: vec![OpReport {
            op: "get",
            requests: 1,
            hits: 1,
            misses: 0,
            errors: 0,
            latency: Latency::default(),
        }],
        ..Report::default()
    };
    let json = serde_json::to_value(&report).unwrap();
    for path in [
        "/requests",
        "/ops_per_s",
        "/elapsed_s",
        "/hits",
        "/misses",
        "/errors/timeouts",
        "/latency/p99_us",
        "/latency/p99_9_us",
        "/by_op/0/op",
        "/generator/busy",
        "/generator/lag/max_us",
        "/generator/outside/stolen_ms",
        "/generator/outside/waited_ms",
        "/generator/outside/others",
        "/connect/p50_us",
    ] {
        assert!(json.pointer(path).is_some(), "{path} is missing");
    }
}

#[test]
fn errors_add_up() {
    let errors = Errors {
        server: 1,
        timeouts: 2,
        corrupt: 4,
        ..Errors::default()
    };
    assert_eq!(errors.total(), 7);
}
