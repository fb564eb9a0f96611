//! The same fleet with a node that is asked more than it can do: relieved perhaps, and never taken out.

use super::*;
use crate::membership::Event;

/// How often the third node was suspected, in ten minutes after it was asked `times` as much all at once.
fn suspicions(seed: u64, tells_parts: bool, times: f64) -> usize {
    let mut world = World::new(seed, 6, 2);
    world.tells_parts = tells_parts;
    world.trouble(3, Trouble::Hot(0.4));
    world.run(20);
    world.trouble(3, Trouble::Hot(times));
    world.run(600);
    assert_eq!(world.when(3, Event::Condemned), None, "{:?}", world.log);
    assert!(world.log.iter().all(|it| it.1 == MemberId(3)));
    let suspected = world.log.iter().filter(|it| it.2 == Event::Suspected);
    suspected.count()
}

#[test]
fn who_is_hot_all_at_once_is_suspected_once_at_most_and_never_taken_out() {
    for (seed, times) in (40..).zip([1.25, 1.4, 2.0, 3.5]) {
        assert!(suspicions(seed, true, times) <= 1, "{times}");
    }
}

#[test]
fn with_rates_that_only_follow_it_would_be_suspected_whenever_it_is_back() {
    assert!(suspicions(40, false, 1.25) > 5);
}

#[test]
fn a_suspect_that_has_a_burst_at_its_lower_weight_stays() {
    let mut world = World::new(45, 6, 2);
    // At the edge, and asked no more than the others: that does not explain it.
    world.trouble(3, Trouble::Later(2.0));
    while world.state(3) == State::Serving {
        world.round();
    }
    assert_eq!(world.state(3), State::Suspect);
    for _ in 0..5 {
        world.trouble(3, Trouble::Hot(2.2));
        world.run(1);
        world.trouble(3, Trouble::None);
        world.run(2);
    }
    world.run(40);
    assert_eq!(world.when(3, Event::Condemned), None, "{:?}", world.log);
    assert_eq!(world.state(3), State::Serving);
}

#[test]
fn a_slow_node_is_not_excused_by_what_it_was_asked_before() {
    let mut world = World::new(46, 6, 2);
    world.trouble(3, Trouble::Hot(1.1));
    world.run(20);
    world.began = world.now;
    world.trouble(3, Trouble::Later(20.0));
    world.run(6);
    assert_eq!(world.ejected(), [3]);
    assert!(world.when(3, Event::Condemned).unwrap() <= 5.0);
}

#[test]
fn of_two_nodes_one_can_be_busy() {
    let mut world = World::new(47, 2, 2);
    world.trouble(2, Trouble::Hot(3.0));
    world.run(60);
    assert!(world.log.is_empty(), "{:?}", world.log);
    world.trouble(2, Trouble::Later(50.0));
    world.run(8);
    assert_eq!(world.ejected(), [2]);
}

#[test]
fn who_has_too_much_with_all_of_its_keys_is_given_them_more_and_more_rarely() {
    let mut world = World::new(48, 6, 2);
    world.trouble(2, Trouble::Weak);
    world.run(1800);
    assert_eq!(world.when(2, Event::Condemned), None, "{:?}", world.log);
    let suspected = world.log.iter().filter(|it| it.2 == Event::Suspected);
    let times: Vec<f64> = suspected.map(|it| it.0.as_secs_f64()).collect();
    assert!(times.len() <= 8, "{times:?}");
    assert!(times.is_sorted_by_key(|it| *it));
}

#[test]
fn who_is_busy_with_many_bytes_is_judged_by_what_did_not_wait_for_them() {
    let mut world = World::new(49, 6, 2);
    world.trouble(3, Trouble::Bulky(5.0));
    world.run(120);
    assert!(world.log.is_empty(), "{:?}", world.log);
    world.trouble(3, Trouble::Later(50.0));
    world.run(6);
    assert_eq!(world.ejected(), [3]);
}
