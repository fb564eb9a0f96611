//! A small fleet in virtual time: what is done about each kind of trouble, and how soon.

use base::fleet::MemberId;

use super::world::{Trouble, World};
use super::*;
use crate::membership::{Event, State};

#[test]
fn a_node_that_turns_slow_is_suspect_in_two_seconds_and_out_in_five() {
    for (seed, trouble) in [Trouble::Later(50.0), Trouble::Later(2.0), Trouble::Silent]
        .into_iter()
        .enumerate()
    {
        for observers in [1, 2, 5] {
            let mut world = World::new(seed as u64, 6, observers);
            world.trouble(3, trouble);
            world.run(6);
            let suspected = world.when(3, Event::Suspected).unwrap();
            let condemned = world.when(3, Event::Condemned).unwrap();
            assert!(suspected <= 2.0, "{suspected}");
            assert!((1.5..=5.0).contains(&condemned), "{condemned}");
            assert_eq!(world.ejected(), [3]);
        }
    }
}

#[test]
fn a_line_that_is_all_but_full_is_found_as_soon_as_one_that_is_full() {
    for seed in 0..20 {
        for part in [60.0, 75.0] {
            let mut world = World::new(seed, 6, 2);
            world.trouble(3, Trouble::Narrow(part));
            world.run(6);
            assert!(world.when(3, Event::Suspected).unwrap() <= 1.5, "{seed}");
            assert!(world.when(3, Event::Condemned).unwrap() <= 4.0, "{seed}");
            assert_eq!(world.ejected(), [3]);
        }
    }
}

#[test]
fn a_part_of_slow_requests_is_enough() {
    for part in [10.0, 15.0] {
        let mut world = World::new(1, 6, 2);
        world.trouble(2, Trouble::Bimodal(part));
        world.run(30);
        // It takes longer to be certain of it, and so it is spared until then.
        let relieved = world.when(2, Event::Relieved).unwrap();
        assert!(relieved - world.when(2, Event::Suspected).unwrap() == 2.0);
        assert!(world.when(2, Event::Suspected).unwrap() <= 30.0);
        assert_eq!(world.ejected(), [2]);
    }
}

#[test]
fn who_has_more_to_do_than_it_can_is_relieved_at_once_and_stays() {
    let mut world = World::new(7, 6, 2);
    world.trouble(2, Trouble::Weak);
    world.run(60);
    let relieved = world.when(2, Event::Relieved).unwrap();
    assert!(relieved - world.when(2, Event::Suspected).unwrap() == ROUND.as_secs_f64());
    assert_eq!(world.when(2, Event::Condemned), None, "{:?}", world.log);
    assert!(world.reasons[0].is_of_queue(), "{:?}", world.reasons[0]);
}

#[test]
fn a_suspect_keeps_keys_that_no_other_node_can_have() {
    for trouble in [Trouble::Weak, Trouble::Bimodal(12.0)] {
        let mut world = World::new(8, 6, 2);
        world.judge = Judge::without_ring();
        world.trouble(2, trouble);
        world.run(20);
        assert!(world.when(2, Event::Suspected).is_some());
        assert_eq!(world.when(2, Event::Relieved), None);
    }
}

#[test]
fn with_all_slow_nobody_goes_and_it_is_said_once() {
    let mut world = World::new(2, 6, 2);
    for node in 1..=6 {
        world.trouble(node, Trouble::Later(20.0));
    }
    world.run(40);
    assert!(world.log.is_empty(), "{:?}", world.log);
    let [(when, Notice::FleetSlow(_))] = &world.notices[..] else {
        panic!("{:?}", world.notices);
    };
    assert!(when.as_secs() < 10);
    for node in 1..=6 {
        world.trouble(node, Trouble::None);
    }
    world.run(120);
    assert_eq!(world.judge.notices().count(), 0, "it is over");
}

#[test]
fn with_most_of_them_slow_nobody_goes_either() {
    let mut world = World::new(3, 6, 2);
    for node in 1..=4 {
        world.trouble(node, Trouble::Later(20.0));
    }
    world.run(40);
    assert!(world.ejected().is_empty());
    assert!(matches!(world.notices[0].1, Notice::FleetSlow(_)));
}

