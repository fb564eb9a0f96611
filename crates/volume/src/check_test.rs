//! What rots is named, each thing by its own name, and what is whole has no defects.

use super::*;
use crate::crash::planted::Planted;
use crate::crash::world::World;
use crate::name::ObjectKind;

/// A volume with segments, checkpoints, perhaps snapshots, and records in its journal.
fn worked(seed: u64) -> World {
    let mut world = World::new(seed, Planted::Nothing);
    assert_eq!(world.live(2000), Vec::<String>::new());
    let mut engine = world.attach().expect("it attaches again");
    assert!(world.settle(&mut engine).is_empty());
    // What the store had refused is stored now.
    for _ in 0..100 {
        engine.handle_timeout(base::Timestamp::from_secs(1 << 32));
        world.idle_until_done(&mut engine);
    }
    // Durable, and in the journal alone.
    let data = crate::checker::stamped(1 << 40, 3);
    engine.write(1, 3, &data, true).expect("there is room");
    world.idle_until_done(&mut engine);
    // Of each object there is one copy, the one that is damaged.
    for (name, len) in world.store.list() {
        let bytes = world.store.get(name, 0, len).expect("it is listed");
        world.store.put(name, &bytes);
    }
    world
}

fn defects(world: &mut World) -> Vec<Defect> {
    let config = world.config.clone();
    let checked = check(&config, world).expect("nothing fails");
    assert!(checked.objects > 3 && checked.records > 0, "{checked:?}");
    checked.defects.into_iter().collect()
}

/// The objects of a kind that are needed.
fn needed(world: &mut World, kind: ObjectKind) -> Vec<ObjectName> {
    let objects = world.store.list_durable();
    let get = &mut |name, offset, len| world.store.get(name, offset, len);
    let history = History::read(world.config.volume, objects, get).expect("nothing fails");
    let (name, root) = history.newest_root(get).expect("there is one");
    match kind {
        ObjectKind::Root => vec![name],
        ObjectKind::Part => root.parts.values().copied().collect(),
        ObjectKind::Segment => root.rows.iter().map(|(_, row)| row.name()).collect(),
        _ => root.snapshots.iter().map(|(_, name)| *name).collect(),
    }
}

#[test]
fn a_whole_volume_has_no_defects() {
    for seed in 0..40 {
        assert_eq!(defects(&mut worked(seed)), [], "seed {seed}");
    }
}

#[test]
fn what_is_damaged_or_missing_is_named() {
    let mut seen = BTreeSet::new();
    for seed in 0..10 {
        for kind in [ObjectKind::Part, ObjectKind::Segment, ObjectKind::Snapshot] {
            let mut world = worked(seed);
            let Some(object) = needed(&mut world, kind).first().copied() else {
                continue;
            };
            seen.insert(kind);
            // A frame's data, or what a checksum covers.
            world.store.damage(object, 30);
            let found = defects(&mut world);
            let names = |defect: &Defect| match defect {
                Defect::Damaged(name) => *name == object,
                Defect::Block { object: name, .. } => *name == object,
                _ => false,
            };
            assert!(found.iter().any(names), "seed {seed}: {found:?}");
            world.store.delete(object);
            let found = defects(&mut world);
            assert!(
                found.contains(&Defect::Missing(object)),
                "seed {seed}: {found:?}"
            );
        }
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_damaged_journal_is_named() {
    let header_of = |world: &World| {
        let whole = world.disk.read(0, HEADERS_LEN);
        Header::newest(&whole, world.config.volume).expect("it is whole")
    };
    // One whose header says that the oldest record was durable.
    let says_so = |header: &Header| header.durable_seq >= header.tail_seq;
    let seed = (1..).find(|seed| says_so(&header_of(&worked(*seed))));
    let seed = seed.expect("there is no end of them");
    let mut world = worked(seed);
    let header = header_of(&world);
    world.disk.damage(20);
    assert_eq!(defects(&mut world), []);
    world.disk.damage(4096 + 20);
    let config = world.config.clone();
    let checked = check(&config, &mut world).expect("nothing fails");
    assert!(checked.defects.contains(&Defect::JournalHeader));
    let mut world = worked(seed);
    let lap_len = lap_len(&config).expect("long enough");
    let at = crate::journal::file_offset(header.tail, lap_len);
    world.disk.damage(at + 20);
    let checked = check(&config, &mut world).expect("nothing fails");
    let named = Defect::JournalRecord(header.tail_seq);
    assert_eq!(checked.defects.into_iter().collect::<Vec<_>>(), [named]);
}

#[test]
fn a_map_that_does_not_fit_its_segments_is_told() {
    let mut world = worked(2);
    let state = needed(&mut world, ObjectKind::Root)[0];
    let bytes = world.store.get(state, 0, u64::MAX).expect("it is there");
    let mut root = Root::decode(&bytes).expect("it is whole");
    let (_, row) = root
        .rows
        .iter_mut()
        .find(|(_, row)| row.live > 0)
        .expect("there is one");
    row.live += 1;
    let object = row.name();
    world.store.put(state, &root.encode());
    let found = defects(&mut world);
    let told =
        |defect: &Defect| matches!(defect, Defect::Map { object: name, .. } if *name == object);
    assert!(found.iter().any(told), "{found:?}");
}

#[test]
fn a_store_without_the_volume_is_one_defect() {
    let mut world = worked(3);
    for (name, _) in world.store.list() {
        world.store.delete(name);
    }
    let config = world.config.clone();
    let checked = check(&config, &mut world).expect("nothing fails");
    assert_eq!(checked.defects, BTreeSet::from([Defect::NoVolume]));
}
