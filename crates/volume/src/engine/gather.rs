//! Where in the journal the data is that segments need.

use crate::BLOCK_LEN;
use crate::overlay::Fresh;

/// Data of records that is this near is read at once, with what is between.
const GAP_LEN_MAX: u64 = 16 << 10;
/// The longest such read.
const READ_LEN_MAX: u64 = 1 << 20;

/// The stretches of the journal in which the data of `fresh` is.
pub(super) fn spans<'a>(fresh: impl Iterator<Item = &'a Fresh>, lap_len: u64) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let mut wanted: Vec<(u64, u64)> = fresh
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
