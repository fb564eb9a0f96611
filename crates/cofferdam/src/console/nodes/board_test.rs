//! What the page of nodes says, of one process and of fleets in good and bad health.

use fleet::membership::Event;

use askama::Template;

use super::*;
use crate::console::nodes::{NodesEventsPart, NodesPage, NodesRowsPart, NodesVerdictPart};
use crate::console::pages::Shell;
use crate::judging::{JudgingReport, NoticeReport};
use crate::observe::history::Row;
use crate::observe::nodes::NodeCase;
use crate::observe::nodes::testing::{NOW, after, node};

fn board(each: Vec<NodeReading>) -> NodesBoard {
    let fleet = FleetReading {
        nodes: each.len() as u64,
        each,
        ..FleetReading::default()
    };
    NodesBoard::new(Some(&fleet), &[], &[], true, NOW)
}

#[test]
fn one_process_says_that_it_has_no_nodes() {
    let board = NodesBoard::new(None, &[], &[], false, NOW);
    assert!(!board.is_fleet && board.nodes.is_empty());
    assert_eq!(board.verdict.severity, Severity::Well);
    assert!(
        board.verdict.text.contains("no nodes"),
        "{}",
        board.verdict.text
    );
    assert_eq!(board.notes.len(), 1);
}

#[test]
fn the_verdict_names_who_is_out_before_who_is_limited() {
    let well = board(vec![node("a"), node("b")]);
    assert_eq!(well.verdict.text, "All 2 nodes are serving.");
    let drained = board(vec![node("a"), after("b", Event::Drain)]);
    assert_eq!(drained.verdict.text, "1 of 2 nodes not at full weight: b.");
    assert_eq!(drained.verdict.severity, Severity::Limited);
    let out = board(vec![after("a", Event::Condemned), after("b", Event::Drain)]);
    assert_eq!(out.verdict.text, "1 of 2 nodes out: a.");
    assert_eq!(out.verdict.severity, Severity::Trouble);
    let order = board(["n10", "n9", "a"].map(node).into());
    let order: Vec<&str> = order.nodes.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(order, ["a", "n9", "n10"]);
    assert_eq!(board(Vec::new()).verdict.severity, Severity::Trouble);
    let many = (0..9).map(|n| after(&format!("n{n}"), Event::Condemned));
    let text = board(many.collect()).verdict.text;
    assert_eq!(text, "9 of 9 nodes out: n0, n1, n2, n3, n4 and 4 more.");
}

#[test]
fn what_can_be_done_follows_from_the_state_and_needs_a_store() {
    let deeds = |node: NodeReading| board(vec![node]).nodes.remove(0).deeds;
    assert_eq!(deeds(node("a")), [NodeDeed::Eject, NodeDeed::Drain]);
    let ejected = deeds(after("a", Event::Condemned));
    assert_eq!(ejected, [NodeDeed::Readmit, NodeDeed::Drain]);
    assert_eq!(deeds(after("a", Event::Drain)), [NodeDeed::Readmit]);
    let fleet = FleetReading {
        each: vec![node("a")],
        ..FleetReading::default()
    };
    let listed = NodesBoard::new(Some(&fleet), &[], &[], false, NOW);
    assert!(listed.nodes[0].deeds.is_empty() && listed.notes.len() == 1);
}

#[test]
fn evidence_stands_with_the_node_that_it_speaks_against() {
    let mut slow = after("a", Event::Suspected);
    slow.case = Some(NodeCase {
        score: 41.6,
        evidence: vec!["gateway1 (42 of 100)".to_owned()],
    });
    let row = board(vec![slow]).nodes.remove(0);
    assert_eq!((row.state, row.score.as_str()), ("suspect", "42"));
    assert_eq!(row.evidence, ["gateway1 (42 of 100)"]);
    assert!(row.words[0].contains("looks slow"), "{:?}", row.words);
    let serving = board(vec![node("a")]).nodes.remove(0);
    assert!(serving.words.is_empty() && serving.score == "–");
}

#[test]
fn a_suspect_is_spared_only_where_its_keys_can_be_had_by_others() {
    let words = |is_alone: bool, has_store: bool| {
        let judging = JudgingReport {
            is_alone,
            ..JudgingReport::default()
        };
        let fleet = FleetReading {
            each: vec![after("a", Event::Suspected)],
            judging: Some(Arc::new(judging)),
            ..FleetReading::default()
        };
        let board = NodesBoard::new(Some(&fleet), &[], &[], has_store, NOW);
        board.nodes[0].words.join(" ")
    };
    assert!(words(false, true).contains("is spared half soon"));
    for (is_alone, has_store) in [(true, true), (true, false)] {
        assert!(words(is_alone, has_store).contains("keeps its keys"));
    }
}

#[test]
fn words_tell_whose_way_to_a_silent_node_is_broken() {
    let words = |is_alive, is_heard| {
        let silent = NodeReading {
            is_alive,
            is_heard,
            ..node("a")
        };
        board(vec![silent]).nodes.remove(0).words.join(" ")
    };
    assert!(words(false, false).contains("neither"));
    assert!(words(true, false).contains("does not answer this gateway"));
    assert!(words(false, true).contains("its way to the store"));
}

