//! What passes and what does not, from made-up runs.

use super::super::samples::Stretch;
use super::super::scenario::cases;
use super::*;

fn stretch(p99_ms: f64) -> Stretch {
    Stretch {
        requests: 5000,
        p99_ms,
        lag_p99_ms: 0.5,
        hit_ratio: 1.0,
        lost: 0,
        stale: 0,
    }
}

fn case(what: &str) -> Case {
    cases().into_iter().find(|it| it.what == what).unwrap()
}

fn slow_node() -> Case {
    case("each reply 50 ms later")
}

fn good() -> Seen {
    Seen {
        before: stretch(2.0),
        since: stretch(20.0),
        after: stretch(2.4),
        hit_ratio_min: 0.83,
        suspected: vec![("mc3".to_owned(), 1500)],
        ejected: vec![("mc3".to_owned(), 2800)],
        out_max: 1,
        targets: vec!["mc3".to_owned()],
        ..Seen::default()
    }
}

fn bad() -> Seen {
    Seen {
        since: Stretch {
            lost: 3,
            ..stretch(300.0)
        },
        ..Seen {
            suspected: Vec::new(),
            ejected: Vec::new(),
            ..good()
        }
    }
}

#[test]
fn a_slow_node_that_is_taken_out_in_time_passes_and_its_control_fails() {
    let outcome = outcome(&slow_node(), Judge::On, &good(), Some((Judge::Off, &bad())));
    assert_eq!(
        (outcome.verdict, outcome.control),
        (Verdict::Pass, Some(Verdict::Fail))
    );
    assert_eq!(
        (outcome.detect_ms, outcome.eject_ms),
        (Some(1500), Some(2800))
    );
}

#[test]
fn each_bound_is_held_to() {
    let wrong = |change: &dyn Fn(&mut Seen)| {
        let mut seen = good();
        change(&mut seen);
        faults(&slow_node(), Judge::On, &seen)
    };
    assert_eq!(wrong(&|_| {}), [""; 0]);
    assert_eq!(wrong(&|it| it.suspected[0].1 = 2100).len(), 1);
    assert_eq!(wrong(&|it| it.ejected[0].1 = 5100).len(), 1);
    assert_eq!(wrong(&|it| it.since.lost = 1).len(), 1);
    assert_eq!(wrong(&|it| it.since.stale = 1).len(), 1);
    assert_eq!(wrong(&|it| it.after.p99_ms = 3.1).len(), 1);
    assert_eq!(wrong(&|it| it.hit_ratio_min = 0.7).len(), 1);
    assert_eq!(
        wrong(&|it| it.ejected.push(("mc1".to_owned(), 3000))).len(),
        1
    );
}

#[test]
fn a_control_that_shows_nothing_fails_the_scenario() {
    let outcome = outcome(
        &slow_node(),
        Judge::On,
        &good(),
        Some((Judge::Off, &good())),
    );
    // Ten times the p99 is an outage, too.
    assert_eq!(outcome.control, Some(Verdict::Fail));
    let calm = Seen {
        since: stretch(2.0),
        ..good()
    };
    let outcome = super::outcome(&slow_node(), Judge::On, &good(), Some((Judge::Off, &calm)));
    assert_eq!(
        (outcome.verdict, outcome.control),
        (Verdict::Fail, Some(Verdict::Pass))
    );
    let noisy = Seen {
        before: stretch(6.0),
        since: stretch(55.0),
        ..good()
    };
    let control = Some((Judge::Off, &noisy));
    let outcome = super::outcome(&slow_node(), Judge::On, &good(), control);
    assert_eq!(outcome.verdict, Verdict::Invalid);
}

#[test]
fn a_machine_that_disturbs_fails_nobody() {
    let disturbed = Seen {
        steal: 0.2,
        after: stretch(50.0),
        ..good()
    };
    let outcome = outcome(&slow_node(), Judge::On, &disturbed, None);
    assert_eq!(outcome.verdict, Verdict::Invalid);
    assert_eq!(outcome.reasons.len(), 2);
    let wrong = Seen {
        ejected: vec![("mc3".to_owned(), 2800), ("mc4".to_owned(), 2900)],
        ..disturbed
    };
    let outcome = super::outcome(&slow_node(), Judge::On, &wrong, None);
    assert_eq!(outcome.verdict, Verdict::Fail);
}

#[test]
fn of_little_that_is_done_a_machine_has_to_show_more() {
    let part = case("15 % of the time replies are 5 to 15 ms later");
    for (p99_ms, of_all, of_part) in [(1.2, 0, 0), (1.4, 0, 1), (4.9, 0, 1), (5.1, 1, 1)] {
        let before = stretch(p99_ms);
        assert_eq!(unrest(&slow_node(), &before, 0.0).len(), of_all);
        assert_eq!(unrest(&part, &before, 0.0).len(), of_part);
        assert_eq!(unrest(&part, &before, 0.06).len(), of_part + 1);
    }
}

