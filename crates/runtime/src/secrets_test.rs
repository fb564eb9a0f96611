//! Passwords have the bits they promise.

use std::collections::HashSet;

use super::*;

#[test]
fn passwords_hold_130_bits_and_no_space() {
    let password = password().unwrap();
    assert_eq!(password.len(), 26);
    assert!(password.bytes().all(|b| ALPHABET.contains(&b)));
}

#[test]
fn every_letter_of_the_alphabet_is_distinct_and_occurs() {
    let distinct: HashSet<_> = ALPHABET.iter().collect();
    assert_eq!(distinct.len(), 32);
    let seen: HashSet<_> = random_text(4096)
        .unwrap()
        .into_bytes()
        .into_iter()
        .collect();
    assert_eq!(seen.len(), 32);
}

#[test]
fn nothing_repeats() {
    assert_ne!(password().unwrap(), password().unwrap());
    assert_ne!(salt().unwrap(), salt().unwrap());
}

#[test]
fn a_signature_is_that_of_the_standard() {
    // RFC 4231, test case 2.
    let signature = sign(b"Jefe", b"what do ya want for nothing?");
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hex(&signature), expected);
}
