//! The same fleet with a node that has passed the gate and is sent copies of requests: slow ones go back
//! before they have any key.

use super::*;
use crate::judge::case::PROOF_OF_COPIES;

#[test]
fn who_is_slow_under_copies_goes_back_before_it_has_a_key() {
    let troubles = [
        Trouble::Later(50.0),
        Trouble::Later(2.0),
        Trouble::Silent,
        Trouble::Bimodal(30.0),
    ];
    for (seed, trouble) in (20..).zip(troubles) {
        for observers in [1, 2, 5] {
            let mut world = World::new(seed, 6, observers);
            world.candidate(7);
            world.trouble(7, trouble);
            world.run(50);
            assert_eq!(world.log.len(), 1, "{:?}", world.log);
            let refused = world.when(7, Event::Suspected).unwrap();
            assert!(refused <= 45.0, "{refused}");
            assert_eq!(world.state(7), State::Quarantined);
            let charge = &world.reasons[0];
            assert!(charge.blaming.iter().all(|it| it.finding.is_some()));
            assert!(2 * charge.blaming.len() > observers as usize);
        }
    }
}

#[test]
fn who_does_well_goes_on_once_it_has_shown_it() {
    let mut world = World::new(24, 6, 2);
    world.candidate(7);
    world.run(20);
    assert_eq!(world.state(7), State::Shadow);
    let why = world.judge.case(MemberId(7)).unwrap().why().clone();
    assert!(
        (100..2 * PROOF_OF_COPIES).contains(&why.proven) && why.voters == 2,
        "{why:?}"
    );
    world.run(12);
    assert_eq!(world.log[0].2, Event::Held);
    assert_eq!(world.state(7), State::Ramping);
    world.run(60);
    assert_eq!(world.state(7), State::Serving);
}

#[test]
fn one_that_serves_is_enough_to_compare_with() {
    for (seed, trouble) in (27..).zip([Trouble::Later(5.0), Trouble::Silent]) {
        let mut world = World::new(seed, 1, 2);
        world.candidate(2);
        world.trouble(2, trouble);
        world.run(40);
        assert_eq!(world.state(2), State::Quarantined, "{:?}", world.log);
        assert_eq!(world.log.len(), 1, "{:?}", world.log);
    }
    let mut world = World::new(29, 1, 2);
    world.candidate(2);
    world.run(59);
    assert_ne!(world.state(2), State::Shadow, "it has shown enough");
    assert_eq!(world.log[0].2, Event::Held);
}

#[test]
fn with_too_little_to_copy_it_goes_on_after_a_minute() {
    for (per_round, percent) in [(2, 5.0), (40, 0.0)] {
        let mut world = World::new(25, 6, 2);
        (world.per_round, world.copies_percent) = (per_round, percent);
        world.candidate(7);
        world.trouble(7, Trouble::Later(50.0));
        world.run(59);
        assert_eq!(world.state(7), State::Shadow, "{:?}", world.log);
        world.run(2);
        assert_eq!(world.state(7), State::Ramping);
    }
}

#[test]
fn nobody_goes_back_for_what_all_suffer() {
    let mut world = World::new(26, 6, 2);
    world.candidate(7);
    for node in 1..=7 {
        world.trouble(node, Trouble::Later(20.0));
    }
    world.run(20);
    let refused = world.log.iter().find(|it| it.2 == Event::Suspected);
    assert!(refused.is_none(), "{:?}", world.log);
}
