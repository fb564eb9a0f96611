//! The door's figures after what can happen at it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;

use super::*;
use crate::directory::Directory;
use crate::{Door, DoorConfig, Figures};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn door(config: DoorConfig) -> (Door, Arc<Figures>) {
    let figures = Arc::new(Figures::new(1));
    let directory = Arc::new(Directory::default());
    (Door::new(config, directory, Arc::clone(&figures)), figures)
}

fn config() -> DoorConfig {
    DoorConfig {
        connections_max: 1000,
        entrants_max: 10,
        entrants_per_source_max: 4,
        connects_per_second_per_source_max: None,
        memory_max: 1000,
        timeout: Duration::from_secs(5),
        protections: true,
        loop_index: 0,
    }
}

fn peer(source: u8) -> Peer {
    Peer::Ip(Ipv4Addr::new(10, 0, 0, source).into(), 4000)
}

#[test]
fn one_source_with_too_many() {
    let (mut door, figures) = door(config());
    for link in 0..6 {
        door.enter(NOW, peer(7), link);
    }
    let expected = DoorFigures {
        arrivals: 6,
        shed_for_source: 2,
        shed_last: Some(Ipv4Addr::new(10, 0, 0, 7).into()),
        ..DoorFigures::default()
    };
    assert_eq!(figures.door(), expected);
}

#[test]
fn all_places_taken_and_all_memory() {
    let (mut door, figures) = door(config());
    let entries: Vec<_> = (0..11u8)
        .map(|source| door.enter(NOW, peer(source), source.into()))
        .collect();
    assert_eq!(figures.door().shed_when_full, 1);
    for entry in &entries {
        door.receive(entry.id, &[b'x'; 150]);
    }
    assert_eq!(figures.door().memory_bytes, 1500);
    while door.shed_for_memory().is_some() {}
    let after = figures.door();
    assert_eq!((after.shed_for_memory, after.memory_bytes), (4, 900));
}

#[test]
fn those_who_say_nothing_in_time() {
    let (mut door, figures) = door(config());
    door.enter(NOW, peer(1), 1);
    door.enter(NOW, Peer::Unix, 2);
    let late = NOW + Duration::from_secs(6);
    while door.expire(late).is_some() {}
    let after = figures.door();
    assert_eq!((after.timed_out, after.memory_bytes), (2, 0));
    assert_eq!(after.shed_last, None);
}

#[test]
fn a_source_that_comes_too_fast() {
    let (mut door, figures) = door(DoorConfig {
        connects_per_second_per_source_max: Some(2),
        ..config()
    });
    for link in 0..4 {
        door.enter(NOW, peer(1), link);
    }
    assert_eq!(figures.door().behind, 2);
}

#[test]
fn each_failure_on_the_way_has_a_counter_and_a_name_of_its_own() {
    let counts = DoorCounts::default();
    for (index, why) in ApproachFailure::ALL.into_iter().enumerate() {
        for _ in 0..=index {
            counts.failed(why);
        }
    }
    assert_eq!(counts.figures().failed, [1, 2, 3, 4, 5, 6, 7]);
    let names: std::collections::HashSet<_> = ApproachFailure::ALL.map(|why| why.name()).into();
    assert_eq!(names.len(), ApproachFailure::ALL.len());
}
