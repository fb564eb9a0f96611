//! Growth over spans, at the beginning, and over a counter that was set back.

use super::*;

fn window(values: &[u64]) -> Window<u64> {
    let mut window = Window::new(Duration::from_secs(5));
    for (secs, value) in values.iter().enumerate() {
        window.push(Timestamp::from_secs(secs as u64), *value);
    }
    window
}

#[test]
fn growth_is_that_of_the_span() {
    let window = window(&[0, 100, 101, 102, 103, 104, 105, 106, 110]);
    assert_eq!(window.growth(|v| *v), (8, Duration::from_secs(5)));
    assert_eq!(window.last_growth(|v| *v), (4, Duration::from_secs(1)));
    assert_eq!(window.start(), Some(Timestamp::from_secs(3)));
    assert!(window.is_full());
}

#[test]
fn nothing_has_grown_at_first() {
    assert_eq!(window(&[]).growth(|v| *v), (0, Duration::ZERO));
    assert_eq!(window(&[7]).growth(|v| *v), (0, Duration::ZERO));
    assert_eq!(window(&[7]).last_growth(|v| *v), (0, Duration::ZERO));
    assert!(!window(&[7, 8]).is_full());
}

#[test]
fn a_counter_that_was_set_back_has_grown_by_what_it_is() {
    let window = window(&[1000, 3]);
    assert_eq!(window.last_growth(|v| *v).0, 3);
}
