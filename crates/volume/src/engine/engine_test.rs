//! The engine under a scheduler that the tests hold in their hands.

use super::*;
use crate::crash::planted::Planted;
use crate::crash::world::{BLOCKS, World};
use crate::open::open;
use crate::segment::Summary;
use crate::{BLOCK_LEN, checker};

struct Rig {
    engine: Engine,
    world: World,
    held: Vec<Command>,
}

impl Rig {
    fn new() -> Self {
        let mut world = World::new(1, Planted::Nothing);
        let config = world.config.clone();
        let engine = open(&config, &mut world).expect("a new volume");
        let held = Vec::new();
        Self {
            engine,
            world,
            held,
        }
    }

    /// Collects what the engine wants, and does what `takes` chooses of it.
    fn pump(&mut self, takes: impl Fn(&Command) -> bool) {
        loop {
            self.held
                .extend(std::iter::from_fn(|| self.engine.poll_command()));
            let Some(index) = self.held.iter().position(&takes) else {
                return;
            };
            let command = self.held.remove(index);
            self.perform(command);
        }
    }

    fn perform(&mut self, command: Command) {
        let (disk, store) = (&mut self.world.disk, &mut self.world.store);
        let (token, bytes) = match command {
            Command::JournalWrite { token, at, bytes } => {
                disk.write(at, &bytes);
                (token, Ok(Vec::new()))
            }
            Command::JournalHeader { token, bytes } => {
                disk.write_durably(&bytes);
                (token, Ok(Vec::new()))
            }
            Command::JournalSync { token } => {
                disk.end_sync(disk.begin_sync());
                (token, Ok(Vec::new()))
            }
            Command::BulkSync { token, names } => {
                names.into_iter().for_each(|name| store.sync(name));
                (token, Ok(Vec::new()))
            }
            Command::JournalRead { token, at, len } => (token, Ok(disk.read(at, len))),
            Command::Seal { token, draft } => {
                return self.engine.handle_sealed(token, draft.seal());
            }
            Command::Put { token, name, bytes } => {
                store.put(name, &bytes);
                (token, Ok(Vec::new()))
            }
            Command::Get {
                token,
                name,
                offset,
                len,
            } => (token, store.get(name, offset, len)),
            Command::Delete { token, name } => {
                store.delete(name);
                (token, Ok(Vec::new()))
            }
        };
        self.engine.handle_completion(Timestamp::ZERO, token, bytes);
    }

    fn write(&mut self, id: u64, block: u64, fua: bool) -> Result<(), Refused> {
        self.engine
            .write(id, block, &checker::stamped(id, block), fua)
    }

    /// Writes blocks, and has them packed.
    fn pack(&mut self, blocks: &[u64]) {
        for block in blocks {
            self.write(*block, *block, false).expect("room");
        }
        self.pump(is_write);
        self.engine.settle();
        self.pump(|_| true);
        self.replies();
    }

    fn replies(&mut self) -> Vec<Reply> {
        std::iter::from_fn(|| self.engine.poll_reply()).collect()
    }

    fn fail(&mut self, is: impl Fn(&Command) -> bool, error: IoError) {
        self.pump(|_| false);
        let index = self.held.iter().position(is).expect("there is one");
        let (Command::JournalSync { token }
        | Command::JournalWrite { token, .. }
        | Command::Put { token, .. }) = self.held.remove(index)
        else {
            panic!("not that")
        };
        self.engine
            .handle_completion(Timestamp::ZERO, token, Err::<Vec<u8>, _>(error));
    }
}

fn is_write(command: &Command) -> bool {
    matches!(command, Command::JournalWrite { .. })
}

fn is_sync(command: &Command) -> bool {
    matches!(command, Command::JournalSync { .. })
}

fn is_put(command: &Command) -> bool {
    matches!(command, Command::Put { .. })
}

#[test]
fn packing_is_pressed_before_writes_wait_and_not_once_there_is_room() {
    let mut rig = Rig::new();
    let mut id = 0;
    while !rig.engine.is_pressed() {
        let written = rig.write(id, id % BLOCKS, false);
        assert_eq!(written, Ok(()), "pressed too late");
        rig.pump(is_write);
        id += 1;
    }
    assert!(id > 0 && rig.write(id, 0, false).is_ok());
    rig.engine.settle();
    rig.pump(|_| true);
    assert!(!rig.engine.is_pressed());
}

