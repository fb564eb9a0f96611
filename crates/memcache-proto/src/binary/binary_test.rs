//! Tests of the binary protocol, as conversations.

use super::header::{Status, opcode};
use crate::client::binary::{self as client, Packet};
use crate::testing::{Server, talk};

/// One response, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Response {
    opcode: u8,
    status: u16,
    opaque: u32,
    cas: u64,
    extras: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
}

fn responses(mut bytes: &[u8]) -> Vec<Response> {
    let mut responses = Vec::new();
    while !bytes.is_empty() {
        let header = super::Header::of(bytes).expect("a header");
        assert_eq!(bytes[0], 0x81);
        let (packet, rest) = bytes.split_at(24 + header.body_len as usize);
        let (extras, body) = packet[24..].split_at(usize::from(header.extras_len));
        let (key, value) = body.split_at(usize::from(header.key_len));
        responses.push(Response {
            opcode: header.opcode,
            status: u16::from_be_bytes([packet[6], packet[7]]),
            opaque: header.opaque,
            cas: header.cas,
            extras: extras.to_vec(),
            key: key.to_vec(),
            value: value.to_vec(),
        });
        bytes = rest;
    }
    responses
}

fn ask(packets: &[Packet<'_>]) -> Vec<Response> {
    let mut input = Vec::new();
    for packet in packets {
        packet.push(&mut input);
    }
    responses(&talk(&input))
}

fn packet(opcode: u8, key: &[u8]) -> Packet<'_> {
    Packet {
        opcode,
        key,
        ..Packet::default()
    }
}

fn set<'a>(opcode: u8, key: &'a [u8], value: &'a [u8]) -> Packet<'a> {
    Packet {
        extras: &[0, 0, 0, 7, 0, 0, 0, 0],
        value,
        ..packet(opcode, key)
    }
}

const SET_A: Packet<'static> = Packet {
    opcode: opcode::SET,
    extras: &[0, 0, 0, 7, 0, 0, 0, 0],
    key: b"a",
    value: b"hi",
    opaque: 0,
    cas: 0,
};

