//! Windows that close by count, rates, and ballots as they travel.

use super::*;
use crate::judge::Statistic;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn observer(nodes: u32) -> Observer {
    let mut observer = Observer::new(START, MemberId(101), Limits::default());
    for node in 1..=nodes {
        observer.know(START, MemberId(node), State::Serving);
    }
    observer
}

fn tally(count: u32, took_us: u64) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..count {
        tally.answered(Duration::from_micros(took_us), Some(Duration::ZERO), 100);
    }
    tally
}

/// `rounds` with so many requests to each of six nodes, of which the sixth takes `slow_us`.
fn run(observer: &mut Observer, from: u32, rounds: u32, count: u32, slow_us: u64) -> Ballot {
    for round in from..from + rounds {
        let now = START + ROUND * (round + 1);
        for node in 1..=6 {
            let took = if node == 6 { slow_us } else { 300 };
            observer.note(now, MemberId(node), Class::Read, &tally(count, took));
        }
        observer.round(now);
    }
    observer.ballot(START + ROUND * (from + rounds))
}

#[test]
fn nothing_is_said_before_enough_was_asked() {
    let mut observer = observer(6);
    assert!(run(&mut observer, 0, 3, 10, 50_000).opinions.is_empty());
    let ballot = run(&mut observer, 3, 1, 10, 50_000);
    assert_eq!(ballot.opinions.len(), 6);
    assert!(ballot.opinions[5].score > Score::CLEAR);
}

#[test]
fn few_requests_take_longer_and_say_the_same() {
    for count in [4, 8, 40, 400] {
        let mut observer = observer(6);
        let rounds = 20.max(200 / count);
        let ballot = run(&mut observer, 0, rounds, count, 50_000);
        assert!(ballot.opinions[5].score >= Score::SUSPECT, "{count}");
        let finding = ballot.opinions[5].finding.unwrap();
        assert_eq!(finding.statistic, Statistic::Median);
        assert!(finding.ours.unwrap() > 40.0 && finding.peers.unwrap() < 0.4);
        assert_eq!(ballot.opinions[0].score, Score::CLEAR);
    }
}

/// What it says of the sixth node after `rounds` in which so many of 40 requests took 5 ms there, of which
/// the node says that they waited so long for their turn.
fn partly_slow(rounds: u32, slow: u32, queued_us: u64) -> Opinion {
    let mut observer = observer(6);
    for round in 1..=rounds {
        let now = START + ROUND * round;
        for node in 1..=6 {
            let mut all = tally(40, 300);
            if node == 6 {
                all = tally(40 - slow, 300);
                for _ in 0..slow {
                    let queued = Duration::from_micros(queued_us);
                    all.answered(Duration::from_millis(5), Some(queued), 100);
                }
            }
            observer.note(now, MemberId(node), Class::Read, &all);
        }
        observer.round(now);
    }
    let ballot = observer.ballot(START + ROUND * rounds);
    ballot.opinions[5]
}

#[test]
fn a_large_part_of_slow_requests_tells_as_much_as_a_median() {
    let opinion = partly_slow(5, 14, 0);
    assert!(opinion.score >= Score::SUSPECT, "{opinion:?}");
    let finding = opinion.finding.unwrap();
    assert_eq!(finding.statistic, Statistic::SlowShareUnqueued);
    assert_eq!(finding.requests, 40);
    assert!((finding.ours.unwrap() - 35.0).abs() < 0.01);
    assert!((finding.limit.unwrap() - 25.0).abs() < 0.01);
    // Where they waited for their turn, load may be why: it takes longer to tell.
    let opinion = partly_slow(5, 14, 4_900);
    assert!(opinion.score < Score::SUSPECT, "{opinion:?}");
    assert_eq!(opinion.score_unqueued, Score::CLEAR);
}

#[test]
fn a_smaller_part_of_slow_requests_takes_longer_to_tell() {
    let opinion = partly_slow(8, 6, 0);
    assert!(opinion.score > Score::CLEAR && opinion.score < Score::SUSPECT);
    assert_eq!(partly_slow(28, 6, 0).score, Score::CERTAIN);
}

#[test]
fn what_the_wait_at_the_node_explains_is_told_apart() {
    let queued = partly_slow(10, 30, 4_900).finding.unwrap();
    assert_eq!(queued.statistic, Statistic::Median);
    assert!(
        queued.unqueued.unwrap() < queued.limit.unwrap(),
        "{queued:?}"
    );
    assert!(queued.is_of_queue());
    let told = "up to 4.54 ms (0.11 ms without waiting there), its peers' 0.29 ms";
    assert!(queued.sentence().contains(told), "{}", queued.sentence());
    for finding in [30, 14].map(|slow| partly_slow(10, slow, 0).finding.unwrap()) {
        assert_eq!(finding.unqueued, finding.ours);
        assert!(!finding.is_of_queue());
    }
    let mut silent = observer(6);
    for node in 1..=6 {
        let mut all = tally(40, 300);
        if node == 6 {
            all = Tally::default();
            all.unanswered(40);
        }
        silent.note(START + ROUND, MemberId(node), Class::Read, &all);
    }
    silent.round(START + ROUND);
    let finding = silent.ballot(START + ROUND).opinions[5].finding.unwrap();
    assert_eq!((finding.ours, finding.unqueued), (None, None));
    assert!(!finding.is_of_queue());
}

