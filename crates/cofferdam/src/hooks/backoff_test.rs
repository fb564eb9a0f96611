//! Tests that pauses grow, and that after a day nobody is tried any more.

use super::*;

#[test]
fn pauses_grow_and_a_day_is_enough() {
    let mut backoff = Backoff::default();
    let mut now = Timestamp::from_secs(1_000_000);
    let began = now;
    assert!(backoff.is_due(now));
    let mut waited = Vec::new();
    while backoff.failed(now) {
        let before = now;
        while !backoff.is_due(now) {
            now = now + Duration::from_secs(1);
        }
        waited.push(now.since(before).as_secs());
    }
    assert_eq!(waited[..8], [1, 5, 30, 120, 600, 1800, 3600, 3600]);
    assert!(
        now.since(began) >= PATIENCE && waited.len() < 40,
        "{}",
        waited.len()
    );
    backoff.reset();
    assert!(backoff.is_due(began));
}
