//! The data that a segment needs, out of the journal.

use std::sync::Arc;

use crate::BLOCK_LEN;
use crate::buffers::Lent;
use crate::bulk::{BulkRef, Stretch};
use crate::bytes::{Slice, crc, usize_of};
use crate::journal::ZERO_BLOCK;
use crate::overlay::{Content, Fresh};
use crate::segment::DraftBlock;

/// Data of records that is this near is read at once, with what is between.
const GAP_LEN_MAX: u64 = 16 << 10;
/// The longest such read.
const READ_LEN_MAX: u64 = 1 << 20;

/// The stretches of the journal in which the data of `fresh` is.
pub(super) fn spans(fresh: &[Fresh], lap_len: u64) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut wanted: Vec<(u64, u64)> = fresh
        .iter()
        .filter_map(|part| {
            part.block_at(0)
                .map(|(pos, _)| (pos, part.blocks * BLOCK_LEN as u64))
        })
        .collect();
    wanted.sort_unstable();
    for (pos, len) in wanted {
        match spans.last_mut() {
            Some((at, whole))
                if pos - (*at + *whole) <= GAP_LEN_MAX
                    && pos + len - *at <= READ_LEN_MAX
                    && *at / lap_len == pos / lap_len =>
            {
                *whole = pos + len - *at;
            }
            _ => spans.push((pos, len)),
        }
    }
    spans
}

/// A stretch of the journal: its position and its bytes.
pub(super) type Run = (u64, Arc<Lent>);

/// What a segment is made of.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) blocks: Vec<DraftBlock>,
    pub(super) zeroes: Vec<(u64, u32)>,
    pub(super) adopted: Vec<(Stretch, BulkRef)>,
}

/// The data of `fresh` out of what was read; blocks that are not what was written are lost.
pub(super) fn collect(fresh: &[Fresh], runs: &[Run], lost: &mut Vec<u64>) -> Collected {
    let mut all = Collected::default();
    for part in fresh {
        let count = u32::try_from(part.blocks).unwrap_or(u32::MAX);
        match part.content {
            Content::Zero => {
                all.zeroes.push((part.block, count));
                continue;
            }
            Content::Bulk { object, unit } => {
                let stretch = Stretch {
                    block: part.block,
                    blocks: count,
                    unit,
                };
                all.adopted.push((stretch, object));
                continue;
            }
            Content::Data { .. } | Content::Lost => {}
        }
        for index in 0..part.blocks {
            let block = part.block + index;
            match written(part, index, runs) {
                Some(data) if *data == ZERO_BLOCK => all.zeroes.push((block, 1)),
                Some(data) => all.blocks.push((block, data, None)),
                None => {
                    all.blocks.push((block, Slice::default(), None));
                    // Those that recovery found have been told.
                    lost.extend((part.content != Content::Lost).then_some(block));
                }
            }
        }
    }
    all
}

/// What a record wrote to a block; `None` if it is not there any more.
fn written(part: &Fresh, index: u64, runs: &[Run]) -> Option<Slice> {
    let (pos, sum) = part.block_at(index)?;
    let data = runs.iter().find_map(|(at, bytes)| {
        let from = usize_of(pos.checked_sub(*at)?);
        Slice::of(bytes, from, BLOCK_LEN)
    })?;
    (crc(&data) == sum).then_some(data)
}
