//! The overlay beside a plain array.

use base::rng::Rng;

use super::*;

fn fresh(block: u64, blocks: u64, seq: u64, zero: bool) -> Fresh {
    let crcs: Vec<u32> = (0..blocks).map(|i| (seq * 100 + i) as u32).collect();
    let content = match zero {
        true => Content::Zero,
        false => Content::Data {
            pos: seq << 20,
            crcs: crcs.into(),
            skip: 0,
        },
    };
    Fresh {
        block,
        blocks,
        seq,
        content,
    }
}

/// The record that wrote a block last, and its position and checksum if it has data.
type Cell = Option<(u64, Option<(u64, u32)>)>;

fn flatten(overlay: &Overlay, blocks: u64) -> Vec<Cell> {
    let mut flat = vec![None; blocks as usize];
    let mut last_end = 0;
    for extent in overlay.within(0, blocks) {
        assert!(extent.block >= last_end && extent.blocks > 0);
        last_end = extent.end();
        for index in 0..extent.blocks {
            let place = (extent.block + index) as usize;
            flat[place] = Some((extent.seq, extent.block_at(index)));
        }
    }
    flat
}

/// Extents of all lengths up to `blocks_max`, one over the other, in a volume of `volume` blocks.
fn agree(volume: u64, blocks_max: u64) {
    const RECORDS: u64 = 80;
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut overlay = Overlay::default();
        let mut model: Vec<Cell> = vec![None; volume as usize];
        // Of each record's blocks, how many nothing hides.
        let mut shown = vec![0; RECORDS as usize];
        for seq in 1..RECORDS {
            let block = rng.below(volume - 1);
            let blocks = 1 + rng.below((volume - block).min(blocks_max));
            let is_long = blocks > SHORT_BLOCKS_MAX;
            let extent = fresh(block, blocks, seq, is_long || rng.below(3) == 0);
            for index in 0..blocks {
                model[(block + index) as usize] = Some((seq, extent.block_at(index)));
            }
            shown[seq as usize] = blocks;
            overlay.insert(extent, &mut |seq, blocks| shown[seq as usize] -= blocks);
            assert_eq!(flatten(&overlay, volume), model, "seed {seed}");
            for (seq, shown) in (0..).zip(&shown) {
                let left = model.iter().flatten().filter(|(own, _)| *own == seq);
                let left = left.count() as u64;
                // Of what is long it is at least as much.
                let is_told = left == *shown || blocks_max > SHORT_BLOCKS_MAX && left < *shown;
                assert!(is_told, "seed {seed}");
            }
            let from = rng.below(volume);
            part_agrees(&overlay, &model, from, 1 + rng.below(volume - from));
        }
        assert!(overlay.len() as u64 <= volume);
    }
}

/// What is found in a part is what is there, cut to it.
fn part_agrees(overlay: &Overlay, model: &[Cell], block: u64, blocks: u64) {
    let mut at = block;
    for extent in overlay.within(block, blocks) {
        assert!(extent.block >= at && extent.end() <= block + blocks);
        assert!((at..extent.block).all(|block| model[block as usize].is_none()));
        at = extent.end();
        for index in 0..extent.blocks {
            let cell = Some((extent.seq, extent.block_at(index)));
            assert_eq!(cell, model[(extent.block + index) as usize]);
        }
    }
    assert!((at..block + blocks).all(|block| model[block as usize].is_none()));
}

#[test]
fn short_extents_agree_with_an_array() {
    agree(200, 16);
}

#[test]
fn long_extents_agree_with_an_array() {
    agree(700, 300);
}

#[test]
fn a_trim_of_everything_stays_one_extent_under_what_is_written_after_it() {
    let mut overlay = Overlay::default();
    let trim = Fresh {
        blocks: 1 << 30,
        ..fresh(0, 1, 1, true)
    };
    overlay.insert(trim, &mut |_, _| {});
    for seq in 2..100 {
        overlay.insert(fresh(seq << 20, 1, seq, false), &mut |_, _| {});
    }
    assert_eq!(overlay.len(), 99);
    assert_eq!(overlay.within(0, 1 << 30).len(), 98 * 2 + 1);
}
