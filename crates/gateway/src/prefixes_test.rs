//! Tests that prefixes are what memcached takes for one, and that their number is bounded.

use base::kv::{Arith, Expiry, Get};

use super::*;

#[test]
fn a_prefix_ends_at_the_first_colon() {
    for (key, prefix) in [
        (&b"user:1"[..], Some(&b"user"[..])),
        (b"user:1:name", Some(b"user")),
        (b":x", Some(b"")),
        (b"user:", Some(b"user")),
        (b"user", None),
        (b"a b:c", None),
        (b"a\r\nEND:c", None),
    ] {
        assert_eq!(prefix_of(key), prefix, "{key:?}");
    }
}

#[test]
fn touches_looks_and_sums_are_not_counted() {
    let get = Get::plain(b"a:1");
    let touch = Some(Expiry::NEVER);
    let gat = Get {
        touch,
        ..get.clone()
    };
    for (op, did) in [
        (Op::Get(get.clone()), Some(Did::Get)),
        (Op::Get(gat.clone()), Some(Did::Get)),
        (
            Op::Get(Get {
                value: false,
                ..gat
            }),
            None,
        ),
        (Op::Get(Get { peek: true, ..get }), None),
        (
            Op::Arith(Arith {
                key: b"a:1",
                delta: 1,
                decrement: false,
                initial: None,
                touch: None,
                expiry_before: false,
                compare_cas: None,
                new_cas: None,
            }),
            None,
        ),
    ] {
        assert_eq!(kind_of(&op), did, "{op:?}");
    }
    assert!(is_hit(Did::Get, Outcome::Hit) && !is_hit(Did::Get, Outcome::Miss));
}

#[test]
fn counts_are_lines_in_order_and_no_more_than_so_many() {
    let prefixes = PrefixCounts::default();
    for did in [Did::Get, Did::Get, Did::Hit, Did::Set, Did::Delete] {
        prefixes.note(b"b", did);
    }
    prefixes.note(b"a", Did::Set);
    assert_eq!(
        String::from_utf8(prefixes.dump()).unwrap(),
        "PREFIX a get 0 hit 0 set 1 del 0\r\nPREFIX b get 2 hit 1 set 1 del 1\r\n"
    );
    for number in 0..2 * PREFIXES_MAX {
        prefixes.note(number.to_string().as_bytes(), Did::Get);
    }
    prefixes.note(b"a", Did::Set);
    let dump = String::from_utf8(prefixes.dump()).unwrap();
    assert_eq!(dump.lines().count(), PREFIXES_MAX);
    assert!(dump.contains("PREFIX a get 0 hit 0 set 2 del 0"));
    prefixes.clear();
    assert!(prefixes.dump().is_empty());
}
