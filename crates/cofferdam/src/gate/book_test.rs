//! Tests of what is told of a test.

use fleet::gate::{Outcome, Test};

use super::*;

fn outcome(test: Test, ours: f64, passed: bool) -> Outcome {
    Outcome {
        test,
        ours: Some(ours),
        fleet: Some(800.0),
        limit: Some(260.0),
        passed,
    }
}

fn record(outcome_word: &str, against: Against) -> NodeRecord {
    NodeRecord {
        member: 7,
        name: "mc7".to_owned(),
        outcome: outcome_word.to_owned(),
        verdict: Some(Verdict {
            admitted: false,
            against,
            peers: 6,
            outcomes: vec![
                outcome(Test::Outward, 790.0, true),
                outcome(Test::Inward, 1.9, false),
            ],
            problems: vec!["mc2 cannot use mc7".to_owned()],
            untested: vec!["mc3 could not be asked".to_owned()],
        }),
        ..NodeRecord::default()
    }
}

#[test]
fn failed_tests_come_first_with_both_figures() {
    let lines = record("refused", Against::Fleet).lines();
    assert_eq!(
        lines,
        [
            "mc7 is refused, compared with 6 nodes that serve",
            "  FAILED mc2 cannot use mc7",
            "  FAILED throughput towards it: 1.9 Mbit/s, the fleet's 800 Mbit/s, at least 260 Mbit/s",
            "  not tested: mc3 could not be asked",
            "  passed throughput from it: 790 Mbit/s, the fleet's 800 Mbit/s, at least 260 Mbit/s",
        ]
    );
}

#[test]
fn it_is_said_when_limits_and_not_the_fleet_decided() {
    let lines = record("refused", Against::Limits).lines();
    assert!(lines[0].contains("by the limits of [gate]"), "{lines:?}");
}

#[test]
fn a_test_that_broke_off_says_why() {
    let record = NodeRecord {
        name: "mc7".to_owned(),
        outcome: "failed".to_owned(),
        problem: Some("the gateway ends".to_owned()),
        ..NodeRecord::default()
    };
    assert_eq!(
        record.lines(),
        ["mc7 could not be tested: the gateway ends"]
    );
    assert_eq!(record.reasons(), "the gateway ends");
}

#[test]
fn it_comes_back_from_the_store_as_it_was() {
    let mut report = GateReport::default();
    report.note(record("refused", Against::Fleet));
    report.note(record("admitted", Against::Fleet));
    assert_eq!(report.nodes.len(), 1, "the last test of each node");
    assert_eq!((report.tests, report.last_test(MemberId(7))), (2, 2));
    let json = serde_json::to_vec(&report).unwrap();
    assert_eq!(serde_json::from_slice::<GateReport>(&json).unwrap(), report);
}

#[test]
fn who_could_not_be_tested_waits_as_if_refused_once() {
    let attempts = |outcome: &str, refusals: u32| {
        let record = NodeRecord {
            refusals,
            ..record(outcome, Against::Fleet)
        };
        record.attempts().refusals
    };
    assert_eq!((attempts("failed", 0), attempts("failed", 3)), (1, 3));
    assert_eq!(attempts("admitted", 0), 0);
}
