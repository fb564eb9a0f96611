//! The stage that does not move is named, and not those that wait for it.

use std::time::Duration;

use base::TenantId;
use base::event::EventKind;
use runtime::volumes::{
    MeterFigures, MirrorStatus, STAGE_BOUNDS, Stage, StageFigures, VolumePulse,
};

use super::super::testing::{World, figure, one};

/// A volume of `acme` with stages that stand still for so many seconds.
fn volume(still: &[(Stage, u64)]) -> VolumePulse {
    let stages = Stage::ALL.map(|stage| {
        let found = still.iter().find(|(still, _)| *still == stage);
        StageFigures {
            stage,
            count: 7,
            counts: [0; STAGE_BOUNDS.len() + 1],
            time: Duration::from_secs(1),
            under_way: found.map_or(0, |_| 2),
            still: found.map_or(Duration::ZERO, |(_, secs)| Duration::from_secs(*secs)),
        }
    });
    VolumePulse {
        export: "acme/data".to_owned(),
        tenant: TenantId(1),
        mirror: None,
        is_limited: false,
        meters: MeterFigures {
            queue_len: 12,
            still: Duration::from_secs(4),
            ..MeterFigures::default()
        },
        stages: stages.to_vec(),
    }
}

#[test]
fn a_volume_that_moves_is_nothing_to_tell() {
    let mut world = World::new();
    world.volumes = vec![volume(&[(Stage::Put, 2)]), volume(&[])];
    assert!(world.run(3, |_| {}).is_empty());
}

#[test]
fn the_stage_is_named_with_what_waits_for_it() {
    let mut world = World::new();
    world.volumes = vec![volume(&[(Stage::JournalSync, 5)])];
    let signals = world.look();
    let signal = one(&signals);
    assert_eq!(signal.kind, EventKind::VolumeStalled);
    assert_eq!(signal.cause, "acme/data fsync");
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    assert!(signal.sentence.contains("fsync"), "{}", signal.sentence);
    assert!(
        signal.sentence.contains("12 requests"),
        "{}",
        signal.sentence
    );
    assert_eq!(figure(signal, "still"), 5.0);
    assert_eq!(figure(signal, "in_stage"), 2.0);
}

#[test]
fn a_second_copy_that_is_behind_is_told() {
    let mut world = World::new();
    let mut mirrored = volume(&[]);
    let dir = "/mnt/other".into();
    let behind = None;
    mirrored.mirror = Some(MirrorStatus { dir, behind });
    world.volumes = vec![mirrored];
    assert!(world.look().is_empty());
    world.volumes[0].mirror.as_mut().unwrap().behind = Some("no space".to_owned());
    let signals = world.look();
    assert_eq!(one(&signals).kind, EventKind::VolumeDegraded);
    assert!(one(&signals).sentence.contains("/mnt/other"));
}

#[test]
fn who_waits_is_not_blamed() {
    let mut world = World::new();
    // The store's disk is frozen, so the journal is full, so clients wait for room in it.
    world.volumes = vec![volume(&[(Stage::Queue, 9), (Stage::Put, 20)])];
    assert_eq!(one(&world.look()).cause, "acme/data object_write");
    world.volumes = vec![volume(&[(Stage::Queue, 9)])];
    assert_eq!(one(&world.look()).cause, "acme/data queue");
    // Whoever has limits waits as he was told to.
    world.volumes[0].is_limited = true;
    assert!(world.look().is_empty());
}
