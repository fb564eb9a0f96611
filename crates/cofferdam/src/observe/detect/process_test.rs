//! Loops that stand still, lost time, and clocks that jump.

use super::super::testing::{World, figure, one};
use super::*;

#[test]
fn a_loop_that_stands_still_is_named() {
    let mut world = World::new();
    let began = world.now;
    world.loop_ages[1] = Duration::from_millis(2500);
    let said = world.look();
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::LoopStalled, "loop-1")
    );
    assert_eq!(signal.onset, began - Duration::from_millis(2500));
    assert_eq!(figure(signal, "turn_age"), 2.5);
}

#[test]
fn the_clock_forward_and_back() {
    let mut world = World::new();
    world.run(3, |_| {});
    world.wall += Duration::from_secs(30);
    let said = world.look();
    assert_eq!(one(&said).kind, EventKind::ClockJump);
    assert_eq!(figure(&said[0], "jump"), 30.0);
    assert_eq!(world.look(), []);
    world.wall -= Duration::from_secs(3600);
    let said = world.look();
    assert!(
        said[0].sentence.contains("set back by 3600.0 s"),
        "{}",
        said[0].sentence
    );
}

#[test]
fn a_clock_that_is_steered_gently_does_not_jump() {
    let mut world = World::new();
    let said = world.run(1000, |world| world.wall += Duration::from_millis(100));
    assert_eq!(said, []);
}

#[test]
fn time_that_was_lost() {
    let mut world = World::new();
    let now = world.now;
    world.longest_sleep = Duration::from_secs(8);
    let said = world.look();
    assert_eq!(one(&said).kind, EventKind::ProcessPaused);
    assert_eq!(said[0].onset, now - Duration::from_secs(8));
}
