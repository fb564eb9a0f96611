//! Clients that reconnect, and those that only look so.

use super::super::testing::{World, figure, one};
use super::*;

/// Ten seconds of so many connects and requests each.
fn ten_seconds(connects: u64, requests: u64, refused: u64) -> Vec<Signal> {
    let mut world = World::new();
    world.run(10, |world| {
        let clients = &mut world.acme().clients;
        clients.connections_total += connects;
        clients.reads_served += requests;
        clients.reads_refused += refused;
    })
}

fn reconnecting(signals: &[Signal]) -> Option<&Signal> {
    signals
        .iter()
        .find(|signal| signal.kind == EventKind::ClientsReconnecting)
}

#[test]
fn a_connection_for_each_request() {
    let said = ten_seconds(100, 100, 0);
    let signal = one(&said);
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert_eq!(figure(signal, "connects"), 100.0);
    assert!(
        signal.advice.as_ref().unwrap().contains("persistent"),
        "{signal:?}"
    );
    assert_eq!(
        signal.sentence,
        "Clients of tenant acme are reconnecting: they open 100 connections a second and send 100 \
         requests a second."
    );
}

#[test]
fn connections_that_are_hardly_used() {
    let said = ten_seconds(100, 3, 0);
    assert!(one(&said).advice.as_ref().unwrap().contains("pool size"));
}

#[test]
fn clients_that_give_up_before_we_refuse() {
    let said = ten_seconds(100, 3, 20);
    let signal = reconnecting(&said).unwrap();
    let advice = signal.advice.as_ref().unwrap();
    assert!(
        advice.contains("timeout") && advice.contains("500 ms"),
        "{advice}"
    );
}

#[test]
fn clients_that_their_tenant_s_limits_hold_and_that_come_back() {
    // The tenant's other connections are busy.
    let mut world = World::new();
    let said = world.run(10, |world| {
        let clients = &mut world.acme().clients;
        clients.connections_total += 2;
        clients.connects_abandoned += 40;
        clients.connects_refused += 8;
        clients.reads_served += 10_000;
    });
    let signal = reconnecting(&said).unwrap();
    assert_eq!(figure(signal, "connects"), 50.0);
    assert_eq!(figure(signal, "connects_in_vain"), 48.0);
    let advice = signal.advice.as_ref().unwrap();
    assert!(advice.contains("connect timeout above 5 s"), "{advice}");
}

#[test]
fn a_long_wait_asks_for_a_longer_timeout() {
    let advice = Reason::Timeout.advice(Duration::from_millis(800));
    assert!(advice.contains("1600 ms"), "{advice}");
    let advice = Reason::Timeout.advice(Duration::from_secs(10));
    assert!(
        advice.contains("--max-delay-ms") && !advice.contains("20000"),
        "{advice}"
    );
}

#[test]
fn ordinary_clients_are_left_alone() {
    // Few connects, and many connects with many requests each.
    for (connects, requests) in [(0, 0), (4, 0), (100, 10_000), (1000, 2000)] {
        assert_eq!(reconnecting(&ten_seconds(connects, requests, 0)), None);
    }
}

#[test]
fn a_burst_of_connects_at_the_start_is_none() {
    let mut world = World::new();
    world.acme().clients.connections_total = 500;
    for _ in 0..4 {
        assert_eq!(world.look(), []);
    }
}

#[test]
fn the_onset_is_where_it_began() {
    let mut world = World::new();
    world.run(20, |_| {});
    let began = world.now;
    let change = |world: &mut World| world.acme().clients.connections_total += 50;
    let onset = one(&world.run(6, change)).onset;
    assert!(began.since(onset) <= SPAN && onset <= began + SPAN);
    assert_eq!(one(&world.run(30, change)).onset, onset);
}
