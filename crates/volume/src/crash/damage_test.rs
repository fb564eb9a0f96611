//! Bytes that rot are noticed, named, and never served.

use super::world::{BLOCKS, Planted, World};
use crate::name::ObjectKind;
use crate::open::OpenError;

/// A volume with segments and checkpoints, at rest.
fn worked() -> World {
    let mut world = World::new(1, Planted::Nothing);
    assert!(world.live(3000).is_empty());
    let mut engine = world.attach().expect("it attaches again");
    assert!(world.settle(&mut engine).is_empty());
    assert_eq!(engine.size_blocks(), BLOCKS);
    world
}

#[test]
fn a_damaged_part_is_named() {
    let mut world = worked();
    let parts: Vec<_> = world.store.list().into_iter().collect();
    let (part, _) = parts
        .into_iter()
        .rev()
        .find(|(name, _)| name.kind == ObjectKind::Part)
        .expect("there is a part");
    world.store.damage(part, 20);
    assert_eq!(world.attach().err(), Some(OpenError::Damaged(part)));
}

#[test]
fn damaged_headers_are_told() {
    let mut world = worked();
    world.disk.damage(20);
    assert!(world.attach().is_ok());
    world.disk.damage(4096 + 20);
    world.disk.damage(20);
    world.disk.damage(20);
    assert!(matches!(
        world.attach().err(),
        Some(OpenError::NoJournal) | None
    ));
}
