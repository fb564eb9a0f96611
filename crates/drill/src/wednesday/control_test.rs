//! Tests of what counts as shown by a control, from made-up runs.

use super::super::samples::Stretch;
use super::super::scenario::cases;
use super::super::score::outcome;
use super::*;

fn case(what: &str) -> Case {
    cases().into_iter().find(|it| it.what == what).unwrap()
}

/// Nothing is wrong, and nobody is taken out.
fn calm() -> Seen {
    let stretch = Stretch {
        requests: 5000,
        p99_ms: 2.0,
        lag_p99_ms: 0.5,
        hit_ratio: 1.0,
        lost: 0,
        stale: 0,
    };
    Seen {
        before: stretch,
        since: stretch,
        after: stretch,
        hit_ratio_min: 1.0,
        busy: Some("mc4".to_owned()),
        ..Seen::default()
    }
}

fn ejected(names: &[(&str, u64)]) -> Vec<(String, u64)> {
    let names = names.iter();
    names.map(|(name, ms)| ((*name).to_owned(), *ms)).collect()
}

#[test]
fn a_rule_that_takes_out_the_busy_node_is_told_with_who_went_when() {
    let hot = case("a hot key");
    let seen = Seen {
        ejected: ejected(&[("mc2", 900), ("mc4", 310)]),
        ..calm()
    };
    let told = outcome(&hot, Judge::On, &calm(), Some((Judge::Naive, &seen)));
    assert_eq!(
        (told.verdict, told.control),
        (Verdict::Pass, Some(Verdict::Fail))
    );
    assert_eq!(
        told.reasons,
        ["the control (Naive) shows: taken out mc4 after 310 ms, mc2 after 900 ms; mc4 was busy"]
    );
    // By itself it is an outage.
    assert_eq!(
        outcome(&hot, Judge::Naive, &seen, None).verdict,
        Verdict::Fail
    );
}

#[test]
fn to_take_out_another_node_than_the_busy_one_shows_nothing() {
    let hot = case("a hot key");
    let another = Seen {
        ejected: ejected(&[("mc1", 310)]),
        ..calm()
    };
    let nobody_busy = Seen {
        busy: None,
        ..another.clone()
    };
    for seen in [&calm(), &another, &nobody_busy] {
        let told = shown(&hot, Judge::Naive, seen);
        assert_eq!(told.verdict, Verdict::Pass, "{:?}", told.reasons);
    }
    assert_eq!(
        shown(&hot, Judge::Naive, &another).reasons,
        [
            "the control (Naive) does not show what the rule does wrong: taken out mc1 after 310 ms; mc4 was busy"
        ]
    );
}

#[test]
fn who_is_out_before_anything_is_done_is_named_and_counts_for_nothing() {
    let hot = case("a hot key");
    let before = Seen {
        out_before: ejected(&[("mc4", 1200)]),
        ..calm()
    };
    let told = shown(&hot, Judge::Naive, &before);
    // It may be that the machine was not at rest: nothing can be said.
    assert_eq!(told.verdict, Verdict::Invalid);
    let out = "out before anything was done: mc4 for 1200 ms";
    assert_eq!(told.reasons[1], out);
    let both = Seen {
        ejected: ejected(&[("mc5", 310)]),
        busy: Some("mc5".to_owned()),
        ..before
    };
    let told = shown(&hot, Judge::Naive, &both);
    assert_eq!(told.verdict, Verdict::Fail);
    assert_eq!(told.reasons[1], out);
    // Of the judge it says nothing: a fleet that was not well to begin with.
    let nobody_since = Seen {
        ejected: Vec::new(),
        ..both
    };
    assert_eq!(faults(&hot, Judge::On, &nobody_since), [""; 0]);
    assert_eq!(disturbances(&hot, &nobody_since).len(), 1);
}

#[test]
fn of_two_slow_nodes_the_rule_takes_out_both() {
    let two = case("each reply of two nodes 50 ms later");
    let targets = vec!["mc2".to_owned(), "mc5".to_owned()];
    let one = Seen {
        ejected: ejected(&[("mc2", 300), ("mc1", 500)]),
        targets,
        busy: None,
        ..calm()
    };
    // That no event names both is not what the rule does wrong.
    assert_eq!(shown(&two, Judge::Naive, &one).verdict, Verdict::Pass);
    let both = Seen {
        ejected: ejected(&[("mc2", 300), ("mc5", 300)]),
        ..one
    };
    assert_eq!(shown(&two, Judge::Naive, &both).verdict, Verdict::Fail);
}

#[test]
fn where_nobody_may_go_whoever_goes_shows_it() {
    let gateway = case("a gateway runs a third of the time");
    let seen = Seen {
        ejected: ejected(&[("mc1", 700)]),
        busy: None,
        ..calm()
    };
    assert_eq!(shown(&gateway, Judge::Naive, &seen).verdict, Verdict::Fail);
}

#[test]
fn where_all_are_taken_out_before_any_is_asked_most_the_busy_one_is_among_them() {
    let hot = case("a hot key");
    let names = ["mc1", "mc2", "mc3", "mc4", "mc5", "mc6"];
    for (count, expected) in [(6, Verdict::Fail), (5, Verdict::Pass)] {
        let out: Vec<(&str, u64)> = names[..count].iter().map(|name| (*name, 300)).collect();
        let seen = Seen {
            ejected: ejected(&out),
            busy: None,
            ..calm()
        };
        let told = outcome(&hot, Judge::On, &calm(), Some((Judge::Naive, &seen)));
        assert_eq!(told.control, Some(expected), "{count}");
    }
}
