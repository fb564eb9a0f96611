//! Which texts are numbers, and how numbers are written.

use super::{DIGITS_MAX, digits_of, number_of};

#[test]
fn numbers_are_read_as_memcached_does() {
    let good: [(&[u8], u64); 6] = [
        (b"0", 0),
        (b"7", 7),
        (b"0012", 12),
        (b"18446744073709551615", u64::MAX),
        (b"99 ", 99),
        (b"99          ", 99),
    ];
    for (text, number) in good {
        assert_eq!(number_of(text), Some(number));
    }
}

#[test]
fn what_is_no_number_is_refused() {
    let bad: [&[u8]; 9] = [
        b"",
        b"   ",
        b"-1",
        b"+1",
        b" 1",
        b"1x",
        b"18446744073709551616",
        b"000000000000000000001",
        &[b'1', 0],
    ];
    for text in bad {
        assert_eq!(number_of(text), None, "{text:?}");
    }
}

#[test]
fn digits_are_those_of_the_standard_library() {
    for number in [0, 9, 10, 12_345, u64::MAX] {
        let mut buffer = [0; DIGITS_MAX];
        assert_eq!(
            digits_of(number, &mut buffer),
            number.to_string().as_bytes()
        );
    }
}
