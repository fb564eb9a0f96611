//! Tests that sides which know different figures understand each other.

use base::kv::Stats;

use super::{decode, encode};
use crate::wire::{Fields, kind};

#[test]
fn each_figure_has_its_place() {
    let mut bytes = Vec::new();
    let mut stats = Stats::default();
    for (number, place) in stats.figures_mut().into_iter().enumerate() {
        *place = number as u64 + 1;
    }
    encode(&stats, &mut bytes);
    let read = decode(&mut Fields::of(kind::STATS, &bytes)).unwrap();
    assert_eq!(read, stats);
    assert_eq!(read.curr_items, 1);
}

#[test]
fn fewer_figures_and_more_are_understood() {
    let mut bytes = Vec::new();
    encode(&Stats::default(), &mut bytes);
    let more = Stats::COUNT as u16 + 1;
    bytes[..2].copy_from_slice(&more.to_le_bytes());
    bytes.extend([9; 8]);
    assert_eq!(
        decode(&mut Fields::of(kind::STATS, &bytes)),
        Ok(Stats::default())
    );
    let fewer = [[1, 0].as_slice(), &[5, 0, 0, 0, 0, 0, 0, 0]].concat();
    let read = decode(&mut Fields::of(kind::STATS, &fewer)).unwrap();
    assert_eq!((read.curr_items, read.bytes), (5, 0));
    assert!(decode(&mut Fields::of(kind::STATS, &fewer[..9])).is_err());
}
