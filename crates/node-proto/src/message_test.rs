//! Tests that every message comes back as it was, by round trip and by golden bytes.

use std::time::Duration;

use base::TenantId;
use base::fleet::{Claim, Epoch, Slot};
use base::kv::{Expiry, Get, Op, Outcome, Store, StoreMode};
use base::rng::Rng;

use crate::testing::{Draw, bytes_of, read_in_pieces, told};
use crate::{Message, Piece, Reply, Request, RequestId, Verdict};

const ID: RequestId = RequestId {
    slot: 0x0102_0304,
    generation: 0x0506_0708,
};

fn claim(epoch: u64, slot: u16) -> Claim {
    Claim {
        slot: Slot::new(slot).unwrap(),
        epoch: Epoch(epoch),
        vouched: epoch > 0,
    }
}

#[test]
fn every_message_comes_back_as_it_was() {
    for seed in 0..3000 {
        let mut rng = Rng::new(seed);
        let message = Draw::new(&mut rng).message();
        let read = read_in_pieces(&bytes_of(&message), usize::MAX);
        assert_eq!(read, Ok(vec![told(&message)]), "seed {seed}");
    }
}

#[test]
fn a_get_is_these_bytes() {
    let request = Request {
        id: ID,
        tenant: TenantId(9),
        budget: Duration::from_millis(20),
        claim: claim(3, 4095),
        op: Op::Get(Get::plain(b"key")),
        large_len: None,
    };
    let golden = [
        &[39, 0, 0, 0, 2, 1, 3, 0][..],
        &[4, 3, 2, 1, 8, 7, 6, 5],
        &[9, 0, 0, 0],
        &[0x20, 0x4e, 0, 0],
        &[3, 0, 0, 0, 0, 0, 0, 0],
        &[0xff, 0x8f],
        &[1, 0],
        b"key",
    ];
    assert_eq!(bytes_of(&Message::Request(request)), golden.concat());
}

#[test]
fn a_store_is_these_bytes() {
    let request = Request {
        id: ID,
        tenant: TenantId(1),
        budget: Duration::from_micros(1),
        claim: claim(0, 1),
        op: Op::Store(Store {
            key: b"k",
            value: b"value",
            flags: 5,
            expiry: Expiry::at_unix_secs(7),
            mode: StoreMode::Append,
            compare_cas: Some(8),
            new_cas: None,
            invalidate: true,
            vivify: None,
        }),
        large_len: None,
    };
    let golden = [
        &[58, 0, 0, 0, 2, 2, 1, 3][..],
        &[4, 3, 2, 1, 8, 7, 6, 5],
        &[1, 0, 0, 0],
        &[1, 0, 0, 0],
        &[0; 8],
        &[1, 0],
        &[0b101, 0],
        &[8, 0, 0, 0, 0, 0, 0, 0],
        &[5, 0, 0, 0],
        &[7, 0, 0, 0],
        b"kvalue",
    ];
    assert_eq!(bytes_of(&Message::Request(request)), golden.concat());
}

#[test]
fn a_miss_is_these_bytes() {
    let reply = Reply {
        id: ID,
        epoch: Epoch(258),
        queued: Duration::from_nanos(1000),
        served: Duration::from_nanos(200),
        verdict: Verdict::Done(Outcome::Miss),
        payload: None,
    };
    let golden = [
        &[32, 0, 0, 0, 3, 1, 0, 0][..],
        &[4, 3, 2, 1, 8, 7, 6, 5],
        &[2, 1, 0, 0, 0, 0, 0, 0],
        &[0xe8, 3, 0, 0],
        &[200, 0, 0, 0],
    ];
    assert_eq!(bytes_of(&Message::Reply(reply)), golden.concat());
}

#[test]
fn the_last_piece_of_a_value_is_these_bytes() {
    let piece = Piece {
        id: ID,
        bytes: b"abc",
        is_last: true,
        is_broken: false,
    };
    let golden = [
        &[19, 0, 0, 0, 4, 0, 1, 0][..],
        &[4, 3, 2, 1, 8, 7, 6, 5],
        b"abc",
    ];
    assert_eq!(bytes_of(&Message::Piece(piece)), golden.concat());
}

#[test]
fn a_time_that_is_too_long_for_its_field_is_the_longest_there_is() {
    let reply = Reply {
        id: ID,
        epoch: Epoch(0),
        queued: Duration::from_secs(60),
        served: Duration::ZERO,
        verdict: Verdict::Late,
        payload: None,
    };
    let bytes = bytes_of(&Message::Reply(reply));
    assert_eq!(bytes[24..28], [0xff; 4]);
}

#[test]
fn a_budget_is_changed_in_place() {
    let request = |budget| {
        bytes_of(&Message::Request(Request {
            id: ID,
            tenant: TenantId(9),
            budget,
            claim: claim(1, 1),
            op: Op::Get(Get::plain(b"key")),
            large_len: None,
        }))
    };
    let mut frame = request(Duration::from_millis(20));
    super::set_budget(&mut frame, Duration::from_millis(3));
    assert_eq!(frame, request(Duration::from_millis(3)));
}

#[test]
fn an_id_is_one_number() {
    assert_eq!(ID.to_bits(), 0x0506_0708_0102_0304);
    assert_eq!(RequestId::from_bits(ID.to_bits()), ID);
}
