//! What is remembered of evicted keys, and how seldom it is wrong.

use super::Ghost;
use base::rng::Rng;

fn bits(number: u64) -> (u32, u16) {
    let word = Rng::new(number).next_u64();
    ((word >> 32) as u32, word as u16)
}

#[test]
fn without_memory_nothing_is_remembered() {
    let mut ghost = Ghost::default();
    ghost.insert(bits(1));
    assert!(!ghost.take(bits(1)));
    assert_eq!(ghost.bytes(), 0);
    assert!(ghost.is_unfit_for(10));
}

#[test]
fn a_key_is_remembered_once() {
    let mut ghost = Ghost::default();
    ghost.resize(100);
    ghost.insert(bits(1));
    assert!(!ghost.take(bits(2)));
    assert!(ghost.take(bits(1)));
    assert!(!ghost.take(bits(1)));
}

#[test]
fn the_latest_are_remembered_and_few_mistaken() {
    let mut ghost = Ghost::default();
    ghost.resize(10_000);
    assert_eq!(ghost.bytes(), Ghost::bytes_for(10_000));
    (0..40_000).for_each(|number| ghost.insert(bits(number)));
    let late = (38_000..40_000)
        .filter(|number| ghost.take(bits(*number)))
        .count();
    assert!(late > 1990, "{late} of the last 2,000");
    let early = (0..20_000)
        .filter(|number| ghost.take(bits(*number)))
        .count();
    assert!(early < 100, "{early} of those long gone");
    let strangers = (100_000..150_000)
        .filter(|number| ghost.take(bits(*number)))
        .count();
    assert!(strangers < 30, "{strangers} strangers");
}

#[test]
fn it_fits_until_the_number_of_keys_is_another() {
    let mut ghost = Ghost::default();
    ghost.resize(1000);
    assert!(!ghost.is_unfit_for(1000));
    assert!(!ghost.is_unfit_for(1900));
    assert!(ghost.is_unfit_for(2100));
    assert!(ghost.is_unfit_for(200));
}
