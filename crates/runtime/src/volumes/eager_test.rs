//! Who is waited for in vain is not waited for again and again.

use super::*;

#[test]
fn a_hasty_client_is_always_looked_for() {
    let mut eager = Eager::default();
    for _ in 0..10_000 {
        assert!(eager.looks());
        eager.found(true);
    }
}

#[test]
fn an_idle_client_costs_a_moment_now_and_then() {
    let mut eager = Eager::default();
    let mut looked = 0;
    for _ in 0..100 * TRY_EVERY {
        if eager.looks() {
            looked += 1;
            eager.found(false);
        }
    }
    assert_eq!(looked, 99 + VAIN_MAX);
}

#[test]
fn one_that_becomes_hasty_is_found_out() {
    let mut eager = Eager::default();
    for _ in 0..VAIN_MAX {
        assert!(eager.looks());
        eager.found(false);
    }
    let waits = (1..).find(|_| eager.looks()).unwrap();
    assert_eq!(waits, TRY_EVERY);
    eager.found(true);
    assert!((0..10).all(|_| eager.looks()));
}