#[test]
fn a_flush_is_answered_by_a_sync_that_began_after_its_writes() {
    let mut rig = Rig::new();
    rig.write(1, 0, false).expect("room");
    assert_eq!(rig.replies(), []);
    rig.pump(is_write);
    assert_eq!(rig.replies(), [Reply::Done(1)]);
    rig.engine.flush(2).expect("goes on");
    rig.pump(is_write);
    // The sync is under way when the next write is answered: it does not count for that.
    rig.write(3, 1, false).expect("room");
    rig.pump(is_write);
    rig.engine.flush(4).expect("goes on");
    rig.engine.flush(5).expect("goes on");
    assert_eq!(rig.replies(), [Reply::Done(3)]);
    let syncs = rig.held.iter().filter(|command| is_sync(command)).count();
    assert_eq!(syncs, 1);
    let first = rig.held.remove(0);
    rig.perform(first);
    assert_eq!(rig.replies(), [Reply::Done(2)]);
    rig.pump(is_sync);
    assert_eq!(rig.replies(), [Reply::Done(4), Reply::Done(5)]);
    assert_eq!(rig.engine.figures().syncs, 2);
    rig.engine.flush(6).expect("goes on");
    assert_eq!(rig.replies(), [Reply::Done(6)]);
}

#[test]
fn fua_waits_for_its_own_sync() {
    let mut rig = Rig::new();
    rig.write(1, 0, true).expect("room");
    rig.pump(is_write);
    assert_eq!(rig.replies(), []);
    rig.pump(is_sync);
    assert_eq!(rig.replies(), [Reply::Done(1)]);
}

#[test]
fn one_run_is_written_at_a_time_and_what_comes_meanwhile_goes_together() {
    let mut rig = Rig::new();
    for id in 1..4 {
        rig.write(id, id, false).expect("room");
        rig.pump(|_| false);
    }
    for expected in [vec![1], vec![2, 3]] {
        assert_eq!(rig.held.len(), 1, "{:?}", rig.held);
        let run = rig.held.pop().expect("a run");
        rig.perform(run);
        let expected: Vec<Reply> = expected.into_iter().map(Reply::Done).collect();
        assert_eq!(rig.replies(), expected);
        rig.pump(|_| false);
    }
    assert_eq!(rig.held.len(), 0, "{:?}", rig.held);
}

#[test]
fn a_failed_sync_stops_the_volume_and_is_not_tried_again() {
    let mut rig = Rig::new();
    rig.write(1, 0, false).expect("room");
    rig.pump(is_write);
    rig.engine.flush(2).expect("goes on");
    rig.fail(is_sync, IoError::Failed);
    let stage = Stage::JournalSync;
    let expected = [
        Reply::Done(1),
        Reply::Failed(2, stage),
        Reply::Stopped(stage),
    ];
    assert_eq!(rig.replies(), expected);
    assert_eq!(rig.write(3, 0, false), Err(Refused::Stopped(stage)));
    assert_eq!(rig.engine.flush(4), Err(Refused::Stopped(stage)));
    rig.pump(|_| false);
    assert!(!rig.held.iter().any(is_sync));
}

#[test]
fn a_full_store_is_told_once_the_journal_is_full_and_ends_with_room() {
    let mut rig = Rig::new();
    let mut id = 1;
    let refused = loop {
        match rig.write(id, id % BLOCKS, false) {
            Ok(()) => rig.pump(|command| !is_put(command)),
            Err(refused) => break refused,
        }
        id += 1;
    };
    assert_eq!(refused, Refused::Full);
    assert_eq!(rig.replies().len() as u64, id - 1);
    rig.fail(is_put, IoError::NoSpace);
    assert_eq!(rig.write(id, 0, false), Err(Refused::NoSpace));
    assert!(rig.engine.poll_timeout().is_some());
    // Space returns.
    rig.engine.handle_timeout(Timestamp::from_secs(60));
    rig.pump(|_| true);
    assert!(rig.replies().contains(&Reply::Room));
    rig.write(id, 0, false).expect("room");
    rig.pump(|_| true);
    rig.engine.read(id + 1, 0, 1).expect("within bounds");
    rig.pump(|_| true);
    let data = checker::stamped(id, 0);
    assert_eq!(rig.replies().pop(), Some(Reply::Read(id + 1, data)));
}

