//! Tests of the counter of replies.

use super::{Parsed, Protocol, Replies, Reply, Status};
use crate::client::{Set, binary, meta, text};
use crate::testing::Server;

/// All replies in this input, which comes in pieces of this length.
fn replies(protocol: Protocol, input: &[u8], piece_len: usize) -> Vec<Reply> {
    let mut parser = Replies::new(protocol);
    let mut rest = Vec::new();
    let mut replies = Vec::new();
    for piece in input.chunks(piece_len) {
        rest.extend_from_slice(piece);
        loop {
            match parser.next(&rest) {
                Parsed::Incomplete { consumed } => {
                    rest.drain(..consumed);
                    break;
                }
                Parsed::Reply { consumed, reply } => {
                    rest.drain(..consumed);
                    replies.push(reply);
                }
                Parsed::Broken => panic!("broken at {rest:?}"),
            }
        }
    }
    assert!(rest.is_empty());
    replies
}

fn check(protocol: Protocol, input: &[u8], expected: &[(Status, u32, u64)]) {
    for piece_len in [1, 2, 3, 7, input.len()] {
        let seen: Vec<_> = replies(protocol, input, piece_len)
            .iter()
            .map(|reply| (reply.status, reply.hits, reply.value_bytes))
            .collect();
        assert_eq!(seen, expected, "in pieces of {piece_len}");
    }
}

#[test]
fn text_replies_are_counted() {
    check(
        Protocol::Text,
        b"VALUE a 0 5\r\nEND\r\n\r\nVALUE b 0 0 9\r\n\r\nEND\r\nEND\r\nSTORED\r\nNOT_STORED\r\n\
          EXISTS\r\nNOT_FOUND\r\nDELETED\r\nTOUCHED\r\nOK\r\n17\r\nVERSION 1.2\r\nERROR\r\n\
          CLIENT_ERROR bad\r\nSERVER_ERROR worse\r\nSTAT a 1\r\nSTAT b 2\r\nEND\r\nRESET\r\n",
        &[
            (Status::Ok, 2, 5),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
            (Status::NotStored, 0, 0),
            (Status::Exists, 0, 0),
            (Status::NotFound, 0, 0),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
            (Status::ClientError, 0, 0),
            (Status::ClientError, 0, 0),
            (Status::ServerError, 0, 0),
            (Status::Ok, 0, 0),
            (Status::Ok, 0, 0),
        ],
    );
}

#[test]
fn meta_replies_are_counted() {
    check(
        Protocol::Meta,
        b"VA 2 c1\r\nhi\r\nEN\r\nHD\r\nNS\r\nEX\r\nNF\r\nVA 1 Ob\r\nx\r\nVA 0 Ob W\r\n\r\nMN\r\n\
          ME a exp=1\r\n",
        &[
            (Status::Ok, 1, 2),
            (Status::NotFound, 0, 0),
            (Status::Ok, 0, 0),
            (Status::NotStored, 0, 0),
            (Status::Exists, 0, 0),
            (Status::NotFound, 0, 0),
            (Status::Ok, 2, 1),
            (Status::Ok, 0, 0),
        ],
    );
}

#[test]
fn what_is_no_reply_breaks() {
    for (protocol, input) in [
        (Protocol::Text, &b"nonsense\r\n"[..]),
        (Protocol::Text, b"VALUE a 0\r\n"),
        (Protocol::Text, b"VALUE a 0 x\r\n"),
        (Protocol::Text, b"\r\n"),
        (Protocol::Text, b"END\n"),
        (Protocol::Text, b"VALUE a 0 1\r\nxyz"),
        (Protocol::Meta, b"VA\r\n"),
        (Protocol::Text, &[b'x'; 4096]),
        (Protocol::Binary, b"HTTP"),
        (Protocol::Binary, &[0x80; 24]),
        (
            Protocol::Binary,
            b"\x81\0\0\x09\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0",
        ),
    ] {
        let mut parser = Replies::new(protocol);
        assert_eq!(parser.next(input), Parsed::Broken, "{input:?}");
    }
}

