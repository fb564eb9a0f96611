//! The hostile inputs that have hurt real servers, one test each, for what of them is up to the
//! protocol. (Those before authentication are in `auth_test.rs`, too.)

use crate::auth::{self, Step};
use crate::client::{Parsed, Protocol, Replies, Status};
use crate::testing::{NOW, Server, talk};
use crate::{Action, Decoder, KeyBuf, Limits};

const LIMITS: Limits = Limits {
    item_size_max: 1 << 20,
};

#[test]
fn empty_lines_before_auth() {
    for input in [
        &b"\r\n"[..],
        b"\n\n\n",
        b"\r\n\r\nset user 0 0 4\r\npass\r\n",
    ] {
        assert!(matches!(auth::decode(input), Step::Refuse { .. }));
    }
}

#[test]
fn a_huge_auth_token() {
    let head = b"set user 0 0 1048576\r\n";
    assert!(matches!(auth::decode(head), Step::Refuse { .. }));
    let mut packet = Vec::new();
    crate::client::binary::auth(b"user", &[b'x'; 1 << 20], &mut packet);
    assert!(matches!(auth::decode(&packet[..24]), Step::Refuse { .. }));
}

#[test]
fn switching_from_ascii_to_binary_to_get_around_auth() {
    let mut input = Vec::new();
    crate::client::text::auth(b"user", b"guess", &mut input);
    let len = input.len();
    crate::client::binary::get(b"secret", &mut input);
    let Step::Attempt { consumed, .. } = auth::decode(&input) else {
        panic!("an attempt");
    };
    assert_eq!(consumed, len);
    assert!(matches!(auth::decode(&input[len..]), Step::Refuse { .. }));
}

#[test]
fn switching_the_dialect_after_auth() {
    let mut server = Server::new();
    let mut input = b"mn\r\n".to_vec();
    crate::client::binary::get(b"a", &mut input);
    input.extend_from_slice(b"\nmn\r\n");
    let answer = server.talk(&input);
    assert!(answer.starts_with(b"MN\r\n") && answer.ends_with(b"MN\r\n"));
    assert!(!answer.contains(&0x81), "text stays text");
}

/// The decoder gives out one key at a time, so that a session can stop before its output grows.
#[test]
fn a_long_dump_that_is_never_read() {
    let mut input = b"get".to_vec();
    for _ in 0..100_000 {
        input.extend_from_slice(b" key");
    }
    input.extend_from_slice(b"\r\n");
    let mut decoder = Decoder::new();
    let mut key_buf = KeyBuf::new();
    let step = decoder.decode(NOW, &input, &LIMITS, &mut key_buf);
    let crate::Step::Request { consumed, request } = step else {
        panic!("the first key");
    };
    assert_eq!(consumed, 7);
    assert!(matches!(request.action, Action::Kv(_)));
    assert!(decoder.is_mid_request());
}

/// Both parts of a credential are handed on whole, whatever is in them: nothing is compared here.
#[test]
fn timing_of_password_comparison() {
    for password in [&b"a"[..], b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"\0\xff"] {
        let mut input = Vec::new();
        crate::client::text::auth(b"user", password, &mut input);
        let Step::Attempt { password: seen, .. } = auth::decode(&input) else {
            panic!("an attempt");
        };
        assert_eq!(seen, password);
    }
}

/// As many replies as requests, in their order, each with its own opaque.
#[test]
fn a_pipelined_reply_matched_to_the_wrong_request() {
    let mut input = Vec::new();
    for opaque in 0..100u32 {
        crate::client::meta::get_with(b"a", format!("v k O{opaque}").as_bytes(), &mut input);
    }
    let answer = talk(&input);
    for (opaque, line) in answer.split(|byte| *byte == b'\n').take(100).enumerate() {
        assert_eq!(line, format!("EN ka O{opaque}\r").as_bytes());
    }
    input.clear();
    for opaque in 0..100u32 {
        let packet = crate::client::binary::Packet {
            opcode: 0x0c,
            key: b"a",
            opaque,
            ..Default::default()
        };
        packet.push(&mut input);
    }
    for (opaque, packet) in talk(&input).chunks(25).enumerate() {
        assert_eq!(packet[12..16], (opaque as u32).to_be_bytes());
    }
}

