//! Tests of replies that wait, and of the sink.

use base::kv::{Expiry, Item, Outcome, Pin, Recache, Sink, Value};

use super::{OwnedReply, PinnedTail, ReplySink};
use crate::testing::NOW;
use crate::{Decoder, KeyBuf, Limits, Step};

/// The reply of the first request of `input`.
fn reply_to(input: &[u8]) -> OwnedReply {
    let limits = Limits { item_size_max: 100 };
    let mut key_buf = KeyBuf::new();
    match Decoder::new().decode(NOW, input, &limits, &mut key_buf) {
        Step::Request { request, .. } => request.reply.into_owned(),
        step => panic!("{step:?}"),
    }
}

fn item(value: Value<'_>) -> Item<'_> {
    Item {
        value,
        flags: 5,
        cas: 6,
        expiry: Expiry::NEVER,
        idle_s: 0,
        fetched: false,
        stale: false,
        recache: Recache::No,
    }
}

const PIN: Pin = Pin {
    token: 3,
    len: 70_000,
};

#[test]
fn a_pinned_value_is_left_to_be_appended() {
    for (request, head, tail) in [
        (&b"get key\r\n"[..], &b"VALUE key 5 70000\r\n"[..], "\r\n"),
        (b"gets key\r\n", b"VALUE key 5 70000 6\r\n", "\r\n"),
        (b"mg key v s\r\n", b"VA 70000 s70000\r\n", "\r\n"),
    ] {
        let owned = reply_to(request);
        let reply = owned.borrow();
        let mut out = Vec::new();
        let mut sink = ReplySink::new(&reply, NOW, &mut out);
        sink.item(&item(Value::Pinned(PIN)));
        let (pin, after) = sink.pinned.expect("a pin");
        assert_eq!((pin, after.as_bytes()), (PIN, tail.as_bytes()));
        reply.outcome(Outcome::Hit, &mut out);
        assert_eq!(out, head);
    }
}

#[test]
fn a_pinned_value_in_binary_has_no_tail() {
    let mut request = Vec::new();
    crate::client::binary::get(b"key", &mut request);
    let owned = reply_to(&request);
    let mut out = Vec::new();
    let tail = owned
        .borrow()
        .item(&item(Value::Pinned(PIN)), NOW, &mut out);
    assert_eq!(tail, Some(PinnedTail::NONE));
    assert_eq!(out.len(), 28);
    assert_eq!(&out[8..12], &70_004u32.to_be_bytes());
}

#[test]
fn a_value_that_is_not_wanted_is_not_appended() {
    for request in [&b"mg key s\r\n"[..], b"touch key 0\r\n", b"me key\r\n"] {
        let owned = reply_to(request);
        let reply = owned.borrow();
        let mut out = Vec::new();
        let mut sink = ReplySink::new(&reply, NOW, &mut out);
        sink.item(&item(Value::Pinned(PIN)));
        assert!(sink.pinned.is_none());
    }
}

#[test]
fn a_reply_that_waited_is_the_same() {
    let owned = reply_to(b"mg a2V5 b k O123 q\r\n");
    let mut out = Vec::new();
    owned.borrow().outcome(Outcome::NotStored, &mut out);
    assert_eq!(out, b"NS ka2V5 b O123\r\n");
    assert_eq!(owned.borrow().into_owned(), owned);
}
