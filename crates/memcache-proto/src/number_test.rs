//! Tests of the decimal numbers.

use proptest::prelude::{any, proptest};

use super::{Digits, Tail, parse_i32, parse_i64, parse_u32, parse_u64, push};

proptest! {
    #[test]
    fn what_is_written_is_read(number in any::<u64>(), shift in 0u32..64) {
        let number = number >> shift;
        let mut out = Vec::new();
        push(&mut out, number);
        assert_eq!(out, number.to_string().as_bytes());
        assert_eq!(Digits::of(number).as_bytes(), out);
        assert_eq!(parse_u64(&out), Some(number));
        assert_eq!(parse_u32(&out), u32::try_from(number).ok());
    }

    #[test]
    fn a_tail_holds_three(a in any::<u32>(), b in any::<u64>(), c in any::<u64>()) {
        let mut tail = Tail::new();
        for number in [u64::from(a), b, c] {
            tail.push(number);
        }
        assert_eq!(tail.finish(), format!(" {a} {b} {c}\r\n").as_bytes());
    }

    #[test]
    fn signs_are_read(number in any::<i32>()) {
        assert_eq!(parse_i32(number.to_string().as_bytes()), Some(number));
    }

    #[test]
    fn any_bytes_agree_with_the_standard_library(text in "[0-9+-]{0,22}") {
        let expected = if text.starts_with('+') { None } else { text.parse::<u64>().ok() };
        if text.len() <= 20 {
            assert_eq!(parse_u64(text.as_bytes()), expected);
        }
    }
}

#[test]
fn a_tail_has_room_for_the_longest_and_no_more() {
    assert_eq!(Tail::new().finish(), b"\r\n");
    let mut tail = Tail::new();
    for _ in 0..3 {
        tail.push(u64::MAX);
    }
    let longest = format!(" {0} {0} {0}\r\n", u64::MAX);
    assert_eq!(tail.finish(), longest.as_bytes());
    for more in [1, u64::MAX] {
        tail.push(more);
        assert_eq!(tail.finish(), longest.as_bytes());
    }
}

#[test]
fn edges() {
    for (number, text) in [(0, "0"), (9, "9"), (10, "10"), (99, "99"), (100, "100")] {
        let mut out = Vec::new();
        push(&mut out, number);
        assert_eq!(out, text.as_bytes());
    }
    assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_u64(b"18446744073709551616"), None);
    assert_eq!(parse_u64(b"0000000000000000000000012"), Some(12));
    assert_eq!(parse_u64(b"99999999999999999999999"), None);
    assert_eq!(parse_u64(b""), None);
    assert_eq!(parse_i32(b"-"), None);
    assert_eq!(parse_i32(b"--1"), None);
    assert_eq!(parse_i32(b"-2147483648"), Some(i32::MIN));
    assert_eq!(parse_i32(b"-2147483649"), None);
    assert_eq!(parse_i32(b"2147483648"), None);
    assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
    assert_eq!(parse_i64(b"+9223372036854775807"), Some(i64::MAX));
    assert_eq!(parse_i64(b"-9223372036854775809"), None);
    assert_eq!(parse_i64(b"9223372036854775808"), None);
    assert_eq!(parse_i64(b"-0"), Some(0));
    for text in [&b"+"[..], b"-", b"+-1", b"", b"1x"] {
        assert_eq!(parse_i64(text), None);
    }
}
