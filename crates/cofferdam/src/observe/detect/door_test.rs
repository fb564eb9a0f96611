//! A full door and a full house.

use std::net::Ipv4Addr;

use super::super::testing::{World, figure, one};
use super::*;

#[test]
fn the_claim_of_most_of_those_who_had_to_leave_is_named() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 50;
    world.totals.door.shed_when_full += 50;
    world.totals.at_door = 500;
    world.acme().clients.shed += 40;
    world.tenants[0].clients.shed += 10;
    let said = world.look();
    let signal = one(&said);
    assert_eq!((signal.kind, &*signal.cause), (EventKind::DoorFull, "full"));
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert_eq!(figure(signal, "shed"), 50.0);
    let sentence = &signal.sentence;
    assert!(
        sentence.contains("50 had to leave in the last second, 40 of them claimed tenant acme")
    );
    assert_eq!(world.look(), []);
}

#[test]
fn a_source_that_has_too_many_is_named() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 5;
    world.totals.door.shed_for_source += 5;
    world.totals.door.shed_last = Some(Ipv4Addr::new(10, 0, 0, 9).into());
    let said = world.look();
    let signal = one(&said);
    // The door itself has room.
    assert_eq!(signal.kind, EventKind::SourceLimited);
    assert_eq!((&*signal.cause, &signal.tenant), ("source", &None));
    assert!(
        signal.sentence.ends_with("the last of them from 10.0.0.9."),
        "{}",
        signal.sentence
    );
}

#[test]
fn a_source_with_too_many_and_a_full_door_are_two_affairs() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 25;
    world.totals.door.shed_for_source += 5;
    world.totals.door.shed_when_full += 20;
    world.acme().clients.shed += 20;
    let said = world.look();
    let kinds: Vec<_> = said
        .iter()
        .map(|one| (one.kind, figure(one, "shed")))
        .collect();
    assert_eq!(
        kinds,
        [(EventKind::DoorFull, 20.0), (EventKind::SourceLimited, 5.0)]
    );
    assert_eq!(said[0].tenant.as_deref(), Some("acme"));
    assert_eq!(said[1].tenant, None);
}

#[test]
fn handshakes_that_were_broken_off_are_told_with_the_last_source() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 3;
    world.totals.door.shed_handshakes += 3;
    world.totals.door.shed_last = Some(Ipv4Addr::new(10, 0, 0, 9).into());
    let said = world.look();
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::DoorFull, "handshakes")
    );
    assert_eq!(figure(signal, "shed"), 3.0);
    assert!(
        signal
            .sentence
            .contains("3 had to leave in the last second, the last of them from")
    );
}

#[test]
fn what_was_turned_away_before_the_first_look_is_not_now() {
    let mut world = World::new();
    world.totals.refused = 1000;
    world.totals.door.shed_when_full = 1000;
    world.acme().clients.shed = 1000;
    assert_eq!(world.look(), []);
    assert_eq!(world.look(), []);
}
