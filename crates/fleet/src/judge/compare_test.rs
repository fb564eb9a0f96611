//! Medians beside one's own figure, and limits.

use base::rng::Rng;

use super::*;

fn field(figures: &[f64]) -> Field {
    let mut field = Field::default();
    field.fill(figures.iter().copied());
    field
}

#[test]
fn the_median_of_the_others_is_what_sorting_the_others_gives() {
    let mut rng = Rng::new(1);
    for _ in 0..2000 {
        let count = 1 + rng.below(12) as usize;
        let mut figures: Vec<f64> = (0..count).map(|_| rng.below(8) as f64).collect();
        if rng.below(3) == 0 {
            figures[0] = f64::INFINITY;
        }
        let field = field(&figures);
        for own in 0..count {
            let mut others = figures.clone();
            let figure = others.remove(own);
            others.sort_unstable_by(f64::total_cmp);
            assert_eq!(
                field.median_beside(figure),
                middle(&others),
                "{figures:?} {own}"
            );
        }
    }
}

#[test]
fn who_is_not_in_the_field_is_beside_all() {
    assert_eq!(field(&[1.0, 2.0, 9.0]).median_beside(5.0), Some(2.0));
    assert_eq!(field(&[1.0]).median_beside(1.0), None);
    assert_eq!(field(&[]).median(), None);
}

#[test]
fn slow_is_several_times_as_much_and_a_noticeable_time_more() {
    let like = field(&[0.0002; 6]);
    assert!((like.limit(0.0002, 3.0, 0.0005) - 0.0007).abs() < 1e-9);
    let slower = field(&[0.002; 6]);
    assert!((slower.limit(0.002, 3.0, 0.0005) - 0.006).abs() < 1e-9);
}

#[test]
fn where_nodes_differ_by_nature_more_is_needed() {
    // Two data centres.
    let far = field(&[0.0002, 0.0002, 0.0002, 0.001, 0.001, 0.001]);
    let beside = far.median_beside(0.001).unwrap();
    assert!(far.limit(beside, 3.0, 0.0005) > 0.001);
}

#[test]
fn half_of_them_dead_make_the_living_no_exception() {
    let half = field(&[0.001, 0.001, f64::INFINITY, f64::INFINITY]);
    assert_eq!(half.median(), Some(0.001));
    assert_eq!(half.median_beside(f64::INFINITY), Some(0.001));
}
