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

/// The record and the place in it of each block.
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

#[test]
fn it_agrees_with_an_array() {
    const BLOCKS: u64 = 64;
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut overlay = Overlay::default();
        let mut model: Vec<Cell> = vec![None; BLOCKS as usize];
        // Of each record's blocks, how many nothing hides.
        let mut shown = vec![0; 80];
        for seq in 1..80 {
            let block = rng.below(BLOCKS - 1);
            let blocks = 1 + rng.below((BLOCKS - block).min(16));
            let extent = fresh(block, blocks, seq, rng.below(3) == 0);
            for index in 0..blocks {
                model[(block + index) as usize] = Some((seq, extent.block_at(index)));
            }
            shown[seq as usize] = blocks;
            overlay.insert(extent, &mut |seq, blocks| shown[seq as usize] -= blocks);
            assert_eq!(flatten(&overlay, BLOCKS), model, "seed {seed}");
            for (seq, shown) in (0..).zip(&shown) {
                let left = model.iter().flatten().filter(|(own, _)| *own == seq);
                assert_eq!(left.count() as u64, *shown, "seed {seed}");
            }
        }
        assert!(overlay.len() <= BLOCKS as usize);
    }
}
