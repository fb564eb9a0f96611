//! Tests of `report_text`.

use super::*;
use crate::load::{Generator, HoldReport, Other, Outside, Prefill};

fn other(name: &str, ran_ms: f64) -> Other {
    Other {
        pid: 1,
        name: name.to_owned(),
        ran_ms,
    }
}

#[test]
fn the_text_says_what_matters() {
    let report = Report {
        protocol: "text".into(),
        mode: "open",
        requests: 1000,
        ops_per_s: 500.0,
        bytes_sent: 3 << 20,
        latency: Latency {
            count: 1000,
            p99_us: 77.5,
            ..Latency::default()
        },
        errors: Errors {
            timeouts: 3,
            ..Errors::default()
        },
        reconnects: 2,
        open: Some(OpenReport::default()),
        prefill: Some(Prefill::default()),
        hold: Some(HoldReport::default()),
        generator: Generator {
            busy: 0.97,
            outside: Outside {
                stolen_ms: 2.0,
                waited_ms: 0.25,
                others: vec![other("server", 71.0), other("asleep", 0.2)],
            },
            ..Generator::default()
        },
        ..Report::default()
    };
    let text = report.to_text();
    for words in [
        "1000 requests, 500 per second",
        "3.0 MiB sent",
        "77.5",
        "errors: 3, timeouts 3; reconnects: 2",
        "own lag",
        "the generator is the limit",
        "prefill: 0 items",
        "held: 0 connections",
        "the host took 2.0 ms, the generator waited 0.2 ms",
        "of others ran server 71.0 ms, and nobody else for 1 ms",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(text.ends_with('\n'));
}

#[test]
fn progress_is_one_line_and_names_only_what_went_wrong() {
    let mut progress = Progress {
        phase: Phase::Measure,
        elapsed_s: 2.0,
        requests: 10,
        ops_per_s: 10.0,
        hits: 10,
        misses: 0,
        errors: 0,
        reconnects: 0,
        p50_us: 1.0,
        p99_us: 2.0,
    };
    assert!(!progress.to_string().contains("errors"));
    progress.errors = 4;
    let line = progress.to_string();
    assert!(line.ends_with("errors 4"), "{line}");
    assert!(line.starts_with("measure"));
    assert!(!line.contains('\n'));
}