#[test]
fn an_observer_that_is_slow_itself_has_no_vote() {
    let mut world = World::new(4, 6, 2);
    world.observers[1].1 = Trouble::Later(30.0);
    world.run(40);
    assert!(world.log.is_empty(), "{:?}", world.log);
    let expected = Notice::ObserversSlow(vec![MemberId(102)]);
    assert_eq!(world.notices[0].1, expected);
    // Who is left still sees a slow node.
    world.began = world.now;
    world.trouble(5, Trouble::Later(50.0));
    world.run(6);
    assert_eq!(world.ejected(), [5]);
}

#[test]
fn busy_is_not_slow_but_busy_and_slow_is() {
    let mut world = World::new(5, 6, 2);
    world.trouble(1, Trouble::Busy(3.0));
    world.run(60);
    assert!(world.log.is_empty(), "{:?}", world.log);
    // Nor right after, while what it was is not forgotten.
    world.trouble(1, Trouble::None);
    world.run(90);
    assert!(world.log.is_empty(), "{:?}", world.log);
    world.trouble(1, Trouble::Busy(3.0));
    world.run(10);
    world.trouble(1, Trouble::Silent);
    world.run(8);
    assert_eq!(world.ejected(), [1]);
}

#[test]
fn of_two_slow_ones_one_goes_and_both_are_named() {
    let mut world = World::new(6, 6, 2);
    world.trouble(2, Trouble::Later(50.0));
    world.trouble(4, Trouble::Later(20.0));
    world.run(30);
    let out = world.ejected();
    assert_eq!(out.len(), 1, "{out:?}");
    let expected = vec![MemberId(2), MemberId(4)];
    let named = world.notices.iter().any(|(_, notice)| match notice {
        Notice::CapHolds(nodes) => *nodes == expected,
        _ => false,
    });
    assert!(named, "{:?}", world.notices);
}

#[test]
fn who_recovers_is_back_at_full_weight_in_two_minutes_and_stays() {
    let mut world = World::new(7, 6, 2);
    world.trouble(3, Trouble::Later(50.0));
    world.run(6);
    assert_eq!(world.state(3), State::Ejected);
    world.trouble(3, Trouble::None);
    world.run(120);
    assert_eq!(world.state(3), State::Serving);
    let events = world.log.len();
    world.run(600);
    assert_eq!(world.log.len(), events, "{:?}", &world.log[events..]);
}

#[test]
fn who_does_not_recover_is_tried_less_and_less() {
    let mut world = World::new(8, 6, 2);
    world.trouble(3, Trouble::Later(50.0));
    world.run(900);
    let tries = |from: u64, to: u64| {
        let held = world.log.iter().filter(|it| it.2 == Event::Held);
        held.filter(|it| (from..to).contains(&it.0.as_secs()))
            .count()
    };
    assert!(
        tries(0, 200) >= 2 && tries(500, 900) <= 2,
        "{:?}",
        world.log
    );
    let served = world.log.iter().any(|it| it.2 == Event::Cleared);
    assert!(!served && world.state(3) != State::Serving);
}

#[test]
fn short_pauses_take_nobody_out() {
    let mut world = World::new(9, 6, 2);
    for _ in 0..60 {
        let node = 1 + world.rng.below(6) as u32;
        world.trouble(node, Trouble::Silent);
        world.round();
        world.round();
        world.trouble(node, Trouble::None);
        world.run(8);
    }
    assert!(world.log.is_empty(), "{:?}", world.log);
}

#[test]
fn of_two_nodes_the_slow_one_is_told_from_the_other() {
    let mut world = World::new(10, 2, 2);
    world.trouble(2, Trouble::Later(20.0));
    world.run(6);
    assert_eq!(world.ejected(), [2]);
    // The last one is never taken out.
    world.trouble(1, Trouble::Silent);
    world.run(30);
    assert_eq!(world.ejected(), [2]);
}

