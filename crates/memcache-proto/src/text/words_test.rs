//! Tests of lines and words.

use super::{Arguments, Line, Words};

#[test]
fn a_line_ends_with_either_end() {
    for (input, expected) in [
        (&b"a b\r\nc"[..], Some((&b"a b"[..], 5))),
        (b"a b\nc", Some((b"a b", 4))),
        (b"\n", Some((b"", 1))),
        (b"\r\n", Some((b"", 2))),
        (b"\r\r\n", Some((b"\r", 3))),
        (b"a", None),
        (b"a\r", None),
    ] {
        let line = match Line::of(input) {
            Line::Whole { text, consumed } => Some((text, consumed)),
            _ => None,
        };
        assert_eq!(line, expected, "{input:?}");
    }
}

#[test]
fn a_line_without_end_is_too_long_at_last() {
    assert!(matches!(Line::of(&[b'x'; 2048]), Line::Incomplete));
    assert!(matches!(Line::of(&[b'x'; 2049]), Line::TooLong));
}

#[test]
fn words_are_parted_by_spaces() {
    let words: Vec<_> = Words::of(b"  a  bc d ").collect();
    assert_eq!(words, [&b"a"[..], b"bc", b"d"]);
    assert_eq!(Words::of(b"   ").next(), None);
}

#[test]
fn arguments_keep_the_first_and_the_last() {
    let arguments = Arguments::of(b" 1 2 3 4 5 6 noreply");
    assert_eq!(arguments.count(), 7);
    assert_eq!(arguments.word(0), b"1");
    assert_eq!(arguments.word(4), b"5");
    assert_eq!(arguments.word(5), b"", "more than five are not kept");
    assert!(arguments.is_quiet());
    assert!(!Arguments::of(b"noreply 1").is_quiet());
}
