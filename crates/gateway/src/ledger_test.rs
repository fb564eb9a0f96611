//! Tests that replies keep the order of their requests, whenever answers come.

use base::kv::{Pin, Value};
use base::rng::Rng;
use memcache_proto::PinnedTail;

use super::{ENTRIES_MAX, Held, Ledger, Ledgers};

fn answered(ledger: &mut Ledger, number: u32, out: &mut Vec<u8>, text: &[u8]) -> Option<Held> {
    ledger.answer(number, true, out, |out| {
        out.extend_from_slice(text);
        None
    })
}

#[test]
fn a_ledger_that_is_given_back_serves_the_next_session() {
    let mut ledgers = Ledgers::default();
    let (first, second) = (ledgers.begin(), ledgers.begin());
    assert_ne!(first, second);
    ledgers.of(Some(first)).unwrap().wait(&mut Vec::new());
    ledgers.end(first);
    let again = ledgers.begin();
    assert_eq!(again, first);
    assert!(ledgers.of(Some(again)).unwrap().is_empty());
    assert!(ledgers.of(None).is_none());
}

#[test]
fn what_was_written_before_the_first_wait_goes_at_once() {
    let (mut ledger, mut out) = (Ledger::default(), b"others'".to_vec());
    ledger.begin_turn(&out);
    let first = ledger.wait(&mut out);
    out.extend_from_slice(b"END");
    let second = ledger.wait(&mut out);
    out.extend_from_slice(b"VERSION");
    ledger.seal(&mut out);
    assert_eq!(out, b"others'");
    assert!(answered(&mut ledger, second, &mut out, b"2").is_none());
    assert_eq!(out, b"others'");
    assert!(answered(&mut ledger, first, &mut out, b"1").is_none());
    assert_eq!(out, b"others'1END2VERSION");
    assert!(ledger.is_empty());
}

#[test]
fn a_value_that_follows_in_pieces_holds_up_what_is_behind_it() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let pin = Pin { token: 7, len: 9 };
    let tail = tail();
    let (large, small) = (ledger.wait(&mut out), ledger.wait(&mut out));
    answered(&mut ledger, small, &mut out, b"small");
    let held = ledger.answer(large, true, &mut out, |out| {
        out.extend_from_slice(b"large:");
        Some((pin, tail))
    });
    assert_eq!((held, &out[..]), (Some((pin, tail)), &b"large:"[..]));
    // Once the value is out the rest follows.
    assert!(ledger.drain(&mut out).is_none());
    assert_eq!(out, b"large:small");
}

#[test]
fn while_a_value_goes_out_answers_wait() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let number = ledger.wait(&mut out);
    let held = ledger.answer(number, false, &mut out, |out| {
        out.push(b'x');
        Some((Pin { token: 1, len: 1 }, tail()))
    });
    assert!(held.is_none() && out.is_empty());
    assert_eq!(ledger.held().count(), 1);
    assert!(ledger.drain(&mut out).is_some());
    assert_eq!(out, b"x");
}

#[test]
fn random_orders_of_answers_give_one_order_of_replies() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (mut ledger, mut sent, mut expected) = (Ledger::default(), Vec::new(), Vec::new());
        let mut open: Vec<(u32, Vec<u8>)> = Vec::new();
        for step in 0..200u32 {
            let text = format!("<{step}>").into_bytes();
            match rng.below(3) {
                0 => {
                    let mut out = Vec::new();
                    ledger.begin_turn(&out);
                    open.push((ledger.wait(&mut out), text.clone()));
                    ledger.seal(&mut out);
                    sent.extend(out);
                    expected.extend(text);
                }
                1 => {
                    let mut out = Vec::new();
                    ledger.begin_turn(&out);
                    out.extend_from_slice(&text);
                    if !ledger.is_empty() {
                        ledger.seal(&mut out);
                    }
                    sent.extend(out);
                    expected.extend(text);
                }
                _ if !open.is_empty() => {
                    let at = rng.below(open.len() as u64) as usize;
                    let (number, text) = open.swap_remove(at);
                    answered(&mut ledger, number, &mut sent, &text);
                }
                _ => {}
            }
            assert!(expected.starts_with(&sent), "seed {seed}");
        }
        for (number, text) in open {
            answered(&mut ledger, number, &mut sent, &text);
        }
        assert_eq!(sent, expected, "seed {seed}");
        assert!(ledger.is_empty());
    }
}

#[test]
fn a_ledger_is_full_and_has_room_again() {
    let (mut ledger, mut out) = (Ledger::default(), Vec::new());
    let numbers: Vec<u32> = (0..ENTRIES_MAX).map(|_| ledger.wait(&mut out)).collect();
    assert!(ledger.is_full() && !ledger.has_room());
    for number in &numbers[..ENTRIES_MAX / 2] {
        answered(&mut ledger, *number, &mut out, b".");
    }
    assert!(!ledger.is_full() && ledger.has_room());
    ledger.clear();
    assert!(ledger.is_empty() && ledger.literals.is_empty());
    // Behind a value in pieces nothing goes before it is answered.
    ledger.begin_turn(&out);
    let number = ledger.wait(&mut out);
    ledger.bar();
    assert!(ledger.is_full() && !ledger.has_room());
    answered(&mut ledger, number, &mut out, b".");
    assert!(ledger.has_room());
}

/// A tail, as a reply gives it.
fn tail() -> PinnedTail {
    let mut out = Vec::new();
    let mut decoder = memcache_proto::Decoder::new();
    let mut key_buf = memcache_proto::KeyBuf::new();
    let limits = memcache_proto::Limits { item_size_max: 1 };
    let now = base::Timestamp::from_secs(1);
    let step = decoder.decode(now, b"get k\r\n", &limits, &mut key_buf);
    let memcache_proto::Step::Request { request, .. } = step else {
        panic!("{step:?}");
    };
    let item = base::kv::Item {
        value: Value::Pinned(Pin { token: 7, len: 9 }),
        flags: 0,
        cas: 1,
        expiry: base::kv::Expiry::NEVER,
        idle_s: 0,
        fetched: false,
        stale: false,
        recache: base::kv::Recache::No,
    };
    request.reply.item(&item, now, &mut out).unwrap()
}
