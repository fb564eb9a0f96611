//! Whatever the ballots say: caps hold, and nothing happens that the states do not know.

use base::rng::Rng;

use super::*;
use crate::judge::{Opinion, ROUND};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn any_ballots(rng: &mut Rng, nodes: u32) -> Vec<Ballot> {
    let scores = [1.0, 4.0, 12.0, 60.0, 100.0];
    let any = |rng: &mut Rng| {
        let value: f32 = scores[rng.below(5) as usize];
        serde_json::from_value(serde_json::json!(value)).unwrap()
    };
    (1..=rng.below(4) as u32)
        .map(|id| Ballot {
            observer: MemberId(1000 + id),
            levels_ms: [Some(0.1 + rng.unit_f64() * 2.0), None, None, None],
            shift: if rng.below(20) == 0 {
                Score::CERTAIN
            } else {
                Score::CLEAR
            },
            opinions: (1..=nodes)
                .map(|node| Opinion {
                    node: MemberId(node),
                    score: any(rng),
                    score_unqueued: any(rng),
                    asked_per_s: rng.below(1000) as f32,
                    answered_per_s: rng.below(1000) as f32,
                    bytes_per_s: rng.below(1000) as f32,
                    proven: rng.below(100) as u32,
                    seen_s: 0.2,
                    slow_for_s: 0.0,
                    finding: None,
                    finding_unqueued: None,
                })
                .collect(),
        })
        .collect()
}

fn out(standings: &BTreeMap<MemberId, Standing>) -> usize {
    let states = standings.values().map(Standing::state);
    states
        .filter(|it| matches!(it, State::Ejected | State::Probation))
        .count()
}

#[test]
fn whatever_is_said_no_more_than_a_tenth_is_out() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let nodes = 1 + rng.below(40) as u32;
        let mut standings: BTreeMap<MemberId, Standing> = (1..=nodes)
            .map(|id| (MemberId(id), Standing::founder(START)))
            .collect();
        let cap = (nodes as usize / 10).max(1).min(nodes as usize - 1);
        let mut judge = Judge::new();
        let mut now = START;
        for _ in 0..600 {
            now = now + ROUND;
            let ballots = any_ballots(&mut rng, nodes);
            let ruling = judge.round(now, &standings, &ballots);
            for decision in ruling.decisions {
                let standing = standings[&decision.node];
                let next = standing.after(decision.event, now);
                let next = next.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                standings.insert(decision.node, next);
            }
            assert!(out(&standings) <= cap, "seed {seed}: {standings:?}");
        }
    }
}

fn ballot_against(nodes: u32, slow: &[u32]) -> Ballot {
    let mut rng = Rng::new(1);
    let mut ballot = loop {
        if let Some(ballot) = any_ballots(&mut rng, nodes).pop() {
            break ballot;
        }
    };
    ballot.shift = Score::CLEAR;
    for opinion in &mut ballot.opinions {
        let is_slow = slow.contains(&opinion.node.0);
        opinion.score = if is_slow {
            Score::CERTAIN
        } else {
            Score::CLEAR
        };
        (
            opinion.asked_per_s,
            opinion.answered_per_s,
            opinion.bytes_per_s,
        ) = (1.0, 1.0, 1.0);
    }
    ballot
}

#[test]
fn a_notice_is_told_once_and_so_is_its_end() {
    let mut standings: BTreeMap<MemberId, Standing> = (1..=6)
        .map(|id| (MemberId(id), Standing::founder(START)))
        .collect();
    let mut judge = Judge::new();
    let mut told = Vec::new();
    for round in 0..40 {
        let now = START + ROUND * round;
        let slow: &[u32] = if round < 20 { &[2, 5] } else { &[] };
        let ruling = judge.round(now, &standings, &[ballot_against(6, slow)]);
        for decision in ruling.decisions {
            let next = standings[&decision.node]
                .after(decision.event, now)
                .unwrap();
            standings.insert(decision.node, next);
        }
        told.extend(ruling.began.into_iter().map(|it| ("began", it)));
        told.extend(ruling.ended.into_iter().map(|it| ("ended", it)));
    }
    let both = Notice::CapHolds(vec![MemberId(2), MemberId(5)]);
    assert_eq!(told, [("began", both.clone()), ("ended", both)]);
}

