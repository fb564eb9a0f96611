//! Tests of `wire`: every reply of every protocol, split at every byte.

use super::*;
use crate::load::plan::ValueLen;

/// What a reply comes to, with its values put together again.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    items: Vec<(Option<Vec<u8>>, u32)>,
    bytes: Vec<u8>,
    ending: Option<String>,
}

/// Feeds `reply` in pieces cut at `cut`, keeping what the reader leaves as a connection does.
fn hear(protocol: Protocol, op: Op, reply: &[u8], cut: usize) -> Heard {
    let mut reader = Reader::new(protocol);
    let mut heard = Heard::default();
    let mut kept: Vec<u8> = Vec::new();
    for piece in [&reply[..cut], &reply[cut..]] {
        kept.extend_from_slice(piece);
        let whole = std::mem::take(&mut kept);
        let mut input = &whole[..];
        while heard.ending.is_none() {
            match reader.step(op, &mut input) {
                Step::Need => break,
                Step::Item { key, len } => heard.items.push((key.map(<[u8]>::to_vec), len)),
                Step::Bytes(bytes) => heard.bytes.extend_from_slice(bytes),
                Step::End(ending) => heard.ending = Some(format!("{ending:?}")),
            }
        }
        kept.extend_from_slice(input);
    }
    assert!(kept.is_empty(), "{kept:?} is left over");
    heard
}

fn check(protocol: Protocol, op: Op, reply: &[u8], bytes: &[u8], items: usize, ending: &str) {
    let whole = hear(protocol, op, reply, 0);
    assert_eq!(whole.bytes, bytes);
    assert_eq!(whole.items.len(), items);
    let got = whole.ending.clone().unwrap_or_default();
    assert!(
        got.starts_with(ending),
        "{got} for {:?}",
        String::from_utf8_lossy(reply)
    );
    for cut in 1..reply.len() {
        assert_eq!(hear(protocol, op, reply, cut), whole, "cut at {cut}");
    }
}

#[test]
fn text_replies() {
    let text = |op, reply: &[u8], bytes: &[u8], items, ending| {
        check(Protocol::Text, op, reply, bytes, items, ending);
    };
    text(
        Op::Get,
        b"VALUE k1 0 5\r\nEND\r\n\r\nEND\r\n",
        b"END\r\n",
        1,
        "Done",
    );
    text(Op::Get, b"END\r\n", b"", 0, "Done");
    text(Op::Get, b"VALUE k1 7 0 99\r\n\r\nEND\r\n", b"", 1, "Done");
    let two = b"VALUE k1 0 1\r\na\r\nVALUE k2 0 2\r\nbc\r\nEND\r\n";
    text(Op::Mget, two, b"abc", 2, "Done");
    text(Op::Set, b"STORED\r\n", b"", 0, "Done");
    text(Op::Set, b"NOT_STORED\r\n", b"", 0, "NotStored");
    text(Op::Delete, b"DELETED\r\n", b"", 0, "Hit");
    text(Op::Delete, b"NOT_FOUND\r\n", b"", 0, "Miss");
    text(Op::Touch, b"TOUCHED\r\n", b"", 0, "Hit");
    text(
        Op::Set,
        b"SERVER_ERROR out of memory\r\n",
        b"",
        0,
        "ServerError",
    );
    text(Op::Get, b"CLIENT_ERROR denied\r\n", b"", 0, "ClientError");
    text(Op::Get, b"ERROR\r\n", b"", 0, "ClientError");
    text(Op::Get, b"STORED\r\n", b"", 0, "Garbage");
    text(Op::Get, b"VALUE k1 0 x\r\n", b"", 0, "Garbage");
}

#[test]
fn meta_replies() {
    let meta = |op, reply: &[u8], bytes: &[u8], items, ending| {
        check(Protocol::Meta, op, reply, bytes, items, ending);
    };
    meta(Op::Get, b"VA 4\r\nMN\r\n\r\n", b"MN\r\n", 1, "Done");
    meta(Op::Get, b"VA 0\r\n\r\n", b"", 1, "Done");
    meta(Op::Get, b"EN\r\n", b"", 0, "Done");
    meta(
        Op::Mget,
        b"VA 1 kk1\r\na\r\nVA 1 kk2\r\nb\r\nMN\r\n",
        b"ab",
        2,
        "Done",
    );
    meta(Op::Mget, b"MN\r\n", b"", 0, "Done");
    meta(
        Op::Mget,
        b"SERVER_ERROR busy\r\nVA 1 kk2\r\nb\r\nMN\r\n",
        b"b",
        1,
        "ServerError",
    );
    meta(Op::Set, b"HD\r\n", b"", 0, "Done");
    meta(Op::Set, b"NS\r\n", b"", 0, "NotStored");
    meta(Op::Delete, b"HD\r\n", b"", 0, "Hit");
    meta(Op::Delete, b"NF\r\n", b"", 0, "Miss");
    meta(Op::Touch, b"HD\r\n", b"", 0, "Hit");
    meta(Op::Touch, b"EN\r\n", b"", 0, "Miss");
    meta(
        Op::Touch,
        b"CLIENT_ERROR bad token\r\n",
        b"",
        0,
        "ClientError",
    );
    meta(Op::Set, b"?\r\n", b"", 0, "Garbage");
}

fn packet(opcode: u8, status: u16, extras: &[u8], key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = [0u8; 24];
    out[0] = 0x81;
    out[1] = opcode;
    out[3] = key.len() as u8;
    out[4] = extras.len() as u8;
    out[6..8].copy_from_slice(&status.to_be_bytes());
    out[11] = (extras.len() + key.len() + value.len()) as u8;
    [&out[..], extras, key, value].concat()
}

