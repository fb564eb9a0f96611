//! A full house: who is turned away, and who gives way.

use super::super::testing::{World, figure, one};
use super::*;

#[test]
fn all_connections_taken() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 7;
    // By the time of the look they have gone.
    world.totals.connections = 0;
    let said = world.look();
    let signal = one(&said);
    assert_eq!(signal.kind, EventKind::ConnectionsFull);
    assert_eq!(figure(signal, "turned_away"), 7.0);
    assert!(
        signal
            .sentence
            .ends_with("all of the 1,000 that this server may have were taken."),
        "{}",
        signal.sentence
    );
}

#[test]
fn whoever_has_its_share_and_wants_more_is_named() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 7;
    world.acme().clients.turned_away += 5;
    world.tenants[0].clients.turned_away += 2;
    let said = world.look();
    let signal = one(&said);
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert!(signal.sentence.contains("5 of them were of tenant acme"));
    assert_eq!(world.look(), []);
}

#[test]
fn who_gives_way_is_told_with_how_many_it_has() {
    let mut world = World::new();
    world.look();
    world.acme().clients.displaced += 12;
    world.acme().clients.connections = 900;
    let said = world.look();
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::ConnectionsFull, "displaced")
    );
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert_eq!(figure(signal, "displaced"), 12.0);
    assert_eq!(figure(signal, "tenant_connections"), 900.0);
    assert_eq!(world.look(), []);
}

#[test]
fn those_shed_at_the_door_or_in_a_handshake_are_not_turned_away() {
    let mut world = World::new();
    world.look();
    world.totals.refused += 9;
    world.totals.door.shed_when_full += 5;
    world.totals.door.shed_handshakes += 4;
    let said = world.look();
    assert_eq!(one(&said).kind, EventKind::DoorFull);
}
