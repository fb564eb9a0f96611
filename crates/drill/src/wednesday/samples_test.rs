//! Figures of stretches.

use super::*;

const MS: u64 = 1_000_000;

fn sample(at_ms: u64, took_ms: u64) -> Sample {
    Sample {
        at_ns: at_ms * MS,
        took_ns: took_ms * MS,
        lag_ns: 0,
        asked: 4,
        found: 3,
        is_lost: false,
        stale: 0,
    }
}

#[test]
fn a_stretch_has_what_was_to_be_sent_in_it() {
    let mut samples: Vec<Sample> = (0..200)
        .map(|at| sample(at, 1 + u64::from(at >= 195)))
        .collect();
    samples[7].is_lost = true;
    let all = Stretch::of(&samples, 0, 200 * MS);
    assert_eq!((all.requests, all.lost), (200, 1));
    assert!((all.p99_ms - 2.0).abs() < 1e-9 && (all.hit_ratio - 0.75).abs() < 1e-9);
    let early = Stretch::of(&samples, 0, 100 * MS);
    assert_eq!((early.requests, early.p99_ms), (100, 1.0));
    assert_eq!(Stretch::of(&samples, 300 * MS, 400 * MS).requests, 0);
}

#[test]
fn the_worst_half_second_is_found() {
    let mut samples: Vec<Sample> = (0..3000).map(|at| sample(at, 1)).collect();
    samples.iter_mut().for_each(|it| it.found = 4);
    for it in &mut samples[1000..1500] {
        it.found = 2;
    }
    let least = Stretch::hit_ratio_min(&samples, 0, 3000 * MS);
    assert!((least - 0.5).abs() < 1e-9, "{least}");
}
