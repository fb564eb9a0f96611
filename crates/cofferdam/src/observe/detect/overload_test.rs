//! Requests that wait: for the machine, for their tenant's limits, for a moment.

use runtime::observe::host::Cpu;

use super::super::testing::{World, figure, one};
use super::*;

/// A second in which acme's requests waited so long.
fn wait(world: &mut World, requests: u64, millis: u64) {
    let acme = world.acme();
    acme.delays.add(Duration::from_millis(millis), requests);
    acme.clients.reads_served += requests;
    acme.clients.busy_ns += 900_000_000;
    world.tenants[0].clients.busy_ns += 100_000_000;
    world.tenants[0].delays.add(Duration::from_micros(50), 1000);
}

fn spend(world: &mut World, user_ms: u64, steal_ms: u64, idle_ms: u64) {
    let mut cpu = world.host.cpu.unwrap_or_default();
    cpu.user += Duration::from_millis(user_ms);
    cpu.steal += Duration::from_millis(steal_ms);
    cpu.idle += Duration::from_millis(idle_ms);
    world.host.cpu = Some(cpu);
}

#[test]
fn long_waits_name_the_tenant_that_has_most_of_the_time() {
    let mut world = World::new();
    world.host.cpu = Some(Cpu::default());
    world.look();
    let said = world.run(3, |world| {
        wait(world, 9000, 20);
        spend(world, 1800, 0, 200);
    });
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::HostOverload, "work")
    );
    assert_eq!(figure(signal, "busiest_share"), 90.0);
    assert!((figure(signal, "delay_mean") - 18.0).abs() < 0.1);
    assert!(figure(signal, "delay_p99") >= 20.0);
    assert_eq!(figure(signal, "cpu_busy"), 90.0);
    assert!(
        signal.sentence.contains("tenant acme takes 90 %"),
        "{}",
        signal.sentence
    );
}

#[test]
fn a_processor_that_the_host_takes_is_the_cause() {
    let mut world = World::new();
    world.host.cpu = Some(Cpu::default());
    world.look();
    let said = world.run(3, |world| {
        wait(world, 9000, 20);
        spend(world, 1000, 1000, 0);
    });
    assert_eq!(&*one(&said).cause, "steal");
    assert_eq!(figure(&said[0], "cpu_steal"), 50.0);
}

#[test]
fn a_tenant_that_waits_for_its_own_limit_says_nothing_of_the_machine() {
    let mut world = World::new();
    let said = world.run(10, |world| {
        wait(world, 9000, 150);
        world.acme().clients.paused_ns += 900_000_000;
    });
    let kinds: Vec<EventKind> = said.iter().map(|signal| signal.kind).collect();
    assert_eq!(kinds, [EventKind::TenantThrottled]);
}

#[test]
fn one_slow_second_is_none() {
    let mut world = World::new();
    world.look();
    wait(&mut world, 9000, 50);
    assert_eq!(world.look(), []);
    wait(&mut world, 9000, 0);
    assert_eq!(world.look(), []);
}

#[test]
fn it_is_over_only_well_below_where_it_began() {
    let mut world = World::new();
    world.look();
    assert_eq!(world.run(3, |world| wait(world, 9000, 20)).len(), 1);
    assert_eq!(world.run(3, |world| wait(world, 9000, 4)).len(), 1);
    assert_eq!(world.run(3, |world| wait(world, 9000, 1)).len(), 0);
    assert_eq!(world.run(3, |world| wait(world, 9000, 4)).len(), 0);
}

#[test]
fn a_handful_of_slow_requests_is_no_overload() {
    let mut world = World::new();
    world.look();
    let said = world.run(5, |world| {
        world.acme().delays.add(Duration::from_millis(500), 3);
    });
    assert_eq!(said, []);
}
