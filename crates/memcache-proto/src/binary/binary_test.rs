//! Tests of the binary protocol's operations on keys, as conversations.

use super::header::{Status, opcode};
use super::testing::{Response, SET_A, ask, packet, responses, set, statuses};
use crate::client::binary::{self as client, Packet};
use crate::testing::{Server, talk};

#[test]
fn a_value_is_stored_and_retrieved() {
    let get = Packet {
        opaque: 0x0102_0304,
        ..packet(opcode::GET, b"a")
    };
    let answers = ask(&[SET_A, get, packet(opcode::GETK, b"a")]);
    assert_eq!((answers[0].status, answers[0].cas), (0, 1));
    assert_eq!(
        answers[1],
        Response {
            opcode: opcode::GET,
            status: 0,
            opaque: 0x0102_0304,
            cas: 1,
            extras: vec![0, 0, 0, 7],
            key: vec![],
            value: b"hi".to_vec(),
        }
    );
    assert_eq!(
        (&answers[2].key[..], &answers[2].value[..]),
        (&b"a"[..], &b"hi"[..])
    );
}

#[test]
fn a_miss_is_told_unless_quiet() {
    let answers = ask(&[
        packet(opcode::GET, b"a"),
        packet(opcode::GETQ, b"a"),
        packet(opcode::GETKQ, b"a"),
        packet(opcode::GETK, b"a"),
        packet(opcode::NOOP, b""),
    ]);
    assert_eq!(answers.len(), 3);
    assert_eq!(
        (answers[0].status, &answers[0].value[..]),
        (1, &b"Not found"[..])
    );
    assert_eq!((answers[1].status, &answers[1].key[..]), (1, &b"a"[..]));
    assert!(answers[1].value.is_empty());
    assert_eq!(answers[2].opcode, opcode::NOOP);
}

#[test]
fn quiet_gets_tell_hits() {
    let answers = ask(&[
        SET_A,
        packet(opcode::GETKQ, b"b"),
        packet(opcode::GETKQ, b"a"),
        packet(opcode::GETQ, b"a"),
        packet(opcode::NOOP, b""),
    ]);
    let opcodes: Vec<_> = answers.iter().map(|answer| answer.opcode).collect();
    assert_eq!(
        opcodes,
        [opcode::SET, opcode::GETKQ, opcode::GETQ, opcode::NOOP]
    );
}

#[test]
fn quiet_changes_tell_only_what_went_wrong() {
    let answers = ask(&[
        Packet {
            opcode: opcode::SETQ,
            ..SET_A
        },
        Packet {
            opcode: opcode::ADDQ,
            ..SET_A
        },
        set(opcode::REPLACEQ, b"b", b"x"),
        Packet {
            opcode: opcode::APPENDQ,
            extras: b"",
            ..SET_A
        },
        Packet {
            opcode: opcode::PREPENDQ,
            extras: b"",
            ..SET_A
        },
        packet(opcode::DELETEQ, b"a"),
        packet(opcode::DELETEQ, b"a"),
        packet(opcode::FLUSHQ, b""),
        packet(opcode::NOOP, b""),
    ]);
    let seen: Vec<_> = answers
        .iter()
        .map(|answer| (answer.opcode, answer.status))
        .collect();
    assert_eq!(
        seen,
        [
            (opcode::ADDQ, Status::KeyExists as u16),
            (opcode::REPLACEQ, Status::KeyNotFound as u16),
            (opcode::DELETEQ, Status::KeyNotFound as u16),
            (opcode::NOOP, 0)
        ]
    );
}

#[test]
fn each_store_has_its_condition() {
    let join = |opcode, key| Packet {
        opcode,
        key,
        extras: b"",
        ..SET_A
    };
    assert_eq!(
        statuses(&[
            set(opcode::ADD, b"a", b"x"),
            set(opcode::ADD, b"a", b"x"),
            set(opcode::REPLACE, b"b", b"x"),
            set(opcode::REPLACE, b"a", b"x"),
            join(opcode::APPEND, b"a"),
            join(opcode::PREPEND, b"b"),
            Packet { cas: 9, ..SET_A },
            Packet { cas: 3, ..SET_A },
            Packet {
                cas: 9,
                key: b"b",
                ..SET_A
            },
            Packet {
                cas: 9,
                ..packet(opcode::DELETE, b"a")
            },
            Packet {
                cas: 4,
                ..packet(opcode::DELETE, b"a")
            },
        ]),
        [0, 2, 1, 0, 0, 5, 2, 0, 1, 2, 0]
    );
}

#[test]
fn numbers_are_eight_bytes() {
    let mut input = Vec::new();
    client::increment(b"n", 5, None, &mut input);
    client::increment(b"n", 5, Some(10), &mut input);
    client::increment(b"n", 5, None, &mut input);
    client::decrement(b"n", 100, None, &mut input);
    SET_A.push(&mut input);
    client::increment(b"a", 1, None, &mut input);
    let answers = responses(&talk(&input));
    let seen: Vec<_> = answers
        .iter()
        .map(|answer| (answer.status, &answer.value[..]))
        .collect();
    assert_eq!(seen[0], (1, &b"Not found"[..]));
    assert_eq!(seen[1], (0, &10u64.to_be_bytes()[..]));
    assert_eq!(seen[2], (0, &15u64.to_be_bytes()[..]));
    assert_eq!(seen[3], (0, &0u64.to_be_bytes()[..]));
    assert_eq!(
        seen[5],
        (6, &b"Non-numeric server-side value for incr or decr"[..])
    );
    assert!(answers[1].cas != 0);
}

#[test]
fn quiet_numbers_are_not_told() {
    let extras = [[0; 16].as_slice(), &[0, 0, 0, 0]].concat();
    let quiet = Packet {
        extras: &extras,
        ..packet(opcode::INCREMENTQ, b"n")
    };
    let answers = ask(&[
        quiet,
        Packet {
            opcode: opcode::DECREMENTQ,
            ..quiet
        },
        SET_A,
    ]);
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_touch_gives_an_end() {
    let mut input = Vec::new();
    SET_A.push(&mut input);
    client::touch(b"a", 100, &mut input);
    client::gat(b"a", 100, &mut input);
    client::touch(b"b", 100, &mut input);
    let gatkq = Packet {
        extras: &[0, 0, 0, 1],
        ..packet(opcode::GATKQ, b"b")
    };
    gatkq.push(&mut input);
    Packet {
        opcode: opcode::GATK,
        key: b"a",
        ..gatkq
    }
    .push(&mut input);
    let answers = responses(&talk(&input));
    assert_eq!(answers[1].extras, [0, 0, 0, 7]);
    assert!(answers[1].value.is_empty() && answers[1].cas == 1);
    assert_eq!(answers[2].value, b"hi");
    assert_eq!(answers[3].status, 1);
    assert_eq!(answers[4].key, b"a");
    assert_eq!(answers.len(), 5);
}

#[test]
fn a_denied_request_says_so_and_the_connection_goes_on() {
    let mut server = Server::new();
    server.denies = true;
    let mut input = Vec::new();
    packet(opcode::GETKQ, b"a").push(&mut input);
    SET_A.push(&mut input);
    client::noop(&mut input);
    let status: Vec<_> = responses(&server.talk(&input))
        .iter()
        .map(|a| a.status)
        .collect();
    assert_eq!(status, [0x24, 0x24, 0]);
}