/// An error in the place of an answer is one answer, never two or none.
#[test]
fn a_failed_request_has_exactly_one_reply() {
    let long = "k".repeat(251);
    for line in [
        "get a b c".to_owned(),
        format!("get a {long}"),
        "gat x a b".to_owned(),
        "set a 0 0 1\r\nx".to_owned(),
        format!("set {long} 0 0 1\r\nx"),
        "set a 0 0 2000000\r\n".to_owned() + &"x".repeat(2_000_000),
        "ms a 1 z\r\nx".to_owned(),
        "incr a x".to_owned(),
        "nonsense".to_owned(),
    ] {
        for denies in [false, true] {
            let mut server = Server::new();
            server.denies = denies;
            let answer = server.talk(format!("{line}\r\nmn\r\n").as_bytes());
            let mut replies = Replies::new(Protocol::Text);
            let mut rest = &answer[..];
            let mut statuses = Vec::new();
            while let Parsed::Reply { consumed, reply } = replies.next(rest) {
                statuses.push(reply.status);
                rest = &rest[consumed..];
            }
            assert_eq!(statuses.len(), 2, "{}", &line[..line.len().min(40)]);
            assert_eq!(statuses[1], Status::Ok);
        }
    }
}

#[test]
fn a_value_length_that_wraps() {
    for len in [
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "2147483647",
        "-2",
    ] {
        for line in [format!("set a 0 0 {len}"), format!("ms a {len}")] {
            let answer = talk(format!("{line}\r\nmn\r\n").as_bytes());
            assert_eq!(
                String::from_utf8_lossy(&answer),
                "CLIENT_ERROR bad command line format\r\nMN\r\n"
            );
        }
    }
    let longest = talk(b"set a 0 0 2147483645\r\nmn\r\n");
    assert_eq!(longest, b"SERVER_ERROR object too large for cache\r\n");
    let mut packet = Vec::new();
    let set = crate::client::Set {
        key: b"a",
        value: b"",
        flags: 0,
        exptime: 0,
    };
    crate::client::binary::set(&set, 0, &mut packet);
    packet[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut server = Server::new();
    assert_eq!(server.talk(&packet)[7], 3, "too large");
    assert!(server.decoder.is_mid_request(), "4 GiB are skipped");
    packet[8..12].copy_from_slice(&1u32.to_be_bytes());
    let mut server = Server::new();
    server.talk(&packet);
    assert!(server.closed, "shorter than its own key");
}

/// Each of them is a request of its own, whose value is pinned and streamed, never copied here.
#[test]
fn a_multi_get_of_100_keys_of_1_mib() {
    let input = ["get", &" key".repeat(100), "\r\n"].concat();
    let mut decoder = Decoder::new();
    let mut key_buf = KeyBuf::new();
    let mut consumed = 0;
    let mut out = Vec::new();
    for _ in 0..100 {
        let rest = &input.as_bytes()[consumed..];
        let crate::Step::Request {
            consumed: len,
            request,
        } = decoder.decode(NOW, rest, &LIMITS, &mut key_buf)
        else {
            panic!("a key");
        };
        consumed += len;
        let item = base::kv::Item {
            value: base::kv::Value::Pinned(base::kv::Pin {
                token: 1,
                len: 1 << 20,
            }),
            flags: 0,
            cas: 1,
            expiry: base::kv::Expiry::NEVER,
            idle_s: 0,
            fetched: false,
            stale: false,
            recache: base::kv::Recache::No,
        };
        assert!(request.reply.item(&item, NOW, &mut out).is_some());
    }
    assert!(out.len() < 100 * 32);
}

/// A key that looks like the end of a reply is given back as it came, on its own line.
#[test]
fn a_key_that_looks_like_a_reply() {
    let answer = talk(b"set END 0 0 5\r\nEND\r\n\r\nget END\r\n");
    assert_eq!(answer, b"STORED\r\nVALUE END 0 5\r\nEND\r\n\r\nEND\r\n");
}
