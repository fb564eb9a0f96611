//! Tests of keys in base64.

use base::kv::KEY_LEN_MAX;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};

use super::{decode, push};
use crate::KeyBuf;

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(key in vec(any::<u8>(), 1..=187)) {
        let mut encoded = Vec::new();
        push(&key, &mut encoded);
        assert!(encoded.len() <= 252);
        let mut buf = KeyBuf::new();
        if encoded.len() <= KEY_LEN_MAX {
            assert_eq!(decode(&encoded, &mut buf), Some(&key[..]));
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(encoded in vec(any::<u8>(), 0..=KEY_LEN_MAX)) {
        decode(&encoded, &mut KeyBuf::new());
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    for encoded in [&b""[..], b"a", b"YQ", b"YQ=", b"Y Q=", b"====", b"YQ==YQ=="] {
        assert_eq!(decode(encoded, &mut KeyBuf::new()), None, "{encoded:?}");
    }
    assert_eq!(decode(b"YQ==", &mut KeyBuf::new()), Some(&b"a"[..]));
}

#[test]
fn the_longest_key_is_encoded() {
    let mut out = Vec::new();
    push(&[0xff; KEY_LEN_MAX], &mut out);
    assert_eq!(out.len(), 336);
}
