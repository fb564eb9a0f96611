//! A tenant's figures: their number, then each of them, in an order that only grows.

use base::kv::Stats;

use crate::Malformed;
use crate::wire::{Fields, Put};

pub(crate) fn encode(stats: &Stats, out: &mut Vec<u8>) {
    out.put_u16(Stats::COUNT as u16);
    for number in stats.figures() {
        out.put_u64(number);
    }
}

/// Reads as many figures as there are: an older side knows fewer, a newer one more.
pub(crate) fn decode(fields: &mut Fields<'_>) -> Result<Stats, Malformed> {
    let count = fields.u16()?;
    let mut stats = Stats::default();
    let mut places = stats.figures_mut();
    for index in 0..usize::from(count) {
        let number = fields.u64()?;
        if let Some(place) = places.get_mut(index) {
            **place = number;
        }
    }
    Ok(stats)
}

#[cfg(test)]
#[path = "stats_test.rs"]
mod tests;