#[test]
fn with_all_slow_nobody_may_go_and_one_event_must_come() {
    let all = case("each reply of all nodes 50 ms later");
    let told = Seen {
        suspected: Vec::new(),
        ejected: Vec::new(),
        notices: vec![("fleet_slow".to_owned(), 1800, Vec::new())],
        targets: (1..=6).map(|it| format!("mc{it}")).collect(),
        ..good()
    };
    assert_eq!(faults(&all, Judge::On, &told), [""; 0]);
    let out = Seen {
        ejected: vec![("mc3".to_owned(), 300)],
        ..told.clone()
    };
    assert_eq!(outcome(&all, Judge::On, &out, None).wrongly_ejected, 1);
    let untold = Seen {
        notices: Vec::new(),
        ..told
    };
    assert_eq!(
        faults(&all, Judge::On, &untold),
        ["not told that all are slow"]
    );
}

#[test]
fn of_two_slow_nodes_one_goes_and_both_are_named() {
    let two = case("each reply of two nodes 50 ms later");
    let both = vec!["mc2".to_owned(), "mc5".to_owned()];
    let held = Seen {
        ejected: vec![("mc2".to_owned(), 2800)],
        notices: vec![("cap_holds".to_owned(), 2800, both.clone())],
        targets: both,
        ..good()
    };
    assert_eq!(faults(&two, Judge::On, &held), [""; 0]);
    let both_out = Seen {
        out_max: 2,
        ..held.clone()
    };
    assert_eq!(faults(&two, Judge::On, &both_out).len(), 1);
    let one_named = Seen {
        notices: vec![("cap_holds".to_owned(), 2800, vec!["mc2".to_owned()])],
        ..held
    };
    assert_eq!(
        faults(&two, Judge::On, &one_named),
        ["the event names mc2 alone"]
    );
}

#[test]
fn only_a_node_that_was_out_can_be_back() {
    let recovering = case("each reply 50 ms later, then no more");
    let back = Seen {
        back_ms: Some(60_000),
        ..good()
    };
    assert_eq!(faults(&recovering, Judge::On, &back), [""; 0]);
    let late = Seen {
        back_ms: Some(120_001),
        ..good()
    };
    assert_eq!(faults(&recovering, Judge::On, &late).len(), 1);
    assert_eq!(faults(&recovering, Judge::On, &good()), ["not back"]);
    let never_out = Seen {
        suspected: Vec::new(),
        ejected: Vec::new(),
        out_max: 0,
        back_ms: Some(200),
        ..good()
    };
    let outcome = outcome(&recovering, Judge::On, &never_out, None);
    assert_eq!((outcome.verdict, outcome.back_ms), (Verdict::Fail, None));
    assert_eq!(
        outcome.reasons,
        ["not taken out before the fault was mended"]
    );
}

#[test]
fn a_newcomer_passes_only_if_it_is_refused_in_time_and_never_had_a_key() {
    let newcomer = case("mc6 is added, with 2 Mbit/s");
    let refused = Seen {
        refused: vec![("mc6".to_owned(), 14_000)],
        targets: vec!["mc6".to_owned()],
        suspected: Vec::new(),
        ejected: Vec::new(),
        ..good()
    };
    let control = (Judge::Off, &bad());
    let verdict = |seen: &Seen| outcome(&newcomer, Judge::On, seen, Some(control)).verdict;
    assert_eq!(verdict(&refused), Verdict::Pass);
    let mut served = refused.clone();
    served.served.insert("mc6".to_owned());
    let late = Seen {
        refused: vec![("mc6".to_owned(), 61_000)],
        ..refused.clone()
    };
    let never = Seen {
        refused: Vec::new(),
        ..refused
    };
    for seen in [served, late, never] {
        assert_eq!(verdict(&seen), Verdict::Fail, "{seen:?}");
    }
}

#[test]
fn another_node_that_is_suspected_is_not_what_was_to_be_found() {
    let case = cases()
        .into_iter()
        .find(|it| matches!(it.wanted, Wanted::Found(_)));
    let case = case.unwrap();
    let seen = |suspected: &[(&str, u64)]| Seen {
        suspected: suspected
            .iter()
            .map(|(name, at)| ((*name).to_owned(), *at))
            .collect(),
        ejected: Vec::new(),
        ..good()
    };
    let other = seen(&[("mc5", 400)]);
    assert_eq!(other.detected(), None);
    assert!(!missed(&case, &other).is_empty());
    let both = seen(&[("mc5", 400), ("mc3", 7000)]);
    assert_eq!(both.detected(), Some(7000));
    assert!(
        missed(&case, &both).is_empty(),
        "{:?}",
        missed(&case, &both)
    );
}
