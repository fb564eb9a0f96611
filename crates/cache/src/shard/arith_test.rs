//! Which texts are numbers, and how numbers are written.

use super::{DIGITS_MAX, digits_of, number_of};

/// Each was asked of memcached 1.6.18.
#[test]
fn numbers_are_read_as_memcached_does() {
    let good: [(&[u8], u64); 20] = [
        (b"0", 0),
        (b"7", 7),
        (b"0012", 12),
        (b"0000000000000000000000012", 12),
        (b"18446744073709551615", u64::MAX),
        (b"18446744073709551615 x", u64::MAX),
        (b"99 ", 99),
        (b"99          ", 99),
        (b" 12", 12),
        (b"+12", 12),
        (b" +12 ", 12),
        (b"\t\n\x0b\x0c\r 7", 7),
        (b"12 x", 12),
        (b"12 -", 12),
        (b"12\0abc", 12),
        (b"5\x0b", 5),
        (b"5\x0c3", 5),
        (b"-0", 0),
        (b"-18446744073709551615", 1),
        (b"9223372036854775808\0-", 1 << 63),
    ];
    for (text, number) in good {
        assert_eq!(number_of(text), Some(number), "{text:?}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    let bad: [&[u8]; 16] = [
        b"",
        b"   ",
        b"-",
        b"+",
        b"-1",
        b"-5 ",
        b"- 5",
        b"+-1",
        b"++1",
        b"1x",
        b"x1",
        b"18446744073709551616",
        b"111111111111111111111",
        b"-18446744073709551616",
        b"18446744073709551615 -",
        &[0, b'1'],
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
