//! Crashes by the hundred, each from a seed: nothing that was flushed is lost, nothing settled flips.

mod bulks;
mod damage_test;
pub(crate) mod disk;
mod past;
pub(crate) mod planted;
mod quiet;
mod rot_test;
mod sizes;
pub(crate) mod snapshots;
pub(crate) mod store;
mod syncs;
pub(crate) mod world;

use planted::Planted;
use sizes::Sizes;
use world::World;

use crate::crcs::Crcs;
use crate::record::data_offset;

/// How many seeds the ordinary run has.
const SEEDS: u64 = 500;

/// What one seed came to: what the checker said, or what could not be attached.
fn run(seed: u64, planted: Planted) -> (Option<String>, World) {
    run_in(World::new(seed, planted))
}

fn run_in(mut world: World) -> (Option<String>, World) {
    for life in 0..4 {
        let steps = 50 + world.rng.below(700);
        if let Some(fault) = world.between_lives() {
            return (Some(format!("before life {life}: {fault}")), world);
        }
        if let Some(fault) = world.live(steps).into_iter().next() {
            return (Some(format!("life {life}: {fault}")), world);
        }
    }
    (None, world)
}

#[test]
fn nothing_is_lost_over_500_seeds() {
    nothing_is_lost(0, SEEDS);
}

/// A root of an earlier attachment that came late, when what it named was deleted.
#[test]
fn seeds_that_once_failed() {
    // A root that was seen and not durable, when first the journal was lost and then the power.
    // A clone's own segment, in the row where its parent's of the same number had been.
    // A journal that ended before what segments had, with a snapshot's record still needed.
    // A large write of several records, between whose first and last a sync began.
    for seed in [3489, 4612, 2808, 504, 4798] {
        assert_eq!(run(seed, Planted::Nothing).0, None, "seed {seed}");
    }
}

#[test]
#[ignore = "takes minutes: run by night"]
fn nothing_is_lost_over_10_000_more() {
    // Cargo builds anew when it is another night.
    let night = option_env!("SIM_SEED").and_then(|night| night.parse().ok());
    let night: u64 = night.unwrap_or(0);
    let first = night.wrapping_mul(10_000).saturating_add(SEEDS);
    nothing_is_lost(first, 10_000);
}

fn nothing_is_lost(first: u64, count: u64) {
    let mut total = crate::Figures::default();
    let mut bulks = 0;
    for seed in first..first + count {
        let (fault, world) = run(seed, Planted::Nothing);
        assert_eq!(fault, None, "seed {seed}");
        if seed.is_multiple_of(4) {
            let sizes = Sizes::changing(seed / 4);
            let (fault, _) = run_in(World::sized(seed, Planted::Nothing, sizes));
            assert_eq!(fault, None, "seed {seed}, of changing length");
        }
        total.segments += world.total.segments;
        total.checkpoints += world.total.checkpoints;
        total.collected += world.total.collected;
        bulks += world.bulks_written;
    }
    // A run that packs, checkpoints or collects nothing would prove nothing of it.
    let enough = total.segments > 5 * count && total.checkpoints > count;
    assert!(enough && total.collected > count / 2, "{total:?}");
    assert!(bulks > 10 * count, "{bulks} bulks");
}

#[test]
fn planted_bugs_are_caught() {
    for planted in [
        Planted::NoFsync,
        Planted::EarlyAnswer,
        Planted::ReusedName,
        Planted::TornRecord,
        Planted::EarlySnapshot,
        Planted::Unpinned,
        Planted::UnsyncedBulk,
        Planted::TornBulk,
        Planted::LateSync,
    ] {
        let caught = (0..SEEDS).find(|seed| run(*seed, planted).0.is_some());
        assert!(caught.is_some(), "{planted:?} went unnoticed");
    }
}

/// Gives every record the checksums of what is there, so that torn ones pass for whole.
fn mend_records(bytes: &mut [u8]) {
    for start in (0..bytes.len()).step_by(512) {
        let record = &mut bytes[start..];
        let is_data = record.starts_with(b"CFJ1") && record[40] == 1;
        let blocks = u32::from(record[32]);
        let data = data_offset(blocks) as usize;
        let end = data + blocks as usize * crate::BLOCK_LEN;
        if !is_data || blocks > 16 || end > record.len() {
            continue;
        }
        for (index, sum) in Crcs::of(&record[data..end]).iter().enumerate() {
            record[64 + 4 * index..68 + 4 * index].copy_from_slice(&sum.to_le_bytes());
        }
        let sum = crate::bytes::crc(&record[8..data]);
        record[4..8].copy_from_slice(&sum.to_le_bytes());
    }
}
