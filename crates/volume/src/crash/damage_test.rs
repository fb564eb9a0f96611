//! Bytes that rot are noticed, named, and never served.

use super::planted::Planted;
use super::world::{BLOCKS, World};
use crate::history::History;
use crate::name::{ObjectKind, ObjectName};
use crate::open::OpenError;
use crate::root::Root;

/// A volume with segments and checkpoints, at rest.
fn worked() -> World {
    let mut world = World::new(1, Planted::Nothing);
    assert_eq!(world.live(3000), Vec::<String>::new());
    let mut engine = world.attach().expect("it attaches again");
    assert!(world.settle(&mut engine).is_empty());
    assert_eq!(engine.size_blocks(), BLOCKS);
    // Nothing is on its way any more that would write over the damage.
    world.crash();
    world
}

fn newest_root(world: &World) -> (ObjectName, Root) {
    let get = &mut |name, offset, len| world.store.get(name, offset, len);
    let history = History::read(world.config.volume, world.store.list(), get);
    let history = history.expect("nothing fails");
    history.newest_root(get).expect("there is one")
}

#[test]
fn a_damaged_part_is_named() {
    let mut world = worked();
    let (_, root) = newest_root(&world);
    let part = *root.parts.values().next().expect("there is a part");
    world.store.damage(part, 20);
    assert_eq!(world.attach().err(), Some(OpenError::Damaged(part)));
}

#[test]
fn a_journal_without_a_whole_header_is_refused() {
    let mut world = worked();
    world.disk.damage(20);
    world.disk.damage(4096 + 20);
    assert_eq!(world.attach().err(), Some(OpenError::NoJournal));
}

#[test]
fn a_damaged_root_is_named() {
    let mut world = worked();
    let objects = world.store.list();
    let roots = objects.iter().map(|(name, _)| *name);
    let roots: Vec<_> = roots.filter(|name| name.kind == ObjectKind::Root).collect();
    roots.iter().for_each(|root| world.store.damage(*root, 40));
    assert!(
        matches!(world.attach().err(), Some(OpenError::Damaged(name)) if roots.contains(&name))
    );
}

#[test]
fn a_store_without_the_volume_is_told() {
    let mut world = worked();
    for (name, _) in world.store.list() {
        world.store.delete(name);
    }
    assert_eq!(world.attach().err(), Some(OpenError::NoVolume));
}
