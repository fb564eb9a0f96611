//! Rates and shares, and that nothing is invented where nothing is known.

use super::*;

fn only(figures: Figures) -> f32 {
    assert_eq!(figures.all.len(), 1);
    figures.all[0].1
}

fn over(seconds: f64) -> Figures {
    Figures::over(Duration::from_secs_f64(seconds))
}

#[test]
fn growth_by_the_time_that_it_took() {
    let mut figures = over(2.0);
    figures.rate("x", Some(10), Some(30));
    assert_eq!(only(figures), 10.0);
    let mut figures = over(0.5);
    figures.share("x", Duration::from_secs(1), Duration::from_millis(1250));
    assert_eq!(only(figures), 0.5);
}

#[test]
fn a_count_that_began_anew_has_grown_by_what_it_has() {
    let mut figures = over(1.0);
    figures.rate("x", Some(1000), Some(7));
    assert_eq!(only(figures), 7.0);
}

#[test]
fn what_is_not_known_is_no_number() {
    for (before, now) in [(None, Some(3)), (Some(3), None), (None, None)] {
        let mut figures = over(1.0);
        figures.rate("x", before, now);
        assert!(only(figures).is_nan());
    }
    let mut figures = over(0.0);
    figures.rate("x", Some(1), Some(2));
    assert!(only(figures).is_nan());
    let mut figures = over(0.0);
    figures.share("x", Duration::ZERO, Duration::from_secs(1));
    assert!(only(figures).is_nan());
    let mut figures = over(1.0);
    figures.gauge("x", None);
    assert!(only(figures).is_nan());
}
