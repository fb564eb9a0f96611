//! Tests of what is said of slow nodes, and when it is over.

use std::sync::Arc;

use super::super::testing::World;
use super::*;
use crate::config::JudgeMode;
use crate::observe::reading::FleetReading;

fn node(state: &str) -> NodeReport {
    let json = serde_json::json!({
        "member": 3, "name": "node3", "state": state, "since_unix_ms": 1_000_000_000u64, "share": 500,
        "score": 12.5, "slow_since_unix_ms": null, "voters": 2, "load": 1.0, "is_busy": false,
        "blaming": [{ "observer": "gateway1", "score": 12.5, "finding": null,
            "sentence": "read: half of its requests take up to 50.00 ms" }],
        "past": [],
    });
    serde_json::from_value(json).unwrap()
}

fn look(world: &mut World, nodes: Vec<NodeReport>, notices: Vec<NoticeReport>) -> Vec<Signal> {
    let report = JudgingReport {
        nodes,
        notices,
        ..JudgingReport::nothing(JudgeMode::On)
    };
    world.fleet = Some(FleetReading {
        judging: Some(Arc::new(report)),
        ..FleetReading::default()
    });
    world.look()
}

#[test]
fn a_node_that_serves_is_not_spoken_of() {
    let mut world = World::new();
    assert_eq!(look(&mut world, vec![node("serving")], Vec::new()), []);
    assert_eq!(look(&mut world, vec![node("drained")], Vec::new()), []);
}

#[test]
fn a_suspect_is_named_with_the_figure_against_it() {
    let mut world = World::new();
    let said = look(&mut world, vec![node("suspect")], Vec::new());
    assert_eq!((said.len(), said[0].kind), (1, EventKind::NodeSuspect));
    assert_eq!(said[0].cause, "node3");
    assert!(said[0].sentence.contains("up to 50.00 ms"), "{said:?}");
    assert!(said[0].sentence.contains("has half its keys"), "{said:?}");
    let new = NodeReport {
        share: 1000,
        ..node("suspect")
    };
    let said = look(&mut World::new(), vec![new], Vec::new());
    assert!(!said[0].sentence.contains("half its keys"), "{said:?}");
}

#[test]
fn who_is_out_is_told_of_with_what_was_held_against_it_then() {
    let past = serde_json::json!([
        { "at_unix_ms": 1_000_000_000u64, "event": "condemned", "state": "ejected", "score": 98.0,
          "blaming": node("suspect").blaming },
        { "at_unix_ms": 1_000_001_000u64, "event": "cleared", "state": "probation", "score": 1.0,
          "blaming": [] },
    ]);
    let out = NodeReport {
        past: serde_json::from_value(past).unwrap(),
        score: 1.0,
        blaming: Vec::new(),
        ..node("probation")
    };
    let said = look(&mut World::new(), vec![out], Vec::new());
    assert!(said[0].sentence.contains("up to 50.00 ms"), "{said:?}");
    let figures: Vec<f64> = said[0].evidence.iter().map(|it| it.value).collect();
    assert_eq!(figures, [98.0, 1.0], "score and observers");
}

#[test]
fn who_is_out_by_another_hand_is_told_of_with_whose_and_not_with_an_old_charge() {
    let past = |by: &str, why: Option<&str>| {
        serde_json::json!([
            { "at_unix_ms": 900_000_000u64, "event": "condemned", "state": "ejected", "score": 98.0,
              "blaming": node("suspect").blaming },
            { "at_unix_ms": 1_000_000_000u64, "event": "condemned", "state": "ejected", "score": 0.0,
              "blaming": [], "by": by, "through": "gateway2", "why": why },
        ])
    };
    for (by, why, wanted) in [
        ("operator", None, "an operator at gateway2 has done it."),
        (
            "operator",
            Some("a new disk"),
            "an operator at gateway2 has done it: a new disk.",
        ),
        ("steward", Some("it was gone"), "other nodes: it was gone."),
    ] {
        let out = NodeReport {
            past: serde_json::from_value(past(by, why)).unwrap(),
            blaming: Vec::new(),
            ..node("ejected")
        };
        let said = look(&mut World::new(), vec![out], Vec::new());
        assert!(said[0].sentence.ends_with(wanted), "{said:?}");
    }
}

