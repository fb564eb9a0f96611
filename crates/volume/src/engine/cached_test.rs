//! Short reads of blocks that objects have: kept when read again, and never out of date.

use std::sync::Arc;

use super::*;
use crate::cache::ReadCache;
use crate::checker;
use crate::crash::planted::Planted;
use crate::crash::world::World;
use crate::open::open;

struct Rig {
    engine: Engine,
    world: World,
    next: u64,
}

impl Rig {
    fn new() -> Self {
        let mut world = World::new(1, Planted::Nothing);
        world.config.read_cache = Some(Arc::new(ReadCache::new(1 << 20)));
        let config = world.config.clone();
        let engine = open(&config, &mut world).expect("a new volume");
        let next = 1;
        Self {
            engine,
            world,
            next,
        }
    }

    /// Does all that there is to do, and gives what was read last.
    fn run(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        loop {
            self.world.take_commands(&mut self.engine);
            while let Some(reply) = self.engine.poll_reply() {
                if let Reply::Read(_, data) = reply {
                    read = data;
                }
            }
            if self.world.pending.is_empty() {
                return read;
            }
            self.world.complete(&mut self.engine, 0);
        }
    }

    /// Writes blocks that no other write has, and has them packed.
    fn write(&mut self, block: u64, blocks: u64) -> Vec<u8> {
        self.next += 1;
        let id = self.next;
        let data = (block..block + blocks).flat_map(|block| checker::stamped(id, block));
        let data: Vec<u8> = data.collect();
        self.engine.write(id, block, &data, false).expect("room");
        self.run();
        self.engine.settle();
        self.run();
        data
    }

    fn read(&mut self, block: u64, blocks: u32) -> Vec<u8> {
        self.next += 1;
        self.engine.read(self.next, block, blocks).expect("in it");
        self.run()
    }

    fn counts(&self) -> (u64, u64) {
        let figures = self.engine.figures();
        (figures.cache_hits, figures.cache_misses)
    }
}

#[test]
fn what_is_read_again_needs_no_store() {
    let mut rig = Rig::new();
    let data = rig.write(3, 2);
    for _ in 0..2 {
        assert!(rig.read(3, 2) == data);
    }
    assert_eq!(rig.counts(), (0, 4));
    rig.next += 1;
    rig.engine.read(rig.next, 3, 2).expect("in it");
    assert!(rig.engine.poll_command().is_none(), "both are here");
    assert!(rig.run() == data);
    assert_eq!(rig.counts(), (2, 4));
}

#[test]
fn what_is_written_anew_is_read_anew() {
    let mut rig = Rig::new();
    for _ in 0..5 {
        let data = rig.write(3, 1);
        for _ in 0..4 {
            assert!(rig.read(3, 1) == data);
        }
    }
    assert_eq!(rig.counts(), (10, 10));
}

#[test]
fn long_reads_pass_by() {
    let mut rig = Rig::new();
    let data = rig.write(0, 16);
    for _ in 0..3 {
        assert!(rig.read(0, 16) == data);
    }
    assert_eq!(rig.counts(), (0, 0));
}
