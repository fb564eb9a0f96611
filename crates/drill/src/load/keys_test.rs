//! Tests of `keys`.

use super::*;

#[test]
fn a_key_reads_back_as_its_number_even_after_a_longer_one() {
    let keys = Keys::new(1_000_000, 12);
    let mut buffer = KeyBuffer::new();
    assert_eq!(keys.write(999_999, &mut buffer), b"k00000999999");
    assert_eq!(keys.write(7, &mut buffer), b"k00000000007");
    for id in [0, 1, 10, 12_345, 999_999] {
        assert_eq!(keys.read(keys.write(id, &mut buffer)), Some(id));
    }
}

#[test]
fn what_is_not_a_key_of_ours_is_not_read() {
    let keys = Keys::new(100, 4);
    for foreign in [&b"k100"[..], b"k1", b"x001", b"k0a1", b"", b"k0011"] {
        assert_eq!(keys.read(foreign), None, "{foreign:?}");
    }
    let long = Keys::new(u64::MAX, 250);
    assert_eq!(long.read(&[b'9'; 250]), None);
    let mut overflow = [b'9'; 250];
    overflow[0] = b'k';
    assert_eq!(long.read(&overflow), None);
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    assert!(Keys::check(1, 1).is_err());
    assert!(Keys::check(1, 251).is_err());
    assert!(Keys::check(10, 2).is_ok());
    assert!(Keys::check(11, 2).is_err());
    assert!(Keys::check(u64::MAX, 21).is_ok());
}
