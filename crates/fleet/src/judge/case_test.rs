//! What is remembered of a node and how it is told.

use super::*;
use crate::judge::Class;
use crate::membership::Event;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn finding() -> Finding {
    Finding {
        class: Class::Read,
        statistic: Statistic::Median,
        ours: None,
        peers: Some(0.31),
        limit: Some(0.93),
        unqueued: None,
        requests: 40,
        unanswered: 38,
    }
}

fn said(score: Score, unqueued: Score, is_busy: bool) -> Agreed {
    Agreed {
        node: MemberId(4),
        score,
        score_unqueued: unqueued,
        is_busy,
        load: 2.5,
        voters: 2,
        proven: 0,
        blaming: vec![(MemberId(101), score, Some(finding()))],
        blaming_unqueued: Vec::new(),
    }
}

#[test]
fn what_was_held_against_a_busy_node_is_not_used_once_it_is_idle() {
    let serving = Standing::founder(START);
    let mut case = Case::new(MemberId(4));
    case.hear(
        START,
        &serving,
        Some(&said(Score::CERTAIN, Score::CLEAR, true)),
    );
    assert_eq!(case.score(), Score::CLEAR);
    case.hear(
        START,
        &serving,
        Some(&said(Score::CERTAIN, Score::CLEAR, false)),
    );
    assert_eq!(case.score(), Score::CLEAR);
    case.hear(
        START,
        &serving,
        Some(&said(Score::CLEAR, Score::CLEAR, false)),
    );
    case.hear(
        START,
        &serving,
        Some(&said(Score::CERTAIN, Score::CLEAR, false)),
    );
    assert_eq!(case.score(), Score::CERTAIN);
}

#[test]
fn it_says_who_by_which_figure_and_since_when() {
    let serving = Standing::founder(START);
    let mut case = Case::new(MemberId(4));
    case.hear(
        START,
        &serving,
        Some(&said(Score::SUSPECT, Score::CLEAR, false)),
    );
    let later = START + Duration::from_secs(3);
    case.hear(
        later,
        &serving,
        Some(&said(Score::SUSPECT, Score::CLEAR, false)),
    );
    assert_eq!(
        case.why().lines(later),
        [
            "found slow for 3.0 s",
            "member 101 (10 of 100): read: half of its requests or more have no answer, its peers' \
             0.31 ms, slow from 0.93 ms on (40 requests, 38 unanswered)",
            "1 of 2 observers",
        ]
    );
    // Silence says nothing for a while, and then that nobody knows.
    case.hear(later + SILENCE_MAX, &serving, None);
    assert!(!case.is_heard() && case.score() == Score::SUSPECT);
    let later = later + SILENCE_MAX + Duration::from_secs(1);
    case.hear(later, &serving, None);
    assert!(case.why().lines(later).is_empty());
}

#[test]
fn a_busy_node_is_told_what_counts_against_it_or_else_all_of_it() {
    let mut case = Case::new(MemberId(4));
    let mut said = said(Score::CERTAIN, Score::CLEAR, true);
    case.hear(START, &Standing::founder(START), Some(&said));
    assert_eq!(case.why().blaming[0].score, Score::CERTAIN);
    let quarter = Finding {
        statistic: Statistic::FastestQuarter,
        ..finding()
    };
    said.score_unqueued = Score::SUSPECT;
    said.blaming_unqueued = vec![(MemberId(102), Score::SUSPECT, Some(quarter))];
    case.hear(START, &Standing::founder(START), Some(&said));
    assert_eq!(case.score(), Score::SUSPECT);
    let [blame] = &case.why().blaming[..] else {
        panic!("{:?}", case.why());
    };
    assert_eq!(
        (blame.observer, blame.finding),
        (MemberId(102), Some(quarter))
    );
    assert!(
        quarter
            .sentence()
            .starts_with("read: three quarters of its requests or more have no answer, its peers'"),
        "{}",
        quarter.sentence()
    );
}

#[test]
fn who_is_excused_stays_so_until_it_is_clear() {
    let serving = Standing::founder(START);
    let mut case = Case::new(MemberId(4));
    case.excuse();
    for (score, expected) in [
        (Score::CERTAIN, Score::CLEAR),
        (Score::CLEAR, Score::CLEAR),
        (Score::CERTAIN, Score::CERTAIN),
    ] {
        case.hear(START, &serving, Some(&said(score, Score::CLEAR, false)));
        assert_eq!(case.score(), expected);
    }
}

#[test]
fn of_a_node_that_has_just_gone_nothing_is_said_at_once() {
    let serving = Standing::founder(START);
    let suspect = serving.after(Event::Suspected, START).unwrap();
    let mut case = Case::new(MemberId(4));
    case.hear(
        START,
        &suspect,
        Some(&said(Score::CERTAIN, Score::CLEAR, false)),
    );
    case.hear(START, &suspect, None);
    assert_eq!(case.score(), Score::CERTAIN);
    let out = suspect.after(Event::Condemned, START).unwrap();
    case.hear(START, &out, None);
    assert_eq!(case.why(), &Why::default());
}