#[test]
fn each_node_is_shown_beside_its_peers() {
    let mut observer = observer(6);
    run(&mut observer, 0, 4, 40, 50_000);
    let now = START + ROUND * 4;
    let mut silent = Tally::default();
    silent.unanswered(200);
    observer.note(now, MemberId(5), Class::Read, &silent);
    observer.round(now + ROUND);
    let beside = observer.beside(now + ROUND);
    let read = |node: usize| beside[node - 1].1[Class::Read.index()].unwrap();
    let (well, slow) = (read(1), read(6));
    let (peers_s, limit_s) = well.peers_s.unwrap();
    assert!(well.ours_s < limit_s && peers_s < 0.0004, "{well:?}");
    assert!(slow.ours_s > 0.04 && slow.ours_s > slow.peers_s.unwrap().1);
    assert!(read(5).ours_s.is_infinite());
    assert_eq!(beside[0].1[Class::LargeWrite.index()], None);
    // Nothing is said of what was long ago, nor of one that is alone.
    let later = now + Duration::from_secs(60);
    assert_eq!(observer.beside(later)[0].1, [None; 4]);
    observer.keep(|node| node.0 == 6);
    let alone = observer.beside(now)[0].1[Class::Read.index()].unwrap();
    assert_eq!(alone.peers_s, None);
}

#[test]
fn what_is_left_behind_is_forgotten_with_the_step() {
    let mut observer = observer(6);
    let ballot = run(&mut observer, 0, 20, 40, 50_000);
    assert_eq!(ballot.opinions[5].score, Score::CERTAIN);
    let now = START + ROUND * 20;
    observer.know(now, MemberId(6), State::Suspect);
    assert_eq!(observer.ballot(now).opinions[5].score, Score::CERTAIN);
    observer.know(now, MemberId(6), State::Ejected);
    // What was under way comes late, and is no news.
    let ballot = run(&mut observer, 20, 4, 40, 50_000);
    assert_eq!(ballot.opinions.len(), 5);
    let now = START + ROUND * 24;
    observer.know(now, MemberId(6), State::Probation);
    assert_eq!(observer.ballot(now).opinions.len(), 5);
    observer.keep(|node| node.0 > 3);
    assert_eq!(observer.ballot(now).opinions.len(), 2);
}

#[test]
fn rates_follow_within_seconds() {
    let mut observer = observer(6);
    let ballot = run(&mut observer, 0, 40, 50, 300);
    for opinion in &ballot.opinions {
        assert!((opinion.asked_per_s - 200.0).abs() < 5.0, "{opinion:?}");
        assert!((opinion.bytes_per_s - 20_000.0).abs() < 500.0);
    }
}

/// What it says that the sixth node is asked.
fn asked_per_s(observer: &Observer, now: Timestamp) -> f32 {
    observer.ballot(now).opinions[5].asked_per_s
}

#[test]
fn a_node_that_gets_keys_back_is_known_to_be_asked_more_before_it_is() {
    let mut observer = observer(6);
    observer.give(MemberId(6), 0.1, 1.0);
    run(&mut observer, 0, 40, 50, 300);
    let now = START + ROUND * 40;
    observer.give(MemberId(6), 0.2, 1.0);
    assert!((asked_per_s(&observer, now) - 400.0).abs() < 5.0);
    // With less it is asked what it is seen to be asked: one busy key may have stayed.
    observer.give(MemberId(6), 0.1, 1.0);
    assert!((asked_per_s(&observer, now) - 400.0).abs() < 5.0);
    run(&mut observer, 40, 40, 50, 300);
    assert!((asked_per_s(&observer, now + ROUND * 40) - 200.0).abs() < 5.0);
    // From nothing it cannot be told.
    observer.give(MemberId(6), 0.0, 1.0);
    observer.give(MemberId(6), 0.2, 1.0);
    assert!((asked_per_s(&observer, now + ROUND * 40) - 200.0).abs() < 5.0);
}

#[test]
fn what_a_node_is_asked_is_told_for_its_weight() {
    let mut observer = observer(6);
    observer.give(MemberId(6), 0.4, 2.0);
    let ballot = run(&mut observer, 0, 40, 50, 300);
    let (one, two) = (&ballot.opinions[0], &ballot.opinions[5]);
    assert!((one.asked_per_s / two.asked_per_s - 2.0).abs() < 0.01);
    assert!((one.answered_per_s / two.answered_per_s - 2.0).abs() < 0.01);
    assert!((one.bytes_per_s / two.bytes_per_s - 2.0).abs() < 0.01);
}

#[test]
fn a_level_that_rises_slowly_is_usual() {
    let mut observer = observer(6);
    let mut took_us = 300.0;
    for round in 1..2400 {
        // Six times as long after ten minutes.
        took_us *= 1.00075;
        let now = START + ROUND * round;
        for node in 1..=6 {
            observer.note(now, MemberId(node), Class::Read, &tally(40, took_us as u64));
        }
        observer.round(now);
        assert!(observer.ballot(now).shift < Score::SUSPECT, "round {round}");
    }
}

#[test]
fn a_ballot_travels_as_json() {
    let mut observer = observer(6);
    let mut silent = Tally::default();
    silent.unanswered(400);
    let now = START + ROUND;
    for node in 1..=6 {
        observer.note(now, MemberId(node), Class::Write, &silent);
    }
    observer.round(now);
    let ballot = observer.ballot(now);
    assert_eq!(ballot.levels_ms, [None; 4]);
    let text = serde_json::to_string(&ballot).unwrap();
    assert_eq!(serde_json::from_str::<Ballot>(&text).unwrap(), ballot);
}

#[test]
fn nodes_that_it_was_not_told_of_are_nobody() {
    let mut observer = observer(2);
    observer.note(START, MemberId(9), Class::Read, &tally(100, 300));
    observer.round(START + ROUND);
    assert!(observer.ballot(START + ROUND).opinions.is_empty());
}
