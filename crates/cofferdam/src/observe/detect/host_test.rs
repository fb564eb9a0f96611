//! Descriptors, listen queues, cookies and the disk.

use runtime::observe::sock_diag::Queue;

use super::super::testing::{World, figure, one};
use super::*;

#[test]
fn descriptors_are_low_until_there_are_enough_again() {
    let mut world = World::new();
    world.host.process.descriptors_max = Some(1000);
    let mut low = |used| {
        world.host.process.descriptors = Some(used);
        !world.look().is_empty()
    };
    assert!(!low(899));
    assert!(low(900));
    assert!(low(810));
    assert!(!low(799));
    assert!(!low(890));
}

#[test]
fn descriptors_that_are_not_known_are_not_low() {
    let mut world = World::new();
    world.host.process.descriptors = Some(1_000_000);
    assert_eq!(world.look(), []);
    world.host.process.descriptors_max = Some(0);
    assert_eq!(world.look().len(), 1);
}

fn queue(depth: u32, drops: u64, depth_max: u32) -> ListenQueue {
    ListenQueue {
        listener: "memcache",
        queue: Queue {
            depth,
            limit: 4096,
            drops,
        },
        depth_max,
    }
}

#[test]
fn a_listen_queue_that_overflows() {
    let mut world = World::new();
    world.queues = vec![queue(0, 18_847, 10)];
    assert_eq!(world.look(), []);
    world.queues = vec![queue(0, 18_900, 10)];
    let said = world.look();
    let signal = one(&said);
    assert_eq!(
        (signal.kind, &*signal.cause),
        (EventKind::ListenOverflow, "memcache")
    );
    assert_eq!(figure(signal, "connects_dropped"), 53.0);
    assert_eq!(world.look(), []);
    world.queues = vec![queue(0, 18_900, 4096)];
    assert_eq!(one(&world.look()).kind, EventKind::ListenOverflow);
}

#[test]
fn cookies() {
    let mut world = World::new();
    world.host.protocols.syn_cookies_sent = Some(500);
    assert_eq!(world.look(), []);
    world.host.protocols.syn_cookies_sent = Some(1500);
    let said = world.look();
    assert_eq!(one(&said).kind, EventKind::SynCookies);
    assert_eq!(figure(&said[0], "syn_cookies_sent"), 1000.0);
}

#[test]
fn a_data_directory_without_room_or_that_cannot_be_written() {
    let mut world = World::new();
    world.room = Some((10 << 20, 1 << 40));
    let said = world.look();
    assert_eq!(
        (one(&said).kind, &*said[0].cause),
        (EventKind::DataDirectory, "room")
    );
    assert!(said[0].sentence.contains("only 10 MiB left"));
    world.room = None;
    world.journal_failure = Some("Read-only file system (os error 30)".into());
    let said = world.look();
    assert_eq!(&*one(&said).cause, "journal");
}