#[test]
fn who_was_out_is_told_to_be_back_once() {
    let mut world = World::new();
    for state in ["ejected", "probation"] {
        let said = look(&mut world, vec![node(state)], Vec::new());
        assert_eq!((said.len(), said[0].kind), (1, EventKind::NodeEjected));
        let by_hand = "it was gone, or an operator has done it.";
        assert!(said[0].sentence.ends_with(by_hand), "{said:?}");
    }
    assert_eq!(look(&mut world, vec![node("ramping")], Vec::new()), []);
    let said = look(&mut world, vec![node("serving")], Vec::new());
    assert_eq!((said.len(), said[0].kind), (1, EventKind::NodeBack));
    assert_eq!(look(&mut world, vec![node("serving")], Vec::new()), []);
}

#[test]
fn what_concerns_all_is_one_event_that_names_them() {
    let mut world = World::new();
    let notice = |kind: &str| NoticeReport {
        kind: kind.to_owned(),
        since_unix_ms: 1_000_000_000,
        told_unix_ms: 1_000_007_000,
        members: vec!["node2".to_owned(), "node5".to_owned()],
        sentence: "More nodes are slow than may be out at once: node2, node5.".to_owned(),
    };
    let notices = [
        "fleet_slow",
        "cap_holds",
        "gateway_slow",
        "of a later release",
    ];
    let said = look(&mut world, Vec::new(), notices.map(notice).to_vec());
    let kinds: Vec<EventKind> = said.iter().map(|signal| signal.kind).collect();
    let wanted = [
        EventKind::FleetSlow,
        EventKind::CapHolds,
        EventKind::GatewaySlow,
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(said[1].evidence[0].value, 2.0);
    let told = Timestamp::from_secs(1_000_007);
    assert_eq!(said[1].decided, Some(told), "told again then");
}

#[test]
fn who_was_refused_is_spoken_of_while_it_waits_with_what_was_wrong() {
    let gate = serde_json::json!({
        "keeper": "gateway1", "required": true, "candidate": null, "doing": null, "tests": 1,
        "admitted": 0, "refused": 1,
        "nodes": [{ "member": 3, "name": "node3", "at_unix_ms": 1_000_000_000u64, "test": 1,
            "outcome": "refused", "refusals": 1, "problem": null,
            "verdict": { "admitted": false, "against": "fleet", "peers": 6, "problems": [],
                "outcomes": [{ "test": "inward", "ours": 1.9, "fleet": 812.0, "limit": 270.0,
                    "passed": false }] } }],
    });
    let mut world = World::new();
    for (state, count) in [("quarantined", 1), ("shadow", 0), ("serving", 0)] {
        let report = JudgingReport {
            nodes: vec![node(state)],
            gate: Some(serde_json::from_value(gate.clone()).unwrap()),
            ..JudgingReport::nothing(JudgeMode::On)
        };
        world.fleet = Some(FleetReading {
            judging: Some(Arc::new(report)),
            ..FleetReading::default()
        });
        let said = world.look();
        assert_eq!(said.len(), count, "{state}: {said:?}");
        for signal in said {
            assert_eq!(signal.kind, EventKind::NodeRefused);
            assert!(
                signal
                    .sentence
                    .contains("1.9 Mbit/s, the fleet's 812 Mbit/s"),
                "{signal:?}"
            );
        }
    }
}

#[test]
fn who_was_slow_on_its_way_in_is_spoken_of_with_the_figure_against_it() {
    let gate = serde_json::json!({
        "keeper": "gateway1", "required": true, "candidate": null, "doing": null, "tests": 1,
        "admitted": 1, "refused": 0,
        "nodes": [{ "member": 3, "name": "node3", "at_unix_ms": 1_000_000_000u64, "test": 1,
            "outcome": "sent_back", "refusals": 1, "problem": null, "verdict": null }],
    });
    let past = serde_json::json!([
        { "at_unix_ms": 999_000_000u64, "event": "suspected", "state": "quarantined", "score": 12.0,
          "blaming": node("shadow").blaming },
    ]);
    let back = NodeReport {
        past: serde_json::from_value(past).unwrap(),
        blaming: Vec::new(),
        ..node("quarantined")
    };
    let report = JudgingReport {
        nodes: vec![back],
        gate: Some(serde_json::from_value(gate).unwrap()),
        ..JudgingReport::nothing(JudgeMode::On)
    };
    let mut world = World::new();
    world.fleet = Some(FleetReading {
        judging: Some(Arc::new(report)),
        ..FleetReading::default()
    });
    let said = world.look();
    assert_eq!((said.len(), said[0].kind), (1, EventKind::NodeRefused));
    let wanted = "it was slow on its way in: read: half of its requests take up to 50.00 ms.";
    assert!(said[0].sentence.ends_with(wanted), "{said:?}");
}
