//! Tests of packets that carry a value.

use base::kv::INLINE_VALUE_LEN_MAX;

use crate::Limits;
use crate::client::Set;
use crate::client::binary as client;
use crate::testing::Server;

fn set(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let set = Set {
        key: b"a",
        value,
        flags: 1,
        exptime: 0,
    };
    client::set(&set, 0, &mut out);
    out
}

#[test]
fn a_large_value_comes_in_pieces() {
    let value = vec![b'v'; INLINE_VALUE_LEN_MAX + 1];
    let mut server = Server::new();
    let answer = server.talk_in_pieces(&set(&value), 777);
    assert_eq!(
        answer.len(),
        24,
        "stored, without anything behind the value"
    );
    assert!(server.kept_max < 100 && !server.decoder.is_mid_request());
    let mut input = Vec::new();
    client::get(b"a", &mut input);
    client::noop(&mut input);
    let answer = server.talk(&input);
    assert_eq!(answer.len(), 24 + 4 + value.len() + 24);
    assert_eq!(&answer[28..28 + value.len()], value);
}

#[test]
fn a_value_too_large_is_skipped_and_takes_the_old_item_with_it() {
    let mut server = Server::new();
    server.limits = Limits { item_size_max: 10 };
    server.talk(&set(b"x"));
    let mut input = set(&[b'x'; 11]);
    client::get(b"a", &mut input);
    client::noop(&mut input);
    let answer = server.talk_in_pieces(&input, 5);
    assert_eq!(&answer[6..8], [0, 3]);
    assert_eq!(&answer[24..34], b"Too large.");
    assert_eq!(&answer[34 + 6..34 + 8], [0, 1], "the old item is gone");
    assert_eq!(answer.len(), 34 + 24 + 9 + 24);
}
