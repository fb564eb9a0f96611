//! Memory comes zeroed, or not at all.

use super::{zeroed, zeroed_words};

#[test]
fn memory_is_zero_and_writable() {
    let mut bytes = zeroed(4096).expect("a page");
    assert!(bytes.iter().all(|byte| *byte == 0));
    bytes[4095] = 7;
    let mut words = zeroed_words(1024).expect("a page");
    assert!(words.iter().all(|word| *word == 0));
    words[1023] = 7;
}

#[test]
fn what_cannot_be_had_is_refused() {
    assert!(zeroed(0).is_none());
    assert!(zeroed(usize::MAX).is_none());
    assert!(zeroed(isize::MAX as usize - 7).is_none());
    assert!(zeroed_words(usize::MAX / 4).is_none());
}
