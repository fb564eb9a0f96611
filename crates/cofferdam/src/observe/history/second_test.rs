//! Looks that come a little early or late have a second each, and real gaps stay.

use super::*;

fn seconds(looks_ms: &[u64]) -> Vec<u64> {
    let mut seconds = Seconds::default();
    let start = Timestamp::from_secs(1000);
    let of = |ms: &u64| seconds.of(start + Duration::from_millis(*ms)) - 1000;
    looks_ms.iter().map(of).collect()
}

#[test]
fn late_looks_leave_no_gap_and_early_ones_take_no_other_s_place() {
    assert_eq!(seconds(&[950, 2010, 3000, 3990]), [0, 1, 2, 3]);
    assert_eq!(seconds(&[10, 990, 1980, 2990]), [0, 1, 2, 3]);
}

#[test]
fn many_looks_stay_beside_the_clock() {
    // A period of 1.03 s is that of a machine under load.
    let looks: Vec<u64> = (0..600).map(|n| n * 1030).collect();
    let seconds = seconds(&looks);
    for (look, second) in looks.iter().zip(&seconds) {
        assert!((look / 1000).abs_diff(*second) <= 2, "{look} {second}");
    }
    assert!(seconds.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_pause_is_a_gap() {
    assert_eq!(seconds(&[0, 1000, 5200, 6200]), [0, 1, 5, 6]);
}
