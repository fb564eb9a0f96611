//! Which connection goes for another's: the tenant's own, idle before busy, the longest idle first.

use std::time::Duration;

use base::{TenantId, TrafficLimits};

use crate::virtual_loop::VirtualLoop;

const ACME: TenantId = TenantId(1);

/// Tenant 1 with connections from 0 on, each active a second after the one before it, and tenant 2
/// with one that has been idle for longer.
fn crowd(count: u64) -> VirtualLoop {
    let mut world = VirtualLoop::new(&[TrafficLimits::default(); 2]);
    world.connect(2, 1_000_000);
    for link in 0..count {
        world.connect(1, link);
    }
    for link in 0..count {
        world.run_for(Duration::from_secs(1));
        world.send(link, "mn\r\n");
    }
    world.run_for(Duration::from_secs(1));
    world
}

fn displace(world: &mut VirtualLoop) -> Option<u64> {
    let link = world.shard.displace(ACME);
    if let Some(link) = link {
        world.close(link);
    }
    link
}

#[test]
fn the_longest_idle_goes_first() {
    let mut world = crowd(5);
    world.send(0, "mn\r\n");
    world.run_for(Duration::from_secs(1));
    let gone: Vec<_> = std::iter::from_fn(|| displace(&mut world)).collect();
    assert_eq!(gone, [1, 2, 3, 4, 0]);
    let sum = world.sum(1);
    assert_eq!((sum.displaced, sum.connections), (5, 0));
    assert_eq!(world.figures.tenant(ACME).displacements(), 6);
    assert_eq!((world.sum(2).displaced, world.sum(2).connections), (0, 1));
}

#[test]
fn one_that_is_between_requests_goes_before_one_that_is_not() {
    let mut world = crowd(4);
    world.send(0, "set half 0 0 100\r\nbut no");
    world.run_for(Duration::from_millis(1));
    for link in 1..4 {
        world.run_for(Duration::from_secs(1));
        world.send(link, "mn\r\n");
    }
    world.run_for(Duration::from_secs(1));
    let gone: Vec<_> = std::iter::from_fn(|| displace(&mut world)).collect();
    assert_eq!(gone, [1, 2, 3, 0]);
}

#[test]
fn one_that_has_spoken_since_it_was_seen_is_looked_at_anew() {
    let mut world = crowd(3);
    assert_eq!(displace(&mut world), Some(0));
    world.send(1, "mn\r\n");
    world.run_for(Duration::from_secs(5));
    assert_eq!(displace(&mut world), Some(2));
}

#[test]
fn of_very_many_it_is_one_of_the_longest_idle() {
    let count = 2000;
    let mut world = crowd(count);
    // What was idle for longest is soon found, though each look sees a part of all.
    let gone: Vec<u64> = (0..200).filter_map(|_| displace(&mut world)).collect();
    assert_eq!(gone.len(), 200);
    let late = gone.iter().skip(20).filter(|link| **link > count / 2);
    assert_eq!(late.count(), 0, "{gone:?}");
}
