//! Tests that what the client encodes is what the server decodes, and back again.

use base::Timestamp;
use base::kv::{Op, Store};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};

use super::{Protocol, Set};
use crate::{Action, Decoder, KeyBuf, Limits, Step};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LIMITS: Limits = Limits {
    item_size_max: 1 << 20,
};

/// Encodes the request again from what was decoded.
fn again(protocol: Protocol, op: &Op<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match op {
        Op::Get(get) => protocol.get(get.key, &mut out),
        Op::Store(store) => protocol.set(&set_of(store), &mut out),
        Op::Delete(delete) => protocol.delete(delete.key, &mut out),
        Op::Arith(arith) => super::text::incr(arith.key, arith.delta, &mut out),
    }
    out
}

fn set_of<'a>(store: &Store<'a>) -> Set<'a> {
    Set {
        key: store.key,
        value: store.value,
        flags: store.flags,
        exptime: store.expiry.unix_secs(),
    }
}

fn assert_comes_back(protocol: Protocol, input: &[u8]) {
    let mut key_buf = KeyBuf::new();
    let step = Decoder::new().decode(NOW, input, &LIMITS, &mut key_buf);
    let Step::Request { consumed, request } = step else {
        panic!("{step:?}");
    };
    let Action::Kv(op) = request.action else {
        panic!("{request:?}");
    };
    if !matches!(op, Op::Get(_)) {
        assert_eq!(consumed, input.len());
    }
    assert_eq!(again(protocol, &op), input);
}

/// Never, or a Unix time that text can carry: what does not change on its way through an expiry.
fn exptime() -> impl Strategy<Value = u32> {
    prop_oneof![0..=0u32, 1_800_000_001..=i32::MAX as u32]
}

proptest! {
    #[test]
    fn requests_come_back(
        protocol in prop_oneof![0..3u8],
        key in "[!-~]{1,250}",
        value in vec(any::<u8>(), 0..300),
        flags in any::<u32>(),
        exptime in exptime(),
    ) {
        let protocol = [Protocol::Text, Protocol::Meta, Protocol::Binary][usize::from(protocol)];
        let key = key.as_bytes();
        let mut input = Vec::new();
        protocol.get(key, &mut input);
        assert_comes_back(protocol, &input);
        input.clear();
        protocol.set(&Set { key, value: &value, flags, exptime }, &mut input);
        assert_comes_back(protocol, &input);
        input.clear();
        protocol.delete(key, &mut input);
        assert_comes_back(protocol, &input);
    }

    #[test]
    fn increments_come_back(key in "[!-~]{1,250}", delta in any::<u64>()) {
        let mut input = Vec::new();
        super::text::incr(key.as_bytes(), delta, &mut input);
        assert_comes_back(Protocol::Text, &input);
    }
}
