//! Tests of the decoder: that it does not matter in which pieces the bytes come.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use super::{Decoder, INPUT_LEN_MAX, KeyBuf, Limits, Step};
use crate::Dialect;
use crate::client::binary::Packet;
use crate::testing::{NOW, Server};

/// Lines and values, most of them well formed, some nearly so.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "(get|gets|gat 0|gat) ([ab] ?){0,4}",
        "(set|add|replace|append|prepend) [ab] [0-9]{1,2} -?[0-9] 2( noreply)?\r\nxy",
        "set [ab] 0 0 [0-9x-]{1,3}\r\n[a-z]{0,4}",
        "cas a 0 0 1 [0-9]\r\nx",
        "(incr|decr) [ab] [0-9x]{1,3}( noreply)?",
        "(delete|touch) [ab]( 0)?( noreply)?",
        "m[gsdaen] [ab] ?[0-9]?( [a-zA-Z][0-9]{0,2}){0,4}",
        "ms [ab] 2( [a-zA-Z][0-9]?){0,4}\r\nxy",
        "(version|stats|verbosity 1|flush_all|mn|quit|nonsense)( noreply)?",
        "[ -~]{0,12}",
    ];
    let line = (line, prop_oneof![Just("\r\n"), Just("\n"), Just("")]);
    line.prop_map(|(line, end)| [line.as_bytes(), end.as_bytes()].concat())
}

/// Packets, most of them well formed.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let extras = prop_oneof![Just(0usize), Just(4), Just(8), Just(20), 0..30usize];
    let parts = (
        0u8..0x28,
        extras,
        vec(b'a'..=b'b', 0..2),
        vec(any::<u8>(), 0..4),
    );
    (parts, any::<u32>(), 0..3u64).prop_map(|((opcode, extras, key, value), opaque, cas)| {
        let mut out = Vec::new();
        let packet = Packet {
            opcode,
            extras: &vec![0; extras],
            key: &key,
            value: &value,
            opaque,
            cas,
        };
        packet.push(&mut out);
        out
    })
}

fn assert_pieces_do_not_matter(input: &[u8], piece_len: usize) {
    let mut whole = Server::new();
    whole.limits = Limits { item_size_max: 100 };
    let mut pieces = Server::new();
    pieces.limits = whole.limits;
    let expected = whole.talk(input);
    let answer = pieces.talk_in_pieces(input, piece_len);
    assert_eq!(
        String::from_utf8_lossy(&answer),
        String::from_utf8_lossy(&expected)
    );
    assert_eq!(answer, expected);
    assert_eq!(pieces.closed, whole.closed);
    assert!(pieces.kept_max <= INPUT_LEN_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn text_may_come_in_any_pieces(lines in vec(text(), 1..12), piece_len in 1..9usize) {
        assert_pieces_do_not_matter(&lines.concat(), piece_len);
    }

    #[test]
    fn packets_may_come_in_any_pieces(packets in vec(packet(), 1..12), piece_len in 1..30usize) {
        assert_pieces_do_not_matter(&packets.concat(), piece_len);
    }

    #[test]
    fn any_bytes_may_come_in_any_pieces(input in vec(any::<u8>(), 0..200), piece_len in 1..9usize) {
        assert_pieces_do_not_matter(&input, piece_len);
    }
}

#[test]
fn values_around_the_inline_limit_may_come_in_any_pieces() {
    for len in [65_535, 65_536, 65_537] {
        let mut input = format!("set a 0 0 {len}\r\n").into_bytes();
        input.extend(vec![b'v'; len]);
        input.extend_from_slice(b"\r\nget a\r\n");
        let expected = Server::new().talk(&input);
        for piece_len in [1000, 4096, 65_536, len + 16, len + 17] {
            let mut server = Server::new();
            assert!(server.talk_in_pieces(&input, piece_len) == expected);
            assert!(server.kept_max <= INPUT_LEN_MAX);
        }
    }
}

#[test]
fn a_decoder_is_lean() {
    assert!(size_of::<Decoder>() <= 32, "{}", size_of::<Decoder>());
}

#[test]
fn the_first_byte_decides_the_dialect() {
    for (input, dialect) in [(&b"g"[..], Dialect::Text), (b"\x80", Dialect::Binary)] {
        let mut decoder = Decoder::new();
        let limits = Limits { item_size_max: 1 };
        assert_eq!(decoder.dialect(), None);
        let mut key_buf = KeyBuf::default();
        let step = decoder.decode(NOW, input, &limits, &mut key_buf);
        assert!(matches!(step, Step::Incomplete));
        assert_eq!(decoder.dialect(), Some(dialect));
        assert!(!decoder.is_mid_request());
    }
}

#[test]
fn between_the_keys_of_a_list_it_is_mid_request() {
    let mut decoder = Decoder::new();
    let limits = Limits { item_size_max: 1 };
    let input = b"get a b\r\n";
    let mut key_buf = KeyBuf::new();
    let Step::Request { consumed, .. } = decoder.decode(NOW, input, &limits, &mut key_buf) else {
        panic!("a key");
    };
    assert_eq!(&input[consumed..], b" b\r\n");
    assert!(decoder.is_mid_request());
    let rest = &input[consumed..];
    let Step::Request { consumed, .. } = decoder.decode(NOW, rest, &limits, &mut key_buf) else {
        panic!("a key");
    };
    assert_eq!(&rest[consumed..], b"\r\n");
    decoder.decode(NOW, b"\r\n", &limits, &mut key_buf);
    assert!(!decoder.is_mid_request());
}

#[test]
fn to_abandon_nothing_does_nothing() {
    let mut decoder = Decoder::new();
    decoder.abandon();
    assert!(!decoder.is_mid_request());
}