#[test]
fn one_observer_of_two_is_not_enough() {
    let mut world = World::new(11, 6, 2);
    world.run(5);
    // A way that only the first one has is broken.
    for _ in 0..80 {
        world.trouble(3, Trouble::None);
        world.now = world.now + ROUND;
        let mut ballots = Vec::new();
        for place in 0..2 {
            for node in 1..=6 {
                world.trouble(
                    3,
                    if place == 0 {
                        Trouble::Silent
                    } else {
                        Trouble::None
                    },
                );
                let tally = world.tally(place, MemberId(node), 1000);
                let observer = &mut world.observers[place].0;
                observer.note(world.now, MemberId(node), Class::Read, &tally);
            }
            let observer = &mut world.observers[place].0;
            observer.round(world.now);
            ballots.push(observer.ballot(world.now));
        }
        let ruling = world.judge.round(world.now, &world.standings, &ballots);
        assert!(ruling.decisions.is_empty());
    }
    let case = world.judge.case(MemberId(3)).unwrap();
    assert_eq!(case.why().blaming.len(), 1);
    assert_eq!(case.why().blaming[0].observer, MemberId(101));
}

#[path = "overload_test.rs"]
mod overload;
#[path = "shadow_test.rs"]
mod shadow;

#[test]
fn an_observer_that_asks_little_does_not_keep_a_slow_node_in() {
    for observers in [2, 3] {
        let mut world = World::new(9, 4, observers);
        world.per_round = 100;
        world.others_ask = 0.005;
        world.run(60);
        world.began = world.now;
        world.trouble(1, Trouble::Later(20.0));
        world.run(6);
        assert!(world.when(1, Event::Suspected).unwrap() <= 3.0);
        assert!(world.when(1, Event::Condemned).unwrap() <= 5.0);
    }
}

#[test]
fn an_observer_that_has_looked_keeps_a_node_in_that_is_slow_to_another() {
    let mut world = World::new(10, 4, 2);
    world.others_ask = 0.3;
    world.run(20);
    world.slow_to_first = Some(MemberId(1));
    world.run(60);
    assert!(world.ejected().is_empty(), "{:?}", world.log);
    world.others_ask = 0.0;
    world.run(10);
    assert_eq!(world.ejected(), [1], "nobody else asks");
}

#[test]
fn while_nobody_says_anything_a_suspect_stays_one() {
    let mut world = World::new(11, 6, 1);
    world.trouble(3, Trouble::Later(20.0));
    while world.state(3) == State::Serving {
        world.round();
    }
    world.silent = vec![MemberId(101)];
    world.run(1);
    assert_eq!(world.state(3), State::Suspect);
    world.silent.clear();
    world.run(3);
    assert_eq!(world.ejected(), [3]);
    assert_eq!(world.when(3, Event::Cleared), None);
}

#[test]
fn what_keeps_a_slow_node_from_going_does_not_lead_it_on() {
    let mut world = World::new(12, 6, 2);
    world.trouble(4, Trouble::Later(50.0));
    world.run(5);
    assert_eq!(world.ejected(), [4]);
    for node in [1, 2, 3, 5, 6] {
        world.trouble(node, Trouble::Later(3.0));
    }
    world.run(400);
    // To its trial, and not through it.
    let held = world.log.iter().filter(|it| it.2 == Event::Held);
    assert_eq!(held.count(), 1, "{:?}", world.log);
    // Nor a candidate.
    world.candidate(7);
    world.trouble(7, Trouble::Later(50.0));
    world.run(200);
    assert_eq!(world.when(7, Event::Held), None, "{:?}", world.log);
}

#[test]
fn a_new_judge_knows_who_was_busy() {
    let calm_after = |excused: &[u32]| {
        let mut world = World::new(13, 6, 2);
        world.trouble(1, Trouble::Hot(3.0));
        world.run(60);
        assert!(world.log.is_empty(), "{:?}", world.log);
        world.trouble(1, Trouble::None);
        world.run(3);
        world.judge = Judge::new().excusing(excused.iter().copied().map(MemberId));
        world.run(30);
        world.log.is_empty()
    };
    assert!(calm_after(&[1]));
    assert!(!calm_after(&[]));
}