#[test]
fn binary_replies() {
    let binary = |op, reply: &[u8], bytes: &[u8], items, ending| {
        check(Protocol::Binary, op, reply, bytes, items, ending);
    };
    binary(
        Op::Get,
        &packet(0, 0, &[0; 4], b"", b"value"),
        b"value",
        1,
        "Done",
    );
    binary(Op::Get, &packet(0, 0, &[0; 4], b"", b""), b"", 1, "Done");
    binary(
        Op::Get,
        &packet(0, 1, b"", b"", b"Not found"),
        b"",
        0,
        "Done",
    );
    let end = packet(10, 0, b"", b"", b"");
    let hit = packet(13, 0, &[0; 4], b"k2", b"xy");
    binary(Op::Mget, &[&hit[..], &end].concat(), b"xy", 1, "Done");
    let broken = packet(13, 0x82, b"", b"", b"Out of memory");
    binary(
        Op::Mget,
        &[&broken[..], &hit, &end].concat(),
        b"xy",
        1,
        "ServerError",
    );
    binary(Op::Set, &packet(1, 0, b"", b"", b""), b"", 0, "Done");
    binary(
        Op::Set,
        &packet(1, 5, b"", b"", b"Not stored."),
        b"",
        0,
        "NotStored",
    );
    binary(
        Op::Set,
        &packet(1, 3, b"", b"", b"Too large"),
        b"",
        0,
        "ClientError",
    );
    binary(Op::Delete, &packet(4, 0, b"", b"", b""), b"", 0, "Hit");
    binary(
        Op::Delete,
        &packet(4, 1, b"", b"", b"Not found"),
        b"",
        0,
        "Miss",
    );
    binary(Op::Touch, &packet(28, 1, b"", b"", b""), b"", 0, "Miss");
}

#[test]
fn binary_nonsense_is_garbage_and_never_trips() {
    let mut short = packet(0, 0, &[0; 4], b"key", b"");
    short[11] = 2;
    let mut foreign = packet(1, 0, b"", b"", b"");
    foreign[0] = b'S';
    for reply in [short, foreign, packet(4, 0, b"", b"", b"")] {
        let heard = hear(Protocol::Binary, Op::Get, &reply, 0);
        assert!(
            heard
                .ending
                .is_some_and(|ending| ending.starts_with("Garbage"))
        );
    }
}

#[test]
fn a_line_without_end_is_garbage_before_it_fills_memory() {
    let endless = vec![b'x'; HEAD_LEN_MAX + 1];
    let mut input = &endless[..];
    let step = Reader::new(Protocol::Text).step(Op::Get, &mut input);
    assert!(matches!(step, Step::End(Ending::Garbage(_))));
}

fn encoded(protocol: Protocol, op: Op, ids: &[u64]) -> String {
    let values = Arc::new(Values::new(1, ValueLen::Fixed(0)));
    let mut encoder = Encoder::new(protocol, Keys::new(100, 4), values, 60);
    let mut out = Vec::new();
    encoder.encode(op, ids, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn text_and_meta_requests() {
    let text = |op, ids: &[u64]| encoded(Protocol::Text, op, ids);
    assert_eq!(text(Op::Get, &[7]), "get k007\r\n");
    assert_eq!(text(Op::Mget, &[7, 99]), "get k007 k099\r\n");
    assert_eq!(text(Op::Set, &[7]), "set k007 0 60 0\r\n\r\n");
    assert_eq!(text(Op::Delete, &[7]), "delete k007\r\n");
    assert_eq!(text(Op::Touch, &[7]), "touch k007 60\r\n");
    let meta = |op, ids: &[u64]| encoded(Protocol::Meta, op, ids);
    assert_eq!(meta(Op::Get, &[7]), "mg k007 v\r\n");
    assert_eq!(
        meta(Op::Mget, &[7, 8]),
        "mg k007 k q v\r\nmg k008 k q v\r\nmn\r\n"
    );
    assert_eq!(meta(Op::Set, &[7]), "ms k007 0 T60\r\n\r\n");
    assert_eq!(meta(Op::Delete, &[7]), "md k007\r\n");
    assert_eq!(meta(Op::Touch, &[7]), "mg k007 T60\r\n");
}

#[test]
fn binary_requests_have_true_lengths() {
    let values = Arc::new(Values::new(1, ValueLen::Fixed(300)));
    let mut encoder = Encoder::new(Protocol::Binary, Keys::new(100, 4), values, 60);
    for (op, opcodes) in [
        (Op::Get, &[0u8][..]),
        (Op::Set, &[1]),
        (Op::Delete, &[4]),
        (Op::Touch, &[28]),
        (Op::Mget, &[13, 13, 10]),
    ] {
        let ids: &[u64] = if op == Op::Mget { &[1, 2] } else { &[1] };
        let mut out = Vec::new();
        encoder.encode(op, ids, &mut out);
        let mut seen = Vec::new();
        let mut rest = &out[..];
        while !rest.is_empty() {
            let body = u32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
            assert_eq!(rest[0], 0x80);
            seen.push(rest[1]);
            rest = &rest[24 + body..];
        }
        assert_eq!(seen, opcodes);
    }
}

#[test]
fn decimals_read_back() {
    for number in [0, 7, 10, 4_294_967_295] {
        let mut out = Vec::new();
        push_decimal(number, &mut out);
        assert_eq!(decimal(&out), Some(number));
    }
    for bad in [&b""[..], b"-1", b"4294967296", b"1 ", b"00000000001"] {
        assert_eq!(decimal(bad), None);
    }
}