#[test]
fn a_damaged_segment_is_named_and_not_served() {
    let mut rig = Rig::new();
    for id in 1..11 {
        rig.write(id, id, false).expect("room");
    }
    rig.pump(is_write);
    rig.engine.settle();
    rig.pump(|_| true);
    assert_eq!(rig.engine.figures().overlay_extents, 0);
    rig.replies();
    let objects = rig.world.store.list();
    let segment = objects.iter().map(|(name, _)| *name);
    let mut segments = segment.filter(|name| name.kind == ObjectKind::Segment);
    let segment = segments.next().expect("one");
    rig.world.store.damage(segment, 100);
    for (id, block) in [(20, 1), (21, 2)] {
        rig.engine.read(id, block, 1).expect("within bounds");
    }
    rig.pump(|_| true);
    let whole = Reply::Read(21, checker::stamped(2, 2));
    let failed = Reply::Failed(20, Stage::Get);
    assert_eq!(rig.replies(), [Reply::Damaged(segment), failed, whole]);
}

#[test]
fn what_is_written_often_is_packed_apart_from_what_is_not() {
    let mut rig = Rig::new();
    let all: Vec<u64> = (0..BLOCKS).collect();
    all.chunks(20).for_each(|some| rig.pack(some));
    (0..3).for_each(|_| rig.pack(&[0, 1, 2, 3]));
    for block in [0, 100, 1, 101, 2, 102] {
        rig.write(block, block, false).expect("room");
    }
    rig.pump(is_write);
    rig.engine.settle();
    rig.pump(|command| !is_put(command));
    let puts = rig.held.iter().filter_map(|command| match command {
        Command::Put { name, bytes, .. } if name.kind == ObjectKind::Segment => {
            Summary::parse(bytes)
        }
        _ => None,
    });
    let blocks = puts.map(|summary| summary.entries.iter().map(|entry| entry.block).collect());
    let blocks: Vec<Vec<u64>> = blocks.collect();
    assert_eq!(blocks, [[100, 101, 102], [0, 1, 2]]);
}

#[test]
fn ranges_are_whole_blocks_within_the_volume() {
    let mut rig = Rig::new();
    let engine = &mut rig.engine;
    let long = vec![0; 17 * BLOCK_LEN];
    assert_eq!(engine.write(1, 0, &long, false), Err(Refused::Range));
    assert_eq!(engine.write(1, 0, &long[..100], false), Err(Refused::Range));
    assert_eq!(
        engine.write(1, BLOCKS, &long[..BLOCK_LEN], false),
        Err(Refused::Range)
    );
    assert_eq!(engine.zero(1, u64::MAX, 2, false), Err(Refused::Range));
    assert_eq!(engine.read(1, BLOCKS - 1, 2), Err(Refused::Range));
    engine.write(1, 0, &[], true).expect("nothing to do");
    engine.read(2, BLOCKS, 0).expect("nothing to do");
    rig.pump(|_| true);
    assert_eq!(rig.replies(), [Reply::Done(1), Reply::Read(2, vec![])]);
}

#[test]
fn the_status_tells_data_from_zeroes() {
    let mut rig = Rig::new();
    for block in 4..8 {
        rig.write(block, block, false).expect("room");
    }
    rig.pump(is_write);
    rig.engine.settle();
    rig.pump(|_| true);
    rig.engine.zero(50, 5, 1, false).expect("room");
    rig.write(51, 20, false).expect("room");
    let expected = [
        (4, false),
        (1, true),
        (1, false),
        (2, true),
        (12, false),
        (1, true),
    ];
    assert_eq!(rig.engine.status(0, 21), expected);
}
