//! What must hold between two operations; for tests.

use std::collections::{HashMap, HashSet};

use super::Shard;
use super::log::Queue;
use crate::item::{self, Header};
use crate::segment::Kind;

#[derive(Default, Debug, PartialEq, Eq)]
struct Count {
    live: u32,
    live_bytes: u32,
    live_large: u32,
    chunk_bytes: u64,
}

impl Shard {
    /// Panics where the books do not agree with what lies in memory.
    pub(crate) fn check(&self) {
        self.check_places();
        let reached: HashSet<u32> = self.index.locations(&self.segs).into_iter().collect();
        assert_eq!(
            reached.len() as u64,
            self.index.items,
            "index counts its items"
        );
        let mut seen = 0;
        let mut live_bytes = 0;
        let mut queue_chunk_bytes = [0, 0];
        for (number, segment) in (0..).zip(&self.segs.list) {
            let Some(queue) = Queue::of(segment.kind) else {
                continue;
            };
            if segment.seq < self.segs.flush_seq {
                continue;
            }
            let count = self.count(number, &reached);
            seen += u64::from(count.live);
            live_bytes += u64::from(count.live_bytes) + count.chunk_bytes;
            queue_chunk_bytes[queue as usize] += count.chunk_bytes;
            let booked = Count {
                live: segment.live,
                live_bytes: segment.live_bytes,
                live_large: segment.live_large,
                chunk_bytes: segment.chunk_bytes,
            };
            assert_eq!(count, booked, "segment {number} counts what lives in it");
        }
        assert_eq!(
            seen, self.index.items,
            "the index reaches exactly what lives"
        );
        assert_eq!(live_bytes, self.live_bytes);
        assert_eq!(queue_chunk_bytes, self.queue_chunk_bytes);
        self.check_slots();
        self.check_bodies();
        self.check_clients();
        self.check_formers();
    }

    fn count(&self, number: u32, reached: &HashSet<u32>) -> Count {
        let segment = self.segs.get(number);
        let walked = self
            .expiring
            .as_ref()
            .is_some_and(|walk| walk.segment == number);
        let mut count = Count::default();
        let mut at = self.segs.geometry.log_start();
        while at < segment.used {
            let loc = self.segs.loc(number, at);
            let bytes = self.segs.at(loc);
            let header = Header::read(bytes);
            let len = header.footprint(self.chunk_len());
            at += len;
            if header.has(item::DEAD) {
                assert!(!reached.contains(&loc), "a dead item is reached");
                continue;
            }
            assert!(reached.contains(&loc), "a live item is not reached");
            let hash = self.hasher.hash(header.key(bytes));
            let found = self.index.find(&self.segs, hash, header.key(bytes));
            assert_eq!(found, Some(loc), "a key finds its item");
            assert!(header.expiry == 0 || walked || segment.expiry_min <= header.expiry);
            count.live += 1;
            count.live_bytes += len;
            count.live_large += u32::from(header.is_in_chunks());
            count.chunk_bytes += self.chunk_bytes_of(&header);
            self.check_extent(loc, &header);
        }
        assert_eq!(at, segment.used, "items fill what is used");
        count
    }

    fn check_extent(&self, loc: u32, header: &Header) {
        if let Some(extent) = header.extent(self.segs.at(loc)) {
            let all = self.bodies.extent(extent.body, extent.skip);
            assert_eq!(extent, all, "an item has its body from the start");
            let chunks = header.chunks(self.chunk_len());
            assert_eq!(self.bodies.chunks(extent.body), chunks, "and to the end");
        }
    }

    /// Every segment with memory is in exactly one list.
    fn check_places(&self) {
        let mut places: Vec<u32> = self.segs.free.clone();
        places.extend(self.sealed.iter().flatten());
        places.extend(self.open.iter().flatten());
        places.extend(self.victim.iter().map(|victim| victim.segment));
        places.extend(&self.flushed);
        let chunk = |(_, segment): &(u32, &crate::segment::Segment)| segment.kind == Kind::Chunk;
        places.extend(
            (0..)
                .zip(&self.segs.list)
                .filter(chunk)
                .map(|(number, _)| number),
        );
        let count = places.len();
        let distinct: HashSet<u32> = places.into_iter().collect();
        assert_eq!(distinct.len(), count, "a segment is in two lists");
        assert_eq!(count, self.segs.held as usize, "a segment is in no list");
    }

    fn check_slots(&self) {
        let slots = self.segs.geometry.slots;
        let mut empty = 0;
        for (number, segment) in (0..).zip(&self.segs.list) {
            if segment.kind != Kind::Chunk {
                continue;
            }
            let all = number * slots..(number + 1) * slots;
            let taken = all.filter(|slot| self.slot_owner(*slot).0 != 0).count() as u32;
            assert_eq!(taken, segment.live, "slots of segment {number}");
            empty += slots - taken;
            assert_eq!(taken < slots, self.roomy.contains(&number));
        }
        assert_eq!(empty, self.slots_empty);
    }

    /// What is to be carried over is in order too, and nowhere else.
    fn check_formers(&self) {
        let mut keys = HashSet::new();
        for former in &self.formers {
            let shard = former.shard();
            shard.check();
            for loc in shard.index.locations(&shard.segs) {
                let bytes = shard.segs.at(loc);
                let key = Header::read(bytes).key(bytes);
                let hash = self.hasher.hash(key);
                assert_eq!(self.index.find(&self.segs, hash, key), None);
                assert!(keys.insert(key.to_vec()), "a key was held twice");
            }
        }
    }

    /// Every chunk knows its body, and every body by whom it is needed.
    fn check_bodies(&self) {
        let mut users: HashMap<u32, u32> = HashMap::new();
        for (number, segment) in (0..).zip(&self.segs.list) {
            if Queue::of(segment.kind).is_none() {
                continue;
            }
            let mut at = self.segs.geometry.log_start();
            while at < segment.used {
                let bytes = self.segs.at(self.segs.loc(number, at));
                let header = Header::read(bytes);
                at += header.footprint(self.chunk_len());
                let extent = header.extent(bytes).filter(|_| !header.has(item::DEAD));
                if let Some(extent) = extent {
                    *users.entry(extent.body).or_default() += 1;
                }
            }
        }
        let arriving = self.arriving.things().map(|arriving| arriving.body);
        for body in arriving.chain(self.held_bodies()) {
            *users.entry(body).or_default() += 1;
        }
        self.bodies.check(&users, |slot| self.slot_owner(slot));
    }

    fn check_clients(&self) {
        assert_eq!(self.arriving_bytes, self.counted_arriving_bytes());
        assert_eq!(self.client_bytes, self.hold_bytes() + self.arriving_bytes);
    }

    /// How often a single store had to empty a whole segment.
    pub(crate) fn emptied_at_once(&self) -> u64 {
        self.emptied_at_once
    }
}
