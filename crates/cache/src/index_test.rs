//! Items stay known while tables grow, shrink and move.

use std::collections::HashMap;

use base::rng::Rng;

use super::Index;
use crate::geometry::Geometry;
use crate::hash::KeyHasher;
use crate::item::Draft;
use crate::segment::{Kind, Segments};

struct Setup {
    segs: Segments,
    index: Index,
    hasher: KeyHasher,
    open: u32,
    known: HashMap<u32, u32>,
}

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

impl Setup {
    fn new() -> Self {
        let geometry = Geometry::new(64 << 20);
        let mut segs = Segments::new(geometry);
        segs.grow(1000);
        let open = segs.open(Kind::Small, 0).expect("a free one");
        Self {
            index: Index::new(geometry.loc_bits(4 << 20)).expect("memory"),
            segs,
            hasher: KeyHasher::new(&[5; 16]),
            open,
            known: HashMap::new(),
        }
    }

    fn write(&mut self, number: u32) -> u32 {
        let key = key(number);
        let draft = Draft {
            key: &key,
            flags: 0,
            expiry: 0,
            cas: 1,
            state: 0,
            value_len: 0,
            extent: None,
            tail: &[],
            now_s: 0,
        };
        if self.segs.get(self.open).used + 32 > self.segs.geometry.segment_len {
            self.segs.grow(1000);
            self.open = self.segs.open(Kind::Small, 0).expect("a free one");
        }
        let at = self.segs.get(self.open).used;
        self.segs.get_mut(self.open).used += draft.footprint();
        let loc = self.segs.loc(self.open, at);
        draft.write(self.segs.at_mut(loc));
        loc
    }

    fn insert(&mut self, number: u32) {
        let loc = self.write(number);
        let hash = self.hasher.hash(&key(number));
        match self.known.insert(number, loc) {
            None => self.index.insert(&mut self.segs, hash, loc),
            Some(old) => assert!(self.index.replace(&mut self.segs, hash, old, loc)),
        }
    }

    fn remove(&mut self, number: u32) {
        let hash = self.hasher.hash(&key(number));
        match self.known.remove(&number) {
            None => assert_eq!(self.index.find(&self.segs, hash, &key(number)), None),
            Some(loc) => assert!(self.index.remove(&mut self.segs, hash, loc)),
        }
    }

    fn check(&self) {
        for (number, loc) in &self.known {
            let hash = self.hasher.hash(&key(*number));
            assert_eq!(self.index.find(&self.segs, hash, &key(*number)), Some(*loc));
        }
        assert_eq!(self.index.items, self.known.len() as u64);
        assert_eq!(self.index.locations(&self.segs).len(), self.known.len());
    }
}

#[test]
fn every_item_is_found_while_the_table_grows_and_shrinks() {
    let mut setup = Setup::new();
    let mut rng = Rng::new(11);
    let mut moves = 0;
    for step in 0..120_000u32 {
        let growing = step < 60_000;
        let number = rng.below(if growing {
            60_000
        } else {
            400 * u64::from(120_001 - step) / 60
        }) as u32;
        if rng.below(10) < if growing { 9 } else { 1 } {
            setup.insert(number);
        } else {
            setup.remove(number);
        }
        if !growing {
            let any = setup.known.keys().next().copied().unwrap_or(0);
            setup.remove(any);
        }
        if let Some(heads) = setup.index.heads_wanted() {
            let bits = setup
                .index
                .loc_bits()
                .max(if step > 30_000 { 24 } else { 0 });
            assert!(setup.index.begin_move(heads, bits));
            moves += 1;
        }
        setup.index.advance(&mut setup.segs, setup.hasher, 2);
        if step % 10_007 == 0 {
            setup.check();
        }
    }
    setup.check();
    assert!(moves > 10, "{moves} moves");
}

#[test]
fn a_table_is_freed_by_the_block_while_it_moves() {
    let mut setup = Setup::new();
    (0..40_000).for_each(|number| setup.insert(number));
    while let Some(heads) = setup.index.heads_wanted() {
        setup.index.begin_move(heads, setup.index.loc_bits());
        let mut most = 0;
        while setup.index.is_moving() {
            let pending = setup.index.pending_bytes();
            setup.index.advance(&mut setup.segs, setup.hasher, 100);
            assert!(setup.index.pending_bytes() <= pending);
            most = most.max(setup.index.bytes());
        }
        let heads = u64::from(setup.index.heads());
        assert_eq!(setup.index.bytes(), heads * 4);
        assert!(
            most <= heads * 4 + heads * 2 + (3 << 16),
            "{most} for {heads}"
        );
    }
    setup.check();
    assert!(setup.index.bytes() <= 40_000 * 6);
}

#[test]
fn a_move_to_wider_locations_loses_nothing() {
    let mut setup = Setup::new();
    (0..300).for_each(|number| setup.insert(number));
    let heads = setup.index.heads();
    assert!(setup.index.begin_move(heads, 30));
    assert!(!setup.index.begin_move(heads, 30));
    setup.index.advance(&mut setup.segs, setup.hasher, 100);
    setup.check();
    setup.index.advance(&mut setup.segs, setup.hasher, u32::MAX);
    assert_eq!(setup.index.loc_bits(), 30);
    setup.check();
}

#[test]
fn what_was_never_there_is_not_removed() {
    let mut setup = Setup::new();
    setup.insert(1);
    let loc = setup.write(2);
    let hash = setup.hasher.hash(&key(2));
    assert!(!setup.index.remove(&mut setup.segs, hash, loc));
    assert!(!setup.index.replace(&mut setup.segs, hash, loc, loc));
    setup.check();
}

#[test]
fn an_index_given_up_is_shed_by_the_block() {
    let mut setup = Setup::new();
    (0..300).for_each(|number| setup.insert(number));
    let hash = setup.hasher.hash(&key(3));
    setup.segs.flush();
    let later = setup.segs.flush_seq;
    assert!(setup.index.knew(&setup.segs, later, hash, &key(3)));
    assert!(
        !setup.index.knew(&setup.segs, 1, hash, &key(3)),
        "its segment was opened since"
    );
    while setup.index.shed() {}
    assert_eq!(setup.index.bytes(), 0);
    assert!(!setup.index.knew(&setup.segs, later, hash, &key(3)));
}
