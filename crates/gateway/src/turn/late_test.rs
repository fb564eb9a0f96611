//! What clients of each protocol hear when they have waited too long, and what is left of the item.

use base::Rights;
use memcache_proto::client::binary::Packet;

use crate::pause::Mode;
use crate::test_backend::TestBackend;
use crate::testing::{admit, ask, shard, text};
use crate::{SessionId, Shard};

/// A shard in which `a` is stored, and a session that is late from now on.
fn late() -> (Shard<TestBackend>, SessionId) {
    late_with(Rights::ALL)
}

fn late_with(rights: Rights) -> (Shard<TestBackend>, SessionId) {
    let mut shard = shard();
    let writer = admit(&mut shard, 1, Rights::ALL, 1);
    text(&mut shard, writer, "set a 0 0 1\r\nx\r\n");
    let id = admit(&mut shard, 1, rights, 2);
    shard.sessions[id.0 as usize].mode = Mode::Refuse;
    (shard, id)
}

fn has_item(shard: &mut Shard<TestBackend>) -> bool {
    let reader = admit(shard, 1, Rights::ALL, 9);
    text(shard, reader, "get a\r\n").contains("VALUE")
}

#[test]
fn text_and_meta_clients_hear_what_they_know_and_nobody_reads_what_is_stale() {
    // Request, answer, and whether the item is still there.
    for (request, answer, is_there) in [
        ("get a\r\n", "END\r\n", true),
        ("get a a a a\r\n", "END\r\n", true),
        ("gets a\r\n", "END\r\n", true),
        ("gat 100 a\r\n", "END\r\n", true),
        ("touch a 100\r\n", "NOT_FOUND\r\n", true),
        ("set a 0 0 1\r\ny\r\n", "NOT_STORED\r\n", false),
        ("set a 0 0 1 noreply\r\ny\r\n", "", false),
        ("add a 0 0 1\r\ny\r\n", "NOT_STORED\r\n", true),
        ("replace a 0 0 1\r\ny\r\n", "NOT_STORED\r\n", false),
        ("append a 0 0 1\r\ny\r\n", "NOT_STORED\r\n", false),
        ("prepend a 0 0 1\r\ny\r\n", "NOT_STORED\r\n", false),
        ("cas a 0 0 1 1\r\ny\r\n", "NOT_FOUND\r\n", false),
        ("incr a 1\r\n", "NOT_FOUND\r\n", false),
        ("decr a 1\r\n", "NOT_FOUND\r\n", false),
        ("delete a\r\n", "DELETED\r\n", false),
        ("delete a noreply\r\n", "", false),
        ("mg a v k O1\r\n", "EN ka O1\r\n", true),
        ("mg a v q\r\nmn\r\n", "MN\r\n", true),
        ("ms a 1 O7\r\ny\r\n", "NS O7\r\n", false),
        ("ma a\r\n", "NF\r\n", false),
        ("md a\r\n", "HD\r\n", false),
        ("mn\r\n", "MN\r\n", true),
        ("verbosity 1\r\n", "OK\r\n", true),
        ("flush_all\r\n", "OK\r\n", false),
    ] {
        let (mut shard, id) = late();
        assert_eq!(text(&mut shard, id, request), answer, "{request:?}");
        assert_eq!(has_item(&mut shard), is_there, "{request:?}");
    }
    let (mut shard, id) = late();
    assert!(text(&mut shard, id, "version\r\nstats\r\n").contains("STAT pid"));
}

#[test]
fn binary_clients_hear_what_they_know() {
    const GET: u8 = 0x00;
    const GETQ: u8 = 0x09;
    const SET: u8 = 0x01;
    const DELETE: u8 = 0x04;
    const NOOP: u8 = 0x0a;
    const OK: u16 = 0;
    const KEY_NOT_FOUND: u16 = 1;
    const NOT_STORED: u16 = 5;
    for (opcode, statuses) in [
        (GET, &[KEY_NOT_FOUND, OK][..]),
        (GETQ, &[OK]),
        (SET, &[NOT_STORED, OK]),
        (DELETE, &[OK, OK]),
        (NOOP, &[OK, OK]),
    ] {
        let (mut shard, id) = late();
        let mut input = Vec::new();
        packet(opcode, &mut input);
        packet(NOOP, &mut input);
        let answer = ask(&mut shard, id, &input);
        assert_eq!(statuses_of(&answer), statuses, "opcode {opcode}");
    }
}

fn packet(opcode: u8, out: &mut Vec<u8>) {
    let (extras, key, value): (&[u8], &[u8], &[u8]) = match opcode {
        0x0a => (b"", b"", b""),
        0x01 => (&[0; 8], b"a", b"y"),
        _ => (b"", b"a", b""),
    };
    let packet = Packet {
        opcode,
        extras,
        key,
        value,
        opaque: 0,
        cas: 0,
    };
    packet.push(out);
}

fn statuses_of(mut answer: &[u8]) -> Vec<u16> {
    let mut statuses = Vec::new();
    while let Some(header) = answer.get(..24) {
        statuses.push(u16::from_be_bytes([header[6], header[7]]));
        let body_len = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        answer = &answer[24 + body_len as usize..];
    }
    statuses
}

#[test]
fn a_large_value_is_taken_in_for_nothing_and_the_old_one_is_gone() {
    let (mut shard, id) = late();
    let value = "y".repeat(200_000);
    let answer = text(
        &mut shard,
        id,
        &format!("set a 0 0 {}\r\n{value}\r\nmn\r\n", value.len()),
    );
    assert_eq!(answer, "NOT_STORED\r\nMN\r\n");
    assert!(!has_item(&mut shard));
    let data = shard.backend.0.values().next().unwrap().borrow();
    assert!(data.reservations.is_empty());
}

#[test]
fn a_right_that_is_missing_is_still_told_and_removes_nothing() {
    let read = Rights {
        read: true,
        ..Rights::NONE
    };
    let write = Rights {
        write: true,
        ..Rights::NONE
    };
    for (rights, request) in [
        (read, "set a 0 0 1\r\ny\r\n"),
        (read, "incr a 1\r\n"),
        (read, "delete a\r\n"),
        (write, "get a\r\n"),
    ] {
        let (mut shard, id) = late_with(rights);
        let answer = text(&mut shard, id, request);
        assert!(answer.contains("CLIENT_ERROR"), "{request:?}: {answer:?}");
        assert!(has_item(&mut shard), "{request:?}");
    }
}

#[test]
fn what_is_refused_is_counted_as_such() {
    let (mut shard, id) = late();
    text(
        &mut shard,
        id,
        "get a b c\r\nget a\r\nset b 0 0 1\r\ny\r\ndelete b\r\ntouch a 9\r\n",
    );
    let sum = shard.tenants[0].figures.sum();
    assert_eq!((sum.reads_refused, sum.writes_refused), (5, 1));
    // The value stored at first, and the removal.
    assert_eq!((sum.reads_served, sum.writes_served), (0, 2));
}