/// What is told, and after how many seconds, while these nodes are slow in each second.
fn told_of(seconds: u32, slow: impl Fn(u32) -> Vec<u32>) -> Vec<(u32, Notice)> {
    let mut standings: BTreeMap<MemberId, Standing> = (1..=9)
        .map(|id| (MemberId(id), Standing::founder(START)))
        .collect();
    // The one place is taken.
    let out = standings[&MemberId(1)].after(Event::Condemned, START);
    standings.insert(MemberId(1), out.unwrap());
    for id in 2..=4 {
        let suspect = standings[&MemberId(id)].after(Event::Suspected, START);
        standings.insert(MemberId(id), suspect.unwrap());
    }
    let mut judge = Judge::new();
    let mut told = Vec::new();
    for round in 0..seconds * 4 {
        let slow = slow(round / 4);
        // Nothing is carried out meanwhile.
        let ruling = judge.round(
            START + ROUND * round,
            &standings,
            &[ballot_against(9, &slow)],
        );
        told.extend(ruling.began.into_iter().map(|it| (round / 4, it)));
        let names = judge.notices().next().map(Notice::names);
        assert!(slow.is_empty() || names.is_some_and(|it| it.len() == slow.len() + 1));
    }
    told
}

fn cap_holds(nodes: &[u32]) -> Notice {
    Notice::CapHolds(nodes.iter().copied().map(MemberId).collect())
}

#[test]
fn a_notice_is_told_again_when_it_names_somebody_more_and_not_when_somebody_less() {
    let told = told_of(60, |second| match second {
        0..20 => vec![2],
        20..40 => vec![2, 3],
        40..50 => vec![3],
        _ => vec![2, 3],
    });
    assert_eq!(told, [(0, cap_holds(&[1, 2])), (20, cap_holds(&[1, 2, 3]))]);
}

#[test]
fn names_that_come_one_after_the_other_are_told_together() {
    let told = told_of(30, |second| (2..=(2 + second).min(4)).collect());
    assert_eq!(
        told,
        [(0, cap_holds(&[1, 2])), (10, cap_holds(&[1, 2, 3, 4]))]
    );
}

#[test]
fn a_notice_that_comes_and_goes_does_not_name_the_same_as_news() {
    let mut judge = Affair::default();
    let mut news = Vec::new();
    for second in 0..200 {
        let now = START + Duration::from_secs(second);
        match second % 4 {
            0..2 => drop(judge.hear(now, cap_holds(&[1, 2]))),
            _ => judge.notice = None,
        }
        news.extend(judge.told_at.filter(|at| *at == now));
    }
    assert_eq!(news, [START]);
    let later = START + Duration::from_secs(300);
    judge.hear(later, cap_holds(&[2]));
    assert_eq!(judge.told_at, Some(later));
}

#[test]
fn nobody_judges_a_fleet_that_nobody_asks() {
    let standings: BTreeMap<MemberId, Standing> = (1..=3)
        .map(|id| (MemberId(id), Standing::founder(START)))
        .collect();
    let mut judge = Judge::new();
    for round in 0..400 {
        let ruling = judge.round(START + ROUND * round, &standings, &[]);
        assert_eq!(ruling, Ruling::default());
    }
}

#[test]
fn a_node_on_trial_goes_on_by_what_it_answered_or_when_nobody_asks() {
    let ejected = Standing::founder(START)
        .after(Event::Condemned, START)
        .unwrap();
    let probation = ejected
        .after(Event::Held, ejected.holds_until().unwrap())
        .unwrap();
    let held_after = |proven_per_round: u32| {
        let others = (2..=6).map(|id| (MemberId(id), Standing::founder(START)));
        let mut standings: BTreeMap<MemberId, Standing> = others.collect();
        standings.insert(MemberId(1), probation);
        let mut judge = Judge::new();
        let found = (1..1000).find(|round| {
            let mut ballot = ballot_against(6, &[]);
            for opinion in &mut ballot.opinions {
                opinion.proven = proven_per_round * round;
            }
            let now = probation.since() + ROUND * *round;
            !judge.round(now, &standings, &[ballot]).decisions.is_empty()
        });
        (ROUND * found.unwrap()).as_secs()
    };
    assert_eq!(held_after(10), 10);
    assert_eq!(held_after(0), 60);
}
