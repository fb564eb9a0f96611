//! Tenants over their limits, and which limit it was.

use super::super::testing::{World, figure, one};
use super::*;

fn world_with(change: impl FnOnce(&mut TenantReading)) -> World {
    let mut world = World::new();
    change(world.acme());
    world
}

fn pause(world: &mut World, millis: u64) {
    world.acme().clients.paused_ns += millis * 1_000_000;
}

#[test]
fn the_limit_that_was_reached_is_named() {
    let mut world = world_with(|acme| {
        acme.traffic.ops_per_second = Some(1000);
        acme.traffic.bytes_in_per_second = Some(1 << 30);
    });
    let said = world.run(5, |world| {
        world.acme().clients.reads_served += 998;
        world.acme().clients.bytes_read += 50_000;
        pause(world, 450);
    });
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::TenantThrottled, "ops")
    );
    assert_eq!(
        signal.sentence,
        "Tenant acme has reached its limit of 1,000 requests a second and is made to wait: 45 % of \
         the last second."
    );
    assert_eq!(
        (figure(signal, "used"), figure(signal, "limit")),
        (998.0, 1000.0)
    );
    assert!(
        signal
            .advice
            .as_ref()
            .unwrap()
            .contains("tenant limit acme --ops")
    );
}

#[test]
fn bytes_in_flight_are_the_limit_where_no_rate_is_near() {
    let mut world = world_with(|acme| {
        acme.traffic.ops_per_second = Some(1_000_000);
        acme.traffic.inflight_bytes = Some(1 << 20);
        acme.clients.inflight_bytes = 1 << 20;
    });
    let said = world.run(3, |world| pause(world, 100));
    assert_eq!(&*one(&said).cause, "inflight_bytes");
    assert_eq!(figure(&said[0], "used"), f64::from(1 << 20));
}

#[test]
fn one_limit_stands_for_the_whole_affair() {
    let mut world = world_with(|acme| {
        acme.traffic.bytes_out_per_second = Some(1_000_000);
        acme.traffic.ops_per_second = Some(1000);
    });
    let mut second = 0;
    let causes: Vec<String> = (0..20)
        .map(|_| {
            second += 1;
            let clients = &mut world.acme().clients;
            clients.bytes_written += 1_000_000;
            clients.reads_served += if second > 5 { 1100 } else { 100 };
            pause(&mut world, 100);
            world.look()
        })
        .skip(1)
        .map(|said| one(&said).cause.clone().into_owned())
        .collect();
    assert!(
        causes.iter().all(|cause| cause == "bytes_out"),
        "{causes:?}"
    );
}

#[test]
fn a_limit_that_was_changed_does_not_stand_any_more() {
    let mut world = world_with(|acme| acme.traffic.ops_per_second = Some(5));
    let mut cause = |change: fn(&mut TenantReading)| {
        change(world.acme());
        let said = world.run(3, |world| {
            let clients = &mut world.acme().clients;
            clients.reads_served += 5;
            clients.bytes_read += 1024;
            pause(world, 500);
        });
        one(&said).cause.clone().into_owned()
    };
    assert_eq!(cause(|_| ()), "ops");
    let other = cause(|acme| {
        acme.traffic.ops_per_second = None;
        acme.traffic.bytes_in_per_second = Some(1024);
    });
    assert_eq!(other, "bytes_in");
}

#[test]
fn a_moment_s_wait_is_no_event() {
    let mut world = World::new();
    assert_eq!(world.run(5, |world| pause(world, 5)), []);
}

#[test]
fn one_that_waits_now_is_throttled_though_its_wait_is_not_over() {
    let mut world = World::new();
    world.acme().clients.paused = 1;
    let said = world.run(3, |_| {});
    let signal = one(&said);
    assert_eq!(signal.kind, EventKind::TenantThrottled);
    assert!(
        signal.sentence.ends_with("is made to wait."),
        "{}",
        signal.sentence
    );
}

#[test]
fn what_is_refused_for_a_share_is_told_apart_from_a_limit() {
    let mut world = World::new();
    let refuse = |world: &mut World| {
        world.acme().clients.reads_refused += 300;
        world.acme().clients.writes_refused += 20;
    };
    let said = world.run(3, refuse);
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::TenantRefused, "share")
    );
    assert_eq!(
        signal.sentence,
        "Requests of tenant acme waited longer than 200 ms for its share of a busy machine: 300 \
         reads were answered as misses and 20 writes were not stored in the last second."
    );
    let said = world.run(3, |world| {
        refuse(world);
        pause(world, 500);
    });
    let kinds: Vec<(EventKind, &str)> = said.iter().map(|s| (s.kind, &*s.cause)).collect();
    assert!(
        kinds.contains(&(EventKind::TenantRefused, "limit")),
        "{kinds:?}"
    );
}

#[test]
fn a_tenant_without_a_delay_is_not_said_to_have_waited() {
    let mut world = world_with(|acme| acme.traffic.max_delay = Duration::ZERO);
    let said = world.run(3, |world| {
        world.acme().clients.reads_refused += 300;
        pause(world, 500);
    });
    let words: String = said.iter().map(|one| one.sentence.as_str()).collect();
    assert!(words.contains("were not let wait"), "{words}");
    let advice: String = said
        .iter()
        .filter_map(|one| one.advice.as_deref())
        .collect();
    assert!(advice.contains("misses at once"), "{advice}");
    assert!(!(words + &advice).contains("0 ms"));
}

#[test]
fn connects_over_either_limit() {
    let mut world = world_with(|acme| {
        acme.traffic.connections = Some(100);
        acme.traffic.connects_per_second = Some(10);
        acme.clients.connections = 100;
    });
    let connects = |world: &mut World| {
        world.acme().clients.connects_delayed += 12;
        world.acme().clients.connects_refused += 3;
        world.acme().clients.connects_abandoned += 8;
    };
    let said = world.run(3, connects);
    assert_eq!(one(&said).kind, EventKind::TenantConnectionsRefused);
    assert_eq!(&*said[0].cause, "connections");
    assert!(
        said[0].sentence.contains(
            "limit of 100 connections: 12 more had to wait at the door, 8 gave up waiting, and 3"
        ),
        "{}",
        said[0].sentence
    );
    world.acme().clients.connections = 50;
    let mut said = world.run(3, connects);
    // That they come back again and again is told beside it by then.
    said.retain(|signal| signal.kind != EventKind::ClientsReconnecting);
    assert_eq!(&*one(&said).cause, "connects_per_second");
    assert!(said[0].sentence.contains("10 new connections a second"));
}
