//! Tests of what is said of a fleet that is not well.

use super::super::testing::World;
use super::*;
use crate::observe::reading::FleetReading;

#[test]
fn a_fleet_that_is_well_is_not_spoken_of() {
    let mut world = World::new();
    world.fleet = Some(FleetReading::default());
    assert_eq!(world.look(), []);
}

#[test]
fn a_store_that_is_away_is_told_with_the_age_of_what_is_known() {
    let mut world = World::new();
    let since = world.now;
    world.fleet = Some(FleetReading {
        away: Some((since, "connection refused".to_owned())),
        age: Some(Duration::from_secs(9)),
        ..FleetReading::default()
    });
    let said = world.look();
    assert_eq!((said.len(), said[0].kind), (1, EventKind::StoreAway));
    assert!(said[0].sentence.contains("connection refused"));
    assert_eq!((said[0].onset, said[0].evidence[0].value), (since, 9.0));
}

#[test]
fn a_change_that_waits_too_long_is_told() {
    let mut world = World::new();
    let fleet = |since| FleetReading {
        moving: 819,
        waits_since: Some(since),
        ..FleetReading::default()
    };
    world.fleet = Some(fleet(world.now));
    assert_eq!(world.look(), []);
    let since = world.now;
    world.now = world.now + WAITS_MAX;
    world.wall += WAITS_MAX;
    world.fleet = Some(fleet(since));
    let said = world.look();
    assert_eq!((said.len(), said[0].kind), (1, EventKind::RingWaits));
    assert!(said[0].sentence.contains("819 of 4,096"));
}
