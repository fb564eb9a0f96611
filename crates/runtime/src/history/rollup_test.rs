//! Means weigh by seconds, peaks are the greatest, and what is not known counts for nothing.

use super::*;

fn second(value: f32) -> Slot {
    Slot {
        time_s: 0,
        seconds: 1,
        means: vec![value],
        peaks: Vec::new(),
    }
}

fn rolled(slots: &[Slot]) -> Slot {
    let mut sum = Rollup::new(60);
    slots.iter().for_each(|slot| sum.add(slot));
    sum.into_slot().unwrap()
}

#[test]
fn seconds_make_a_mean_and_a_peak() {
    let slot = rolled(&[second(1.0), second(2.0), second(6.0)]);
    assert_eq!((slot.time_s, slot.seconds), (60, 3));
    assert_eq!((slot.means, slot.peaks), (vec![3.0], vec![6.0]));
}

#[test]
fn a_long_slot_weighs_more_than_a_short_one() {
    let long = Slot {
        seconds: 3,
        means: vec![10.0],
        peaks: vec![30.0],
        ..second(0.0)
    };
    let slot = rolled(&[long, second(2.0)]);
    assert_eq!((slot.means, slot.peaks), (vec![8.0], vec![30.0]));
}

#[test]
fn what_is_not_known_is_left_out() {
    let slot = rolled(&[second(f32::NAN), second(4.0)]);
    assert_eq!((slot.means, slot.peaks), (vec![4.0], vec![4.0]));
    let slot = rolled(&[second(f32::NAN)]);
    assert!(slot.means[0].is_nan() && slot.peaks[0].is_nan());
}

#[test]
fn a_name_that_came_later_counts_from_then_on() {
    let two = Slot {
        means: vec![1.0, 8.0],
        ..second(0.0)
    };
    assert_eq!(rolled(&[second(3.0), two]).means, [2.0, 8.0]);
}

#[test]
fn nothing_makes_no_slot() {
    assert_eq!(Rollup::new(60).into_slot(), None);
}
