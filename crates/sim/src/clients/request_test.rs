//! Requests follow from their numbers.

use super::{Asker, Request, SHARED_KEYS};
use crate::clients::group::Mix;

fn asker(mix: &Mix) -> Asker<'_> {
    Asker {
        seed: 7,
        client: 3,
        epoch: 2,
        mix,
        value_len: 60,
    }
}

fn text(asker: Asker<'_>, n: u32) -> String {
    let mut out = Vec::new();
    asker.write(n, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_request_is_always_the_same() {
    let asker = asker(&Mix::MIXED);
    for n in 0..100 {
        assert_eq!(text(asker, n), text(asker, n));
    }
    let all: std::collections::BTreeSet<_> = (0..100).map(|n| text(asker, n)).collect();
    assert!(all.len() > 70);
    let other = Asker { epoch: 3, ..asker };
    assert!((0..100).any(|n| text(asker, n) != text(other, n)));
}

#[test]
fn kinds_come_by_weight() {
    let asker = asker(&Mix::MIXED);
    let mut counts = [0; 4];
    for n in 0..10_000 {
        let kind = match asker.request(n) {
            Request::GetShared(_) => 0,
            Request::GetOwn => 1,
            Request::SetOwn => 2,
            Request::DeleteOwn => 3,
        };
        counts[kind] += 1;
    }
    for (count, percent) in counts.into_iter().zip([70, 18, 10, 2]) {
        assert!((count - percent * 100i32).abs() < 200, "{counts:?}");
    }
}

#[test]
fn keys_are_as_many_as_asked_for() {
    let asker = asker(&Mix::MULTI_GETS);
    let Request::GetShared(keys) = asker.request(0) else {
        panic!("nothing else is in the mix");
    };
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.len(), 100);
    assert!(keys.iter().all(|key| *key < SHARED_KEYS));
    assert_eq!(text(asker, 0).matches(" s").count(), 100);
}

#[test]
fn values_name_who_stored_them() {
    let asker = asker(&Mix::MIXED);
    let n = (0..1000)
        .find(|n| matches!(asker.request(*n), Request::SetOwn))
        .unwrap();
    let mut value = Vec::new();
    asker.own_value(n, &mut value);
    assert_eq!(value.len(), 60);
    let value = String::from_utf8(value).unwrap();
    assert!(value.starts_with(&format!("o{:08x}{:08x}{n:08x}", 3, 2)));
    assert!(text(asker, n).starts_with("set o0000000300000002 0 0 60\r\no0000000300000002"));
    assert!(text(asker, n).ends_with("w\r\n"));
}
