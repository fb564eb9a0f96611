//! A full door and a full house.

use super::super::testing::{World, figure, one};
use super::*;

#[test]
fn the_claim_of_most_of_those_who_had_to_leave_is_named() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 50;
    world.totals.at_door = 500;
    world.acme().clients.shed += 40;
    world.tenants[0].clients.shed += 10;
    let said = world.look();
    let signal = one(&said);
    assert_eq!(signal.kind, EventKind::DoorFull);
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert_eq!(figure(signal, "turned_away"), 50.0);
    assert!(
        signal
            .sentence
            .contains("50 had to leave, 40 of which claimed tenant acme")
    );
    assert_eq!(world.look(), []);
}

#[test]
fn those_who_said_nothing_are_nobody_s() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 5;
    let said = world.look();
    assert_eq!(one(&said).tenant, None);
    assert!(said[0].sentence.contains("none of which had said"));
}

#[test]
fn all_connections_taken() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 7;
    world.totals.connections = 1000;
    let said = world.look();
    assert_eq!(one(&said).kind, EventKind::ConnectionsFull);
    assert!(
        said[0].sentence.contains("All 1,000 connections"),
        "{}",
        said[0].sentence
    );
}

#[test]
fn what_was_turned_away_before_the_first_look_is_not_now() {
    let mut world = World::new();
    world.totals.refused = 1000;
    world.acme().clients.shed = 1000;
    assert_eq!(world.look(), []);
    assert_eq!(world.look(), []);
}
