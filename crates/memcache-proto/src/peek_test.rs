//! What is guessed of requests, whole ones, cut ones and nonsense.

use proptest::prelude::*;

use super::peek_keys;
use crate::testing::NOW;
use crate::{Decoder, KeyBuf, Limits, Step};

fn keys(input: &[u8]) -> Vec<&[u8]> {
    peek_keys(input).collect()
}

#[test]
fn text_requests_name_their_keys() {
    let cases: [(&[u8], &[&[u8]]); 17] = [
        (b"get a\r\n", &[b"a"]),
        (b"gets a  bb ccc\r\nget d\r\n", &[b"a", b"bb", b"ccc", b"d"]),
        (b"get a\r\nmn\r\nmg b v\r\nget c", &[b"a", b"b", b"c"]),
        (b"set a 0 0 7\r\nget no\n\r\nget b\r\n", &[b"a", b"b"]),
        (
            b"ms a 6 T0\r\nget no\r\ncas b 0 0 1 7\r\nx\r\n",
            &[b"a", b"b"],
        ),
        (b"set a 0 0 4294967295\r\nx", &[b"a"]),
        (b"set a 0 0 x\r\nget b\r\n", &[b"a", b"b"]),
        (b"gat 10 a b\r\n", &[b"a", b"b"]),
        (b"gats 10\r\n", &[]),
        (b"set a 0 0 1\r\nx\r\n", &[b"a"]),
        (b"mg a v\r\n", &[b"a"]),
        (b"delete a\n", &[b"a"]),
        (b"mn\r\n", &[]),
        (b"quit", &[]),
        (b"get", &[]),
        (b"\r\nget a\r\n", &[b"a"]),
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
    let noop = [&[0x80, 10], [0; 22].as_slice()].concat();
    assert_eq!(keys(&[&noop, &*set, &*set].concat()), [b"abc", b"abc"]);
    assert!(keys(&set[..34]).is_empty());
    assert!(keys(&set[..3]).is_empty());
}

#[test]
fn no_key_is_longer_than_a_key() {
    let long = [b"get ".as_slice(), &[b'k'; 251], b" a\r\n"].concat();
    assert!(keys(&long).is_empty());
}

/// A batch of pipelined requests, half of them with values.
#[test]
fn a_pipeline_names_the_keys_of_all_its_requests() {
    let mut input = Vec::new();
    for number in 0..64 {
        input.extend(format!("get key{number}\r\n").bytes());
        input.extend(format!("set key{number} 0 0 10\r\n0123456789\r\n").bytes());
    }
    let expected = (0..128).map(|number| format!("key{}", number / 2).into_bytes());
    assert!(peek_keys(&input).map(<[u8]>::to_vec).eq(expected));
}

proptest! {
    #[test]
    fn anything_may_come(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        for key in peek_keys(&input) {
            prop_assert!((1..=250).contains(&key.len()));
        }
    }
}

#[test]
fn in_the_middle_of_a_list_the_rest_of_it_is_named() {
    let (mut decoder, mut key_buf) = (Decoder::new(), KeyBuf::new());
    let limits = Limits {
        item_size_max: 1000,
    };
    let input = b"get a b c\r\nget d\r\n";
    assert!(decoder.peek_keys(input).eq([b"a", b"b", b"c", b"d"]));
    let step = decoder.decode(NOW, input, &limits, &mut key_buf);
    let Step::Request { consumed, .. } = step else {
        panic!("{step:?}");
    };
    assert!(decoder.peek_keys(&input[consumed..]).eq([b"b", b"c", b"d"]));
    decoder.abandon();
    assert_eq!(decoder.peek_keys(&input[consumed..]).count(), 0);
}