fn statuses(packets: &[Packet<'_>]) -> Vec<u16> {
    ask(packets)
        .iter()
        .map(|response| response.status)
        .collect()
}

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
fn a_flush_may_wait() {
    let mut server = Server::new();
    let mut input = Vec::new();
    client::flush(&mut input);
    Packet {
        extras: &[0, 0, 0, 9],
        ..packet(opcode::FLUSH, b"")
    }
    .push(&mut input);
    assert_eq!(responses(&server.talk(&input)).len(), 2);
    assert_eq!(
        server.flushes,
        [None, Some(std::time::Duration::from_secs(9))]
    );
}

#[test]
fn statistics_end_with_an_empty_packet() {
    let answers = ask(&[packet(opcode::STAT, b""), packet(opcode::STAT, b"bogus")]);
    assert_eq!(
        (&answers[0].key[..], &answers[0].value[..]),
        (&b"curr_items"[..], &b"7"[..])
    );
    assert!(answers[1].key.is_empty() && answers[1].value.is_empty());
    assert_eq!(answers[2].status, 1);
    for name in [&b"reset"[..], b"detail on", b"detail off", b"detail dump"] {
        let answers = ask(&[packet(opcode::STAT, name)]);
        assert_eq!(answers.len(), 1);
        assert!(answers[0].status == 0 && answers[0].value.is_empty());
    }
}

#[test]
fn the_plain_ones_are_answered() {
    let verbosity = Packet {
        extras: &[0; 4],
        ..packet(opcode::VERBOSITY, b"")
    };
    let answers = ask(&[
        packet(opcode::VERSION, b""),
        packet(opcode::NOOP, b""),
        verbosity,
    ]);
    assert_eq!(answers[0].value, crate::VERSION.as_bytes());
    assert!(answers.iter().all(|answer| answer.status == 0));
}

#[test]
fn sasl_within_a_session_is_answered() {
    let mut input = Vec::new();
    client::list_mechanisms(&mut input);
    client::auth(b"user", b"secret", &mut input);
    Packet {
        opcode: opcode::SASL_STEP,
        value: b"x",
        ..packet(0, b"PLAIN")
    }
    .push(&mut input);
    client::noop(&mut input);
    let answers = responses(&talk(&input));
    assert_eq!(answers[0].value, b"PLAIN");
    let status: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(status, [0, 0x20, 0x20, 0]);
}

#[test]
fn an_unknown_command_is_skipped() {
    let unknown = Packet {
        value: b"value",
        extras: b"abc",
        ..packet(0x77, b"key")
    };
    let answers = ask(&[unknown, packet(opcode::NOOP, b"")]);
    assert_eq!(
        (answers[0].status, &answers[0].value[..]),
        (0x81, &b"Unknown command"[..])
    );
    assert_eq!(answers[1].opcode, opcode::NOOP);
}

#[test]
fn lengths_that_do_not_fit_close() {
    let wrong = [
        packet(opcode::GET, b""),
        Packet {
            extras: b"x",
            ..packet(opcode::GET, b"a")
        },
        Packet {
            value: b"x",
            ..packet(opcode::GETQ, b"a")
        },
        packet(opcode::TOUCH, b"a"),
        Packet {
            extras: &[0; 4],
            ..packet(opcode::GAT, b"")
        },
        packet(opcode::SET, b"a"),
        set(opcode::SET, b"", b"x"),
        Packet {
            extras: &[0; 4],
            ..SET_A
        },
        Packet {
            opcode: opcode::APPEND,
            ..SET_A
        },
        packet(opcode::PREPEND, b""),
        packet(opcode::DELETE, b""),
        Packet {
            value: b"x",
            ..packet(opcode::DELETE, b"a")
        },
        packet(opcode::INCREMENT, b"n"),
        Packet {
            extras: &[0; 20],
            ..packet(opcode::INCREMENT, b"")
        },
        Packet {
            extras: &[0; 21],
            ..packet(opcode::INCREMENT, b"n")
        },
        Packet {
            extras: &[0; 3],
            ..packet(opcode::FLUSH, b"")
        },
        packet(opcode::FLUSH, b"a"),
        packet(opcode::NOOP, b"a"),
        Packet {
            value: b"x",
            ..packet(opcode::VERSION, b"")
        },
        packet(opcode::QUIT, b"a"),
        Packet {
            extras: b"x",
            ..packet(opcode::STAT, b"")
        },
        packet(opcode::VERBOSITY, b""),
        packet(opcode::SASL_LIST, b"a"),
        packet(opcode::GET, &[b'k'; 251]),
    ];
    for packet in wrong {
        let mut server = Server::new();
        let mut input = Vec::new();
        packet.push(&mut input);
        client::noop(&mut input);
        let answers = responses(&server.talk(&input));
        assert!(server.closed, "{packet:?}");
        assert_eq!(answers.len(), 1);
        assert_eq!(
            (answers[0].status, &answers[0].value[..]),
            (4, &b"Invalid arguments"[..])
        );
    }
}

#[test]
fn a_body_shorter_than_its_parts_closes() {
    let mut input = Vec::new();
    packet(opcode::GET, b"key").push(&mut input);
    input[11] = 2;
    let mut server = Server::new();
    let answers = responses(&server.talk(&input));
    assert!(server.closed);
    assert_eq!(answers[0].status, 0x81);
}

#[test]
fn another_first_byte_closes_in_silence() {
    let mut server = Server::new();
    let mut input = Vec::new();
    client::noop(&mut input);
    assert_eq!(responses(&server.talk(&input)).len(), 1);
    assert_eq!(server.talk(b"get a\r\n"), b"");
    assert!(server.closed);
}

#[test]
fn a_quit_is_answered_unless_quiet() {
    for (opcode, count) in [(opcode::QUIT, 1), (opcode::QUITQ, 0)] {
        let mut server = Server::new();
        let mut input = Vec::new();
        packet(opcode, b"").push(&mut input);
        assert_eq!(responses(&server.talk(&input)).len(), count);
        assert!(server.closed);
    }
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
