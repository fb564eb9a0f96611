//! Tests of the plot's scale.

use super::*;

#[test]
fn the_scale_is_logarithmic_and_has_ends() {
    let (low, middle, high) = (y(0.1), y(1.0), y(10.0));
    assert!(low > middle && middle > high);
    assert!(((low - middle) - (middle - high)).abs() < 1e-9);
    assert_eq!(y(0.0), y(LOW_MS));
    assert_eq!(y(1e9), y(HIGH_MS));
    assert!((y(HIGH_MS) - TOP).abs() < 1e-9);
}

#[test]
fn a_run_that_saw_nothing_can_be_drawn() {
    let svg = svg(&[("nobody".into(), Timeline::default())]);
    assert!(svg.contains("nobody"));
    assert!(!svg.contains("NaN"));
}
