//! Tests of what is about no key: flushes, statistics, versions, authentication, the end.

use super::header::opcode;
use super::testing::{ask, packet, responses};
use crate::client::binary::{self as client, Packet};
use crate::testing::{Server, talk};

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
fn sasl_is_unknown_where_nobody_authenticates() {
    let mut input = Vec::new();
    client::list_mechanisms(&mut input);
    client::auth(b"user", b"secret", &mut input);
    client::noop(&mut input);
    let answers = responses(&talk(&input));
    assert_eq!(answers[1].value, b"Unknown command");
    let status: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(status, [0x81, 0x81, 0]);
}

#[test]
fn sasl_within_a_session_is_answered() {
    let mut server = Server::new();
    server.decoder = crate::Decoder::of_authenticated();
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
    let answers = responses(&server.talk(&input));
    assert_eq!(answers[0].value, b"PLAIN");
    let status: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(status, [0, 0x20, 0x20, 0]);
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
