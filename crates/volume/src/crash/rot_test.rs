//! Journals that rot: what was flushed and is damaged is named, and all else is served.

use super::planted::Planted;
use super::world::{BLOCKS, World};
use crate::checker::stamped;
use crate::command::{Reply, Stage};
use crate::engine::Engine;
use crate::open::OpenError;
use crate::record::{HEADERS_LEN, Header, Kind, data_offset, record_len};

/// Twelve blocks written one by one and flushed, in a journal as long as it was begun.
fn flushed() -> World {
    let mut world = World::new(1, Planted::Nothing);
    let mut engine = world.attach().expect("a new volume");
    for id in 1..13 {
        let data = stamped(id, id);
        engine.write(id, id, &data, false).expect("there is room");
        world.idle_until_done(&mut engine);
        engine.flush(100 + id).expect("it goes on");
        world.idle_until_done(&mut engine);
    }
    drop(engine);
    world
}

/// Where in the file the record of the write `id` is.
fn record_at(world: &World, id: u64) -> u64 {
    let headers = world.disk.read(0, HEADERS_LEN);
    let header = Header::newest(&headers, world.config.volume).expect("it is whole");
    let first = header.tail + record_len(Kind::Open, 0);
    HEADERS_LEN + first + (id - 1) * record_len(Kind::Data, 1)
}

fn read(world: &mut World, engine: &mut Engine, block: u64) -> Reply {
    engine.read(1, block, 1).expect("within bounds");
    let replies = world.idle_until_done(engine);
    replies.into_iter().next_back().expect("it is answered")
}

#[test]
fn a_damaged_block_fails_alone_until_it_is_written_again() {
    let mut world = flushed();
    let at = record_at(&world, 5) + data_offset(1) + 700;
    world.disk.damage(at);
    let mut engine = world.attach().expect("the rest is whole");
    let failed = Reply::Failed(1, Stage::JournalRead);
    for block in 1..13 {
        let expected = match block {
            5 => failed.clone(),
            _ => Reply::Read(1, stamped(block, block)),
        };
        assert_eq!(read(&mut world, &mut engine, block), expected);
    }
    // In a segment it is as lost as it was.
    engine.settle();
    world.idle_until_done(&mut engine);
    assert_eq!(engine.figures().overlay_extents, 0);
    let lost = Reply::Failed(1, Stage::Get);
    assert_eq!(read(&mut world, &mut engine, 5), lost);
    assert_eq!(
        read(&mut world, &mut engine, 6),
        Reply::Read(1, stamped(6, 6))
    );
    let data = stamped(50, 5);
    engine.write(50, 5, &data, false).expect("there is room");
    world.idle_until_done(&mut engine);
    assert_eq!(read(&mut world, &mut engine, 5), Reply::Read(1, data));
}

#[test]
fn damage_in_service_is_named_when_it_is_packed() {
    let mut world = flushed();
    let mut engine = world.attach().expect("it is whole");
    let at = record_at(&world, 5) + data_offset(1);
    world.disk.damage(at + 9);
    engine.settle();
    let replies = world.idle_until_done(&mut engine);
    let lost = replies
        .iter()
        .filter(|reply| matches!(reply, Reply::Lost(_)));
    assert_eq!(lost.count(), 1, "{replies:?}");
    let whole = (0..BLOCKS)
        .filter(|block| matches!(read(&mut world, &mut engine, *block), Reply::Read(..)));
    assert_eq!(whole.count() as u64, BLOCKS - 1);
}

#[test]
fn a_damaged_record_is_not_the_end_of_the_journal() {
    let mut world = flushed();
    let at = record_at(&world, 5);
    world.disk.damage(at + 20);
    let Err(OpenError::Rotten(seq)) = world.attach() else {
        panic!("what was flushed is missing");
    };
    // The opening is the first.
    assert_eq!(seq, 6);
}

#[test]
fn either_header_knows_where_the_records_begin() {
    for slot in [0, 4096] {
        let mut world = flushed();
        world.disk.damage(slot + 30);
        let mut engine = world.attach().expect("the other one is whole");
        for block in 1..13 {
            let expected = Reply::Read(1, stamped(block, block));
            assert_eq!(read(&mut world, &mut engine, block), expected);
        }
    }
}
