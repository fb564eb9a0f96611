//! What is guessed of requests, whole ones, cut ones and nonsense.

use proptest::prelude::*;

use super::peek_keys;

fn keys(input: &[u8]) -> Vec<&[u8]> {
    peek_keys(input).collect()
}

#[test]
fn text_requests_name_their_keys() {
    let cases: [(&[u8], &[&[u8]]); 12] = [
        (b"get a\r\n", &[b"a"]),
        (b"gets a  bb ccc\r\nget d\r\n", &[b"a", b"bb", b"ccc"]),
        (b"gat 10 a b\r\n", &[b"a", b"b"]),
        (b"gats 10\r\n", &[]),
        (b"set a 0 0 1\r\nx\r\n", &[b"a"]),
        (b"mg a v\r\n", &[b"a"]),
        (b"delete a\n", &[b"a"]),
        (b"mn\r\n", &[]),
        (b"quit", &[]),
        (b"get", &[]),
        (b"\r\nget a\r\n", &[]),
        (b"", &[]),
    ];
    for (input, expected) in cases {
        assert_eq!(
            keys(input),
            expected,
            "{:?}",
            input.escape_ascii().to_string()
        );
    }
}

#[test]
fn binary_requests_name_theirs() {
    let mut set = vec![0x80, 1, 0, 3, 8, 0, 0, 0, 0, 0, 0, 12];
    set.resize(24 + 8, 0);
    set.extend_from_slice(b"abcx");
    assert_eq!(keys(&set), [b"abc"]);
    assert!(keys(&set[..34]).is_empty());
    assert!(keys(&set[..3]).is_empty());
}

#[test]
fn no_key_is_longer_than_a_key() {
    let long = [b"get ".as_slice(), &[b'k'; 251], b" a\r\n"].concat();
    assert!(keys(&long).is_empty());
}

proptest! {
    #[test]
    fn anything_may_come(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        for key in peek_keys(&input) {
            prop_assert!((1..=250).contains(&key.len()));
        }
    }
}