#[test]
fn a_long_value_is_not_kept() {
    let mut parser = Replies::new(Protocol::Text);
    let head = b"VALUE a 0 1000000\r\n";
    let consumed = head.len();
    assert_eq!(parser.next(head), Parsed::Incomplete { consumed });
    for _ in 0..1000 {
        assert_eq!(
            parser.next(&[b'x'; 1000]),
            Parsed::Incomplete { consumed: 1000 }
        );
    }
    let reply = Reply {
        status: Status::Ok,
        hits: 1,
        value_bytes: 1_000_000,
    };
    assert_eq!(
        parser.next(b"\r\nEND\r\n"),
        Parsed::Reply { consumed: 7, reply }
    );
}

const SET: Set<'static> = Set {
    key: b"key",
    value: b"value",
    flags: 3,
    exptime: 60,
};

#[test]
fn each_request_makes_one_reply() {
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let mut input = Vec::new();
        protocol.get(b"key", &mut input);
        protocol.set(&SET, &mut input);
        protocol.get(b"key", &mut input);
        protocol.multi_get(&[b"key", b"no", b"key"], &mut input);
        protocol.delete(b"key", &mut input);
        protocol.delete(b"key", &mut input);
        protocol.noop(&mut input);
        let answer = Server::new().talk(&input);
        let seen: Vec<_> = replies(protocol, &answer, 5)
            .iter()
            .map(|reply| (reply.status, reply.hits))
            .collect();
        let miss = match protocol {
            Protocol::Text => Status::Ok,
            _ => Status::NotFound,
        };
        let expected = [
            (miss, 0),
            (Status::Ok, 0),
            (Status::Ok, 1),
            (Status::Ok, 2),
            (Status::Ok, 0),
            (Status::NotFound, 0),
            (Status::Ok, 0),
        ];
        assert_eq!(seen, expected, "{protocol:?}");
    }
}

#[test]
fn a_denied_multi_get_is_one_error() {
    for protocol in [Protocol::Text, Protocol::Binary] {
        let mut server = Server::new();
        server.denies = true;
        let mut input = Vec::new();
        protocol.multi_get(&[b"a", b"b"], &mut input);
        protocol.noop(&mut input);
        let seen = replies(protocol, &server.talk(&input), 100);
        let statuses: Vec<_> = seen.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses, [Status::ClientError, Status::Ok], "{protocol:?}");
    }
}

#[test]
fn statistics_are_one_reply() {
    let mut input = Vec::new();
    text::stats(b"", &mut input);
    text::flush_all(&mut input);
    check_count(Protocol::Text, &input, 2);
    input.clear();
    binary::stats(b"", &mut input);
    binary::flush(&mut input);
    check_count(Protocol::Binary, &input, 2);
}

#[test]
fn the_other_requests_are_well_formed() {
    let mut input = Vec::new();
    text::store(b"add", &SET, &mut input);
    text::cas(&SET, 1, &mut input);
    text::gets(&[b"key"], &mut input);
    text::gat(-5, &[b"key"], &mut input);
    text::touch(b"key", -1, &mut input);
    text::incr(b"key", 1, &mut input);
    text::decr(b"key", 10, &mut input);
    meta::get_with(b"key", b"v k O1", &mut input);
    meta::arith(b"key", b"N0", &mut input);
    meta::set(&SET, b"c", &mut input);
    meta::debug(b"key", &mut input);
    check_count(Protocol::Meta, &input, 11);
    input.clear();
    binary::add(&SET, &mut input);
    binary::replace(&SET, 1, &mut input);
    binary::append(b"key", b"x", &mut input);
    binary::prepend(b"key", b"x", &mut input);
    binary::touch(b"key", 1, &mut input);
    binary::gat(b"key", 1, &mut input);
    binary::increment(b"n", 1, Some(1), &mut input);
    binary::decrement(b"n", 1, None, &mut input);
    binary::version(&mut input);
    binary::quit(&mut input);
    check_count(Protocol::Binary, &input, 10);
}

fn check_count(protocol: Protocol, input: &[u8], count: usize) {
    let answer = Server::new().talk(input);
    let seen = replies(protocol, &answer, 3);
    assert_eq!(seen.len(), count);
    for reply in seen {
        assert_ne!(reply.status, Status::ClientError);
        assert_ne!(reply.status, Status::ServerError);
    }
}
