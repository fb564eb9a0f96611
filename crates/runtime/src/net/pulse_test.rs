//! Loops that turn, stand still and rest.

use super::*;

#[test]
fn the_age_is_that_of_the_last_turn() {
    let at = Timestamp::from_secs;
    let pulse = Pulse::new(at(10));
    assert_eq!(pulse.age(at(12)), Duration::from_secs(2));
    pulse.beat(at(12));
    assert_eq!(pulse.age(at(13)), Duration::from_secs(1));
    // The reader's clock may be read a moment before.
    assert_eq!(pulse.age(at(11)), Duration::ZERO);
}

#[test]
fn one_at_rest_is_not_missed() {
    let pulse = Pulse::new(Timestamp::ZERO);
    pulse.rest();
    assert_eq!(pulse.age(Timestamp::from_secs(1_000_000)), Duration::ZERO);
}
