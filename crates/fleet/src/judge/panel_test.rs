//! Votes: majorities, observers that are slow themselves, and load over all of them.

use base::rng::Rng;

use super::*;
use crate::judge::Opinion;

const NODES: u32 = 6;

fn score(value: u32) -> Score {
    serde_json::from_value(serde_json::json!(value as f32)).unwrap()
}

fn opinion(node: u32, value: u32) -> Opinion {
    Opinion {
        node: MemberId(node),
        score: score(value),
        score_unqueued: Score::CLEAR,
        asked_per_s: 100.0,
        answered_per_s: 100.0,
        bytes_per_s: 1000.0,
        proven: 10,
        seen_s: 0.2,
        slow_for_s: 0.0,
        finding: None,
        finding_unqueued: None,
    }
}

/// An observer at this level that gives each node the score of `values`.
fn ballot(observer: u32, level_ms: f64, values: &[u32]) -> Ballot {
    Ballot {
        observer: MemberId(observer),
        levels_ms: [Some(level_ms), None, None, None],
        shift: Score::CLEAR,
        opinions: (1..)
            .zip(values)
            .map(|(node, value)| opinion(node, *value))
            .collect(),
    }
}

#[test]
fn more_than_half_must_say_so() {
    let mut rng = Rng::new(1);
    for _ in 0..500 {
        let count = 1 + rng.below(9);
        let values: Vec<u32> = (0..count).map(|_| 1 + rng.below(100) as u32).collect();
        let ballots: Vec<Ballot> = (1..)
            .zip(&values)
            .map(|(id, value)| ballot(id, 0.3, &[*value]))
            .collect();
        let agreed = Panel::of(&ballots).nodes[0].score.value();
        let say_so = values.iter().filter(|it| **it as f32 >= agreed).count();
        let say_more = values.iter().filter(|it| **it as f32 > agreed).count();
        assert!(2 * say_so > values.len(), "{values:?}: {agreed}");
        assert!(2 * say_more <= values.len(), "{values:?}: {agreed}");
    }
}

#[test]
fn the_order_of_ballots_does_not_matter() {
    let mut ballots = vec![
        ballot(1, 0.3, &[1, 50, 100]),
        ballot(2, 0.4, &[1, 100, 100]),
        ballot(3, 9.0, &[100, 100, 100]),
    ];
    let told = |ballots: &[Ballot]| {
        let panel = Panel::of(ballots);
        let scores: Vec<f32> = panel.nodes.iter().map(|it| it.score.value()).collect();
        (panel.slow_observers, scores)
    };
    let one = told(&ballots);
    ballots.reverse();
    assert_eq!(one, told(&ballots));
    assert_eq!(one, (vec![MemberId(3)], vec![1.0, 50.0, 100.0]));
}

#[test]
fn who_sees_everything_late_has_no_vote_and_most_of_two_is_both() {
    let panel = Panel::of(&[ballot(1, 0.3, &[1]), ballot(2, 30.0, &[100])]);
    assert_eq!(panel.slow_observers, [MemberId(2)]);
    assert_eq!(panel.nodes[0].voters, 1);
    let panel = Panel::of(&[ballot(1, 0.3, &[1]), ballot(2, 0.5, &[100])]);
    assert!(panel.slow_observers.is_empty());
    assert_eq!(panel.nodes[0].score, Score::CLEAR);
}

#[test]
fn a_level_is_compared_class_by_class() {
    // One has only large values, and so what it sees takes longer.
    let mut large = ballot(2, 30.0, &[1]);
    large.levels_ms = [None, Some(30.0), None, None];
    assert!(
        Panel::of(&[ballot(1, 0.3, &[1]), large])
            .slow_observers
            .is_empty()
    );
}

#[test]
fn busy_is_who_is_asked_more_by_all_together_and_does_it() {
    let mut ballots = [
        ballot(1, 0.3, &[1; NODES as usize]),
        ballot(2, 0.3, &[1; NODES as usize]),
    ];
    // The first observer does not notice: it is the second one's tenant.
    ballots[1].opinions[3].asked_per_s = 400.0;
    ballots[1].opinions[3].answered_per_s = 300.0;
    let panel = Panel::of(&ballots);
    let busy: Vec<bool> = panel.nodes.iter().map(|it| it.is_busy).collect();
    assert_eq!(busy, [false, false, false, true, false, false]);
    assert!((panel.nodes[3].load - 2.5).abs() < 1e-6);
    // Asked much and doing little is no excuse.
    for ballot in &mut ballots {
        ballot.opinions[3].answered_per_s = 10.0;
        ballot.opinions[3].bytes_per_s = 100.0;
    }
    assert!(!Panel::of(&ballots).nodes[3].is_busy);
}

#[test]
fn nobody_says_nothing() {
    let panel = Panel::of(&[]);
    assert!(panel.nodes.is_empty() && panel.slow_observers.is_empty());
    assert_eq!(panel.shift, Score::CLEAR);
    assert!(panel.of_node(MemberId(1)).is_none());
}

#[test]
fn who_has_not_looked_since_somebody_found_it_slow_has_no_say() {
    let mut blaming = ballot(1, 0.3, &[100, 1]);
    blaming.opinions[0].slow_for_s = 2.0;
    let mut quiet = ballot(2, 0.3, &[1, 1]);
    let said = [(9.0, 20.0, 1, 100), (9.0, 30.0, 2, 1), (1.5, 20.0, 2, 1)];
    for (seen_s, asked_per_s, voters, expected) in said {
        quiet.opinions[0].seen_s = seen_s;
        quiet.opinions[0].asked_per_s = asked_per_s;
        let panel = Panel::of(&[blaming.clone(), quiet.clone()]);
        let agreed = panel.of_node(MemberId(1)).unwrap();
        assert_eq!((agreed.voters, agreed.score), (voters, score(expected)));
        assert_eq!(panel.of_node(MemberId(2)).unwrap().voters, 2);
    }
}
