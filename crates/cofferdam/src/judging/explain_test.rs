//! What an operator reads of a node.

use super::*;

fn report() -> JudgingReport {
    let json = serde_json::json!({
        "mode": "on", "judge": "gateway2", "is_alone": false, "at_unix_ms": 100_000,
        "nodes": [{
            "member": 3, "name": "node3", "state": "suspect", "since_unix_ms": 98_500, "share": 500,
            "score": 42.0, "slow_since_unix_ms": 97_000, "voters": 2, "load": 1.4, "is_busy": true,
            "blaming": [
                { "observer": "gateway1", "score": 42.0, "finding": null, "sentence": "read: slow" },
                { "observer": "gateway2", "score": 60.0, "finding": null, "sentence": null },
            ],
            "past": [{ "at_unix_ms": 40_000, "event": "cleared", "state": "ramping", "score": 1.0,
                "blaming": [] }],
        }],
        "notices": [{ "kind": "cap_holds", "since_unix_ms": 99_000, "members": ["node3"],
            "sentence": "More nodes are slow than may be out at once: node3." }],
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn all_that_is_held_against_a_node_is_told() {
    let report = report();
    let lines = lines_of(&report, report.node("node3").unwrap(), 100_000);
    let wanted = [
        "node3 is suspect for 1 s, at 50.0 % of its weight; score 42 of 100",
        "found slow for 3 s, by 2 of 2 gateways that asked it enough",
        "  gateway1 (42 of 100): read: slow",
        "  gateway2 (60 of 100): no figures any more",
        "it is asked 1.4 times as much as the median of the others: what its load explains does not count",
        "More nodes are slow than may be out at once: node3. (1 s)",
        "1 min ago: ramping by the judge, score 1",
        "gateway2 decides, by what all gateways say",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn who_decides_alone_says_so() {
    let report = JudgingReport {
        is_alone: true,
        ..report()
    };
    let lines = lines_of(&report, report.node("node3").unwrap(), 100_000);
    let last = lines.last().unwrap();
    assert_eq!(
        last,
        "gateway2 decides this for itself alone, by what it sees itself"
    );
}

#[test]
fn evidence_of_one_that_is_out_is_that_upon_which_it_was_taken_out() {
    let mut report = report();
    let node = report.nodes.first_mut().unwrap();
    let now = evidence_of(node, 100_000);
    assert_eq!(
        now[0],
        "Found slow for 3 s, by 2 of 2 gateways that asked it enough."
    );
    assert_eq!(now[1], "gateway1 (42 of 100): read: slow");
    node.slow_since_unix_ms = None;
    node.is_busy = false;
    node.state = "ejected".to_owned();
    assert!(
        evidence_of(node, 100_000).is_empty(),
        "nothing was held against it"
    );
    let charge = super::super::report::PastReport {
        at_unix_ms: 90_000,
        event: Event::Condemned,
        state: "ejected".to_owned(),
        by: By::Judge,
        through: Some("gateway1".to_owned()),
        why: None,
        score: 100.0,
        proven: 0,
        proof: 0,
        blaming: std::mem::take(&mut node.blaming),
    };
    node.past.push(charge);
    let then = evidence_of(node, 100_000);
    assert_eq!(
        then[0],
        "Taken for slow 10 s ago, with a score of 100, and ejected:"
    );
    assert_eq!(then.len(), 3);
    node.state = "serving".to_owned();
    assert!(evidence_of(node, 100_000).is_empty());
}

#[test]
fn how_far_it_is_on_its_way_in_is_told_and_upon_what_it_went_on() {
    let mut report = report();
    let node = report.nodes.first_mut().unwrap();
    (node.state, node.proven, node.proof) = ("shadow".to_owned(), 100, 384);
    let told = lines_of(&report, report.node("node3").unwrap(), 100_000).join("\n");
    assert!(
        told.contains("answered 100 copies of requests well, of 384"),
        "{told}"
    );
    assert!(!told.contains("no gateway has had enough"), "{told}");
    let node = report.nodes.first_mut().unwrap();
    node.voters = 0;
    node.past = serde_json::from_value(serde_json::json!([
        { "at_unix_ms": 40_000, "event": "held", "state": "ramping", "score": 1.0, "proven": 3, "proof": 32,
          "blaming": [] },
        { "at_unix_ms": 50_000, "event": "held", "state": "ramping", "score": 1.0, "proven": 33, "proof": 32,
          "blaming": [] },
        { "at_unix_ms": 60_000, "event": "held", "state": "probation", "score": 1.0, "blaming": [] },
    ]))
    .unwrap();
    let told = lines_of(&report, report.node("node3").unwrap(), 100_000).join("\n");
    assert!(told.contains("no gateway has had enough"), "{told}");
    assert!(
        told.contains("score 1, after a minute in which it was asked too little"),
        "{told}"
    );
    assert!(
        told.contains("score 1, 33 requests answered well"),
        "{told}"
    );
    assert!(
        told.contains("40 s ago: probation by the judge, score 1\n"),
        "{told}"
    );
}

#[test]
fn who_waits_for_another_at_the_gate_is_told_for_whom() {
    let mut report = report();
    report.nodes.first_mut().unwrap().state = "quarantined".to_owned();
    report.gate = Some(GateReport {
        candidate: Some("node7".to_owned()),
        doing: Some("passed: it has 5 % of its keys".to_owned()),
        ..GateReport::default()
    });
    let told = lines_of(&report, report.node("node3").unwrap(), 100_000).join("\n");
    let wanted = "waits for its turn at the gate, behind node7 (passed: it has 5 % of its keys)";
    assert!(told.contains(wanted), "{told}");
    assert!(!told.contains("that it takes to go on"), "{told}");
    // One that serves waits for nobody.
    report.nodes.first_mut().unwrap().state = "serving".to_owned();
    let told = lines_of(&report, report.node("node3").unwrap(), 100_000).join("\n");
    assert!(!told.contains("at the gate"), "{told}");
}

#[test]
fn who_did_what_and_why_is_told_of_operators_and_of_nodes_that_were_gone() {
    let mut report = report();
    let node = report.nodes.first_mut().unwrap();
    (node.state, node.slow_since_unix_ms) = ("ejected".to_owned(), None);
    node.past = serde_json::from_value(serde_json::json!([
        { "at_unix_ms": 10_000, "event": "condemned", "state": "ejected", "score": 0.0, "blaming": [],
          "by": "steward", "through": "gateway1", "why": "it was gone" },
        { "at_unix_ms": 20_000, "event": "readmit", "state": "probation", "score": 0.0, "blaming": [],
          "by": "operator", "through": "gateway2" },
        { "at_unix_ms": 40_000, "event": "condemned", "state": "ejected", "score": 0.0, "blaming": [],
          "by": "operator", "through": "gateway2", "why": "a new disk" },
    ]))
    .unwrap();
    let told = lines_of(&report, report.node("node3").unwrap(), 100_000).join("\n");
    for wanted in [
        "1 min ago: ejected by an operator at gateway2: a new disk",
        "1 min 20 s ago: probation, readmitted by an operator at gateway2\n",
        "1 min 30 s ago: ejected by the steward at gateway1: it was gone",
    ] {
        assert!(told.contains(wanted), "{told}");
    }
    let evidence = evidence_of(report.node("node3").unwrap(), 100_000);
    let wanted = "1 min ago: ejected by an operator at gateway2: a new disk.";
    assert_eq!(evidence, [wanted], "nobody took it for slow");
}
