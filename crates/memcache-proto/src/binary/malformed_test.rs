//! Tests of packets that are malformed, or no command that is known.

use super::header::opcode;
use super::testing::{SET_A, ask, packet, responses, set};
use crate::client::binary::{self as client, Packet};
use crate::testing::Server;

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
fn verbosity_in_another_form_is_an_unknown_command() {
    let with_key = Packet {
        value: b"value",
        ..packet(opcode::VERBOSITY, b"key")
    };
    let answers = ask(&[
        packet(opcode::VERBOSITY, b""),
        with_key,
        packet(opcode::NOOP, b""),
    ]);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [0x81, 0x81, 0]);
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
        packet(opcode::SASL_LIST, b"a"),
        Packet {
            value: b"\0user\0secret",
            ..packet(opcode::SASL_AUTH, b"")
        },
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
