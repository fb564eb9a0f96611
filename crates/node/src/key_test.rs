//! Tests that no two pairs of key and epoch share a place.

use base::fleet::Epoch;
use base::kv::{KEY_LEN_MAX, Op};

use super::{StampedKey, with_key};

#[test]
fn another_epoch_or_key_is_another_place() {
    let stamped = |key: &[u8], epoch| StampedKey::new(key, Epoch(epoch)).as_bytes().to_vec();
    assert_ne!(stamped(b"k", 1), stamped(b"k", 2));
    assert_ne!(stamped(b"k", 1), stamped(b"l", 1));
    // What ends like a stamp is none.
    let tricky = [&b"k"[..], &Epoch(1).stamp()].concat();
    assert_ne!(stamped(b"k", 1), stamped(&tricky, 1));
    assert_eq!(stamped(&[7; KEY_LEN_MAX], u64::MAX).len(), 255);
}

#[test]
fn an_operation_keeps_all_but_its_key() {
    let get = base::kv::Get {
        peek: true,
        ..base::kv::Get::plain(b"key")
    };
    let other = base::kv::Get {
        peek: true,
        ..base::kv::Get::plain(b"other")
    };
    assert_eq!(with_key(&Op::Get(get), b"other"), Op::Get(other));
}
