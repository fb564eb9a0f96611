//! Lengths and names: what is refused, and what is still so after a crash.

use base::Timestamp;

use crate::BLOCK_LEN;
use crate::checker::stamped;
use crate::command::{Refused, Reply};
use crate::crash::planted::Planted;
use crate::crash::world::{BLOCKS, World};
use crate::engine::Engine;

fn world() -> (World, Engine) {
    let mut world = World::new(1, Planted::Nothing);
    let engine = world.attach().expect("a new volume");
    (world, engine)
}

fn read(world: &mut World, engine: &mut Engine, block: u64) -> Vec<u8> {
    engine.read(9, block, 1).expect("within bounds");
    match world.idle_until_done(engine).pop() {
        Some(Reply::Read(9, data)) => data,
        other => panic!("{other:?}"),
    }
}

fn again(world: &mut World, packed: bool, engine: &mut Engine) {
    if packed {
        engine.settle();
        world.idle_until_done(engine);
    }
    world.crash();
    *engine = world.attach().expect("it can be attached again");
}

#[test]
fn a_longer_volume_stays_longer_and_a_shorter_one_shorter() {
    for packed in [false, true] {
        let (mut world, mut engine) = world();
        engine.resize(1, BLOCKS + 50, false).expect("it grows");
        assert_eq!(world.idle_until_done(&mut engine), [Reply::Done(1)]);
        let data = stamped(7, BLOCKS + 49);
        engine
            .write(2, BLOCKS + 49, &data, true)
            .expect("there is room");
        world.idle_until_done(&mut engine);
        again(&mut world, packed, &mut engine);
        assert_eq!(engine.size_blocks(), BLOCKS + 50);
        assert_eq!(read(&mut world, &mut engine, BLOCKS + 49), data);
        // What has data is only cut off by force, and then it is gone for good.
        assert_eq!(engine.resize(3, 10, false), Err(Refused::Data));
        engine.resize(4, BLOCKS, true).expect("by force");
        world.idle_until_done(&mut engine);
        again(&mut world, packed, &mut engine);
        assert_eq!(engine.size_blocks(), BLOCKS);
        assert_eq!(engine.write(5, BLOCKS, &data, false), Err(Refused::Range));
        engine.resize(6, BLOCKS + 50, false).expect("it grows");
        world.idle_until_done(&mut engine);
        let zeroes = vec![0; BLOCK_LEN];
        assert_eq!(read(&mut world, &mut engine, BLOCKS + 49), zeroes);
        engine
            .resize(7, BLOCKS, false)
            .expect("there is nothing there");
    }
}

#[test]
fn lengths_have_bounds() {
    let (_, mut engine) = world();
    for size in [0, crate::SIZE_BLOCKS_MAX + 1] {
        assert_eq!(engine.resize(1, size, true), Err(Refused::Range));
    }
}

#[test]
fn names_are_told_apart_and_keep_their_snapshot() {
    let (mut world, mut engine) = world();
    let now = Timestamp::from_secs(5);
    let id = engine.snapshot(1, "before", now).expect("it is taken");
    assert_eq!(engine.snapshot(2, "before", now), Err(Refused::Exists));
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(engine.snapshot(2, name, now), Err(Refused::Range));
    }
    assert!(!engine.is_stored(id));
    let replies = world.idle_until_done(&mut engine);
    assert_eq!(replies, [Reply::Done(1)]);
    assert!(engine.is_stored(id));
    again(&mut world, false, &mut engine);
    let there: Vec<_> = engine.snapshots().cloned().collect();
    assert_eq!(
        (there[0].id, &there[0].name[..], there[0].taken),
        (id, "before", now)
    );
    engine.delete_snapshot(3, id).expect("it is there");
    assert_eq!(engine.delete_snapshot(4, id), Err(Refused::Exists));
    assert!(world.idle_until_done(&mut engine).contains(&Reply::Done(3)));
    assert_eq!(engine.snapshots().count(), 0);
    assert_eq!(engine.delete_snapshot(5, id), Err(Refused::Unknown));
    engine.snapshot(6, "before", now).expect("the name is free");
}
