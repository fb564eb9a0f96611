//! Sessions through whole turns: what they answer and what they hold.

use base::{Rights, TenantId};

use crate::TurnEnd;
use crate::testing::{NOW, admit, ask, shard, text};

#[test]
fn a_value_that_was_set_is_got() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    assert_eq!(text(&mut shard, id, "set a 5 0 3\r\nabc\r\n"), "STORED\r\n");
    assert_eq!(
        text(&mut shard, id, "get a b\r\nget b\r\n"),
        "VALUE a 5 3\r\nabc\r\nEND\r\nEND\r\n"
    );
}

#[test]
fn every_split_of_the_input_gives_the_same_answer() {
    let input = b"set a 5 0 3\r\nabc\r\nget a b\r\nmg a v t\r\nmn\r\ndelete a\r\n";
    let mut whole = shard();
    let id = admit(&mut whole, 1, Rights::ALL, 0);
    let expected = ask(&mut whole, id, input);
    for at in 0..input.len() {
        let mut shard = shard();
        let id = admit(&mut shard, 1, Rights::ALL, 0);
        let mut answer = ask(&mut shard, id, &input[..at]);
        answer.extend(ask(&mut shard, id, &input[at..]));
        assert_eq!(answer, expected, "split at {at}");
    }
}

#[test]
fn meta_commands_are_counted_beside_the_operations() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    text(&mut shard, id, "mg a v\r\nget a\r\nms a 1\r\nx\r\n");
    assert!(text(&mut shard, id, "stats\r\n").contains("STAT cmd_meta 2\r\n"));
}

#[test]
fn a_deep_pipeline_is_served_in_bounded_turns() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let pipeline = "get a\r\n".repeat(1000);
    let mut out = Vec::new();
    assert_eq!(
        shard.turn(NOW, id, pipeline.as_bytes(), &mut out),
        TurnEnd::MoreToDo
    );
    assert!(out.len() <= 64 * "END\r\n".len());
    assert_eq!(shard.input_len_wanted(id), 0);
    while shard.turn(NOW, id, b"", &mut out) == TurnEnd::MoreToDo {}
    assert_eq!(out, "END\r\n".repeat(1000).as_bytes());
    assert!(shard.input_len_wanted(id) > 0);
}

#[test]
fn output_of_a_turn_is_bounded_however_much_is_asked_for() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let value = "v".repeat(60 * 1024);
    text(
        &mut shard,
        id,
        &format!("set a 0 0 {}\r\n{value}\r\n", value.len()),
    );
    let keys = " a".repeat(1000);
    let mut out = Vec::new();
    let end = shard.turn(NOW, id, format!("get{keys}\r\n").as_bytes(), &mut out);
    assert_eq!(end, TurnEnd::MoreToDo);
    assert!(out.len() < 130 * 1024);
}

#[test]
fn a_large_value_crosses_in_pieces_both_ways() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let value: String = (0..3_000_000u32)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .collect();
    let set = format!("set big 9 0 {}\r\n{value}\r\nget small\r\n", value.len());
    assert_eq!(text(&mut shard, id, &set), "STORED\r\nEND\r\n");
    for request in ["get big small\r\nmn\r\n", "get big\r\nmn\r\n"] {
        let got = text(&mut shard, id, request);
        let expected = format!("VALUE big 9 {}\r\n{value}\r\nEND\r\nMN\r\n", value.len());
        assert!(got == expected, "{request:?}");
    }
    let data = shard.backend.0[&TenantId(1)].borrow();
    assert!(data.pins.is_empty() && data.reservations.is_empty());
}

#[test]
fn a_large_value_with_a_wrong_end_is_not_stored() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let set = format!("set big 0 0 100000\r\n{}xx\r\n", "v".repeat(100_000));
    let answer = text(&mut shard, id, &set);
    assert!(
        answer.starts_with("CLIENT_ERROR bad data chunk\r\n"),
        "{answer}"
    );
    let data = shard.backend.0[&TenantId(1)].borrow();
    assert!(data.items.is_empty() && data.reservations.is_empty());
}

#[test]
fn one_that_closes_in_the_middle_leaves_no_reservation_and_no_pin() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    ask(&mut shard, id, b"set big 0 0 100000\r\nvvv");
    assert_eq!(shard.backend.0[&TenantId(1)].borrow().reservations.len(), 1);
    shard.close(id);
    assert!(
        shard.backend.0[&TenantId(1)]
            .borrow()
            .reservations
            .is_empty()
    );

    let id = admit(&mut shard, 1, Rights::ALL, 1);
    let set = format!("set big 0 0 100000\r\n{}\r\n", "v".repeat(100_000));
    text(&mut shard, id, &set);
    let mut out = Vec::new();
    shard.turn(NOW, id, b"get big\r\n", &mut out);
    assert_eq!(shard.backend.0[&TenantId(1)].borrow().pins.len(), 1);
    shard.close(id);
    assert!(shard.backend.0[&TenantId(1)].borrow().pins.is_empty());
}

#[test]
fn a_hold_that_ended_lets_the_client_go() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let set = format!("set big 0 0 200000\r\n{}\r\n", "v".repeat(200_000));
    text(&mut shard, id, &set);
    let mut out = Vec::new();
    assert_eq!(
        shard.turn(NOW, id, b"get big\r\n", &mut out),
        TurnEnd::MoreToDo
    );
    shard.backend.0[&TenantId(1)].borrow_mut().pins.clear();
    out.clear();
    assert_eq!(shard.turn(NOW, id, b"", &mut out), TurnEnd::Close);
}

#[test]
fn output_that_was_not_taken_is_kept_in_order() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    shard.keep_unsent(id, 0, b"abcdef");
    assert_eq!(shard.unsent(id), b"abcdef");
    shard.sent(id, 2);
    assert_eq!(shard.unsent(id), b"cdef");
    shard.keep_unsent(id, 0, b"gh");
    assert_eq!(shard.unsent(id), b"cdefgh");
    shard.sent(id, 6);
    assert!(shard.unsent(id).is_empty());
}

#[test]
fn an_unending_line_is_not_collected() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let mut out = Vec::new();
    let ended =
        (0..100).any(|_| shard.turn(NOW, id, &vec![b'x'; 16 * 1024], &mut out) == TurnEnd::Close);
    assert!(ended);
}
