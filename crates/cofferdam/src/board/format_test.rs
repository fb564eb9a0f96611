//! Numbers as they are shown.

use super::*;

#[test]
fn counts_and_sizes_have_three_digits() {
    let shown = |values: &[f32]| {
        values
            .iter()
            .map(|v| count(*v))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        shown(&[
            0.0, 0.25, 7.0, 42.5, 999.0, 1234.0, 12_345.0, 999_600.0, 2.5e6
        ]),
        "0 0.25 7 42.5 999 1.23k 12.3k 1.00M 2.50M"
    );
    assert_eq!(bytes(0.0), "0 B");
    assert_eq!(bytes(1536.0), "1.50 KiB");
    assert_eq!(bytes(67_108_864.0), "64 MiB");
}

#[test]
fn times_choose_their_unit() {
    assert_eq!(time(0.000_016_3), "16.3 µs");
    assert_eq!(time(0.0025), "2.50 ms");
    assert_eq!(time(0.2), "200 ms");
    assert_eq!(time(1.5), "1.50 s");
    assert_eq!(time(0.0), "0 µs");
}

#[test]
fn shares_are_percent() {
    assert_eq!(percent(0.0), "0 %");
    assert_eq!(percent(0.0004), "<0.1 %");
    assert_eq!(percent(0.973), "97.3 %");
    assert_eq!(percent(1.0), "100 %");
}

#[test]
fn ages_in_the_largest_unit_that_fits() {
    assert_eq!((age(59), age(60)), ("59 s".into(), "1 min".into()));
    assert_eq!(age(3661), "1 h 1 min");
    assert_eq!(age(400 * 86_400), "400 days");
}

#[test]
fn what_is_not_known_is_a_dash() {
    for shown in [
        count(f32::NAN),
        bytes(f32::INFINITY),
        percent(f32::NAN),
        time(f32::NAN),
    ] {
        assert_eq!(shown, DASH);
    }
}