#[test]
fn what_concerns_all_nodes_and_who_decides_is_told() {
    let notice = NoticeReport {
        kind: "fleet_slow".to_owned(),
        since_unix_ms: 0,
        told_unix_ms: 0,
        members: Vec::new(),
        sentence: "All nodes are slower than usual: nobody is taken out.".to_owned(),
    };
    let judging = JudgingReport {
        mode: "on".to_owned(),
        judge: Some("gateway1".to_owned()),
        notices: vec![notice],
        ..JudgingReport::default()
    };
    let fleet = FleetReading {
        each: vec![node("a")],
        judging: Some(Arc::new(judging)),
        ..FleetReading::default()
    };
    let board = NodesBoard::new(Some(&fleet), &[], &[], true, NOW);
    assert_eq!(
        board.notes,
        ["All nodes are slower than usual: nobody is taken out."]
    );
    assert!(
        board.decides.contains("gateway1 decides"),
        "{}",
        board.decides
    );
}

fn frame(time_s: u64, heat: Option<Heat>) -> Arc<Frame> {
    let heat = heat.map(|heat| (node_series("a", "heat"), heat.number()));
    Arc::new(Frame {
        time_s,
        figures: Row::new(heat.into_iter().collect(), &Row::default()),
        tenants: Vec::new(),
    })
}

#[test]
fn the_strip_joins_what_is_the_same_and_leaves_gaps() {
    let (well, gone) = (Some(Heat::Well), Some(Heat::Gone));
    let seconds = [
        (50, well),
        (200, well),
        (201, well),
        (202, gone),
        (204, gone),
        (205, None),
    ];
    let frames: Vec<_> = seconds.map(|(time_s, heat)| frame(time_s, heat)).into();
    // It ends with second 205: second 86 is its left edge.
    let run = |from_s, length_s, heat| Run {
        from_s,
        length_s,
        heat,
    };
    assert_eq!(
        strip("a", &frames),
        [
            run(114, 2, Heat::Well),
            run(116, 1, Heat::Gone),
            run(118, 1, Heat::Gone)
        ]
    );
    assert!(strip("a", &[]).is_empty() && strip("b", &frames).is_empty());
}

/// What somebody might call a node, or have an event say.
const EVIL: &str = "<script>alert(1)</script>\"' onload=x";

fn evil_event() -> EventView {
    let json = serde_json::json!({
        "id": 1, "at": EVIL, "onset": EVIL, "event": "node_suspect", "cause": EVIL, "state": EVIL,
        "tenant": EVIL, "sentence": EVIL, "advice": format!("{EVIL} `{EVIL}`"),
        "evidence": [{ "name": EVIL, "value": 1.0, "unit": EVIL }],
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn names_and_events_are_shown_and_not_obeyed() {
    let mut slow = after(EVIL, Event::Suspected);
    slow.address = EVIL.to_owned();
    slow.case = Some(NodeCase {
        score: 50.0,
        evidence: vec![EVIL.to_owned()],
    });
    let notice = NoticeReport {
        kind: EVIL.to_owned(),
        since_unix_ms: 0,
        told_unix_ms: 0,
        members: vec![EVIL.to_owned()],
        sentence: EVIL.to_owned(),
    };
    let judging = JudgingReport {
        mode: EVIL.to_owned(),
        judge: Some(EVIL.to_owned()),
        notices: vec![notice],
        ..JudgingReport::default()
    };
    let fleet = FleetReading {
        away: Some((NOW, EVIL.to_owned())),
        each: vec![slow],
        judging: Some(Arc::new(judging)),
        ..FleetReading::default()
    };
    let told = || NodesBoard::new(Some(&fleet), &[], &[evil_event()], true, NOW);
    let board = &told();
    let ring = serde_json::json!({
        "member": 1, "store": { "away_unix_s": 1, "why": EVIL, "age_ms": 1 }, "members": [],
        "ring": { "version": 1, "moving": 1, "waits_for": EVIL, "reads_for_ms": 1, "changes_for_ms": 1 },
    });
    let page = NodesPage {
        shell: Shell {
            title: "Nodes".to_owned(),
            version: "1",
            form_token: EVIL.to_owned(),
        },
        as_of: EVIL.to_owned(),
        board: told(),
        classes: [""; 4],
        gateways: vec![(EVIL.to_owned(), EVIL.to_owned())],
        ring: Some(serde_json::from_value(ring).unwrap()),
    };
    let rendered = [
        NodesVerdictPart { board }.render(),
        NodesRowsPart { board }.render(),
        NodesEventsPart { board }.render(),
        page.render(),
    ];
    for html in rendered.map(Result::unwrap) {
        assert!(html.contains("&#60;script&#62;alert(1)"), "{html}");
        assert!(!html.contains("<script>alert"), "{html}");
        // Nor does it leave the attribute that it stands in.
        assert!(!html.contains("\"' onload"), "{html}");
    }
}
