//! Tests of authentication.

use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};

use super::{INPUT_LEN_MAX, Step, decode, username_of_part};
use crate::client::binary::{self as client, Packet};
use crate::client::text;

/// What an input comes to, with what is written on success, failure and as an answer.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Incomplete,
    Attempt(usize, Vec<u8>, Vec<u8>),
    Answer(usize, Vec<u8>),
    Refuse(Vec<u8>),
}

fn see(input: &[u8]) -> Seen {
    let mut out = Vec::new();
    match decode(input) {
        Step::Incomplete => Seen::Incomplete,
        Step::Attempt {
            consumed,
            username,
            password,
            ..
        } => Seen::Attempt(consumed, username.to_vec(), password.to_vec()),
        Step::Answer { consumed, reply } => {
            reply.answer(&mut out);
            Seen::Answer(consumed, out)
        }
        Step::Refuse { reply } => {
            reply.answer(&mut out);
            Seen::Refuse(out)
        }
    }
}

fn attempt(input: &[u8], username: &[u8], password: &[u8]) {
    let expected = Seen::Attempt(input.len(), username.to_vec(), password.to_vec());
    assert_eq!(see(input), expected);
    let more = [input, b"get a\r\n"].concat();
    assert_eq!(see(&more), expected, "what follows is left alone");
    for len in 0..input.len() {
        assert_eq!(see(&input[..len]), Seen::Incomplete, "{len}");
    }
}

fn refused(input: &[u8], answer: &[u8]) {
    assert_eq!(see(input), Seen::Refuse(answer.to_vec()));
}

const UNAUTHENTICATED: &[u8] = b"CLIENT_ERROR unauthenticated\r\n";

#[test]
fn both_text_dialects_are_understood() {
    attempt(b"set x 0 0 9\r\nuser pass\r\n", b"user", b"pass");
    attempt(b"set user 0 0 4\r\npass\r\n", b"user", b"pass");
    attempt(b"set user 5 100 4 noreply\r\npass\r\n", b"user", b"pass");
    attempt(b"set x 0 0 9\nuser pass\r\n", b"user", b"pass");
    attempt(b"set x 0 0 11\r\nuser pa  ss\r\n", b"user", b"pa  ss");
    attempt(b"set x 0 0 0\r\n\r\n", b"x", b"");
    attempt(b"set x 0 0 2\r\n\r\n\r\n", b"x", b"\r\n");
}

#[test]
fn text_is_answered_as_memcached_does() {
    let Step::Attempt { reply, .. } = decode(b"set user 0 0 4\r\npass\r\n") else {
        panic!("an attempt");
    };
    let mut out = Vec::new();
    reply.accepted(&mut out);
    reply.rejected(&mut out);
    reply.answer(&mut out);
    assert_eq!(out, b"STORED\r\nCLIENT_ERROR authentication failure\r\n");
}

#[test]
fn any_other_command_is_refused() {
    for line in [
        "get a",
        "gets a",
        "version",
        "quit",
        "stats",
        "flush_all",
        "mn",
        "mg a v",
        "ms a 1",
        "add x 0 0 9",
        "set",
        "set x 0 0",
        "set x 0 0 -1",
        "set x 0 0 x",
        "SET x 0 0 9",
        "setx 0 0 9 9",
    ] {
        refused(
            format!("{line}\r\nuser pass\r\n").as_bytes(),
            UNAUTHENTICATED,
        );
    }
}

#[test]
fn a_body_must_end() {
    refused(
        b"set x 0 0 9\r\nuser passxx",
        b"CLIENT_ERROR bad command line termination\r\n",
    );
}

#[test]
fn empty_lines_before_auth_are_refused() {
    for input in [
        &b"\r\n"[..],
        b"\n",
        b"\r\nset user 0 0 4\r\npass\r\n",
        b"\0\n",
    ] {
        refused(input, UNAUTHENTICATED);
    }
}

#[test]
fn a_huge_auth_token_is_refused_before_it_arrives() {
    let answer = b"CLIENT_ERROR bad authentication token format\r\n";
    for len in ["4095", "1048576", "2147483645"] {
        refused(format!("set x 0 0 {len}\r\n").as_bytes(), answer);
    }
    refused(b"set x 0 0 2147483647\r\n", UNAUTHENTICATED);
    refused(b"set x 0 0 18446744073709551615\r\n", UNAUTHENTICATED);
    refused(&[b's'; 2049], UNAUTHENTICATED);
    let mut packet = Vec::new();
    client::auth(b"user", &[b'p'; 5000], &mut packet);
    assert!(matches!(see(&packet[..24]), Seen::Refuse(_)));
}

#[test]
fn zero_bytes_in_text_are_only_bytes() {
    attempt(b"set x 0 0 7\r\n\0us \0pa\r\n", b"\0us", b"\0pa");
    refused(b"\0\0\0\0\r\n", UNAUTHENTICATED);
}

#[test]
fn sasl_plain_is_understood() {
    let mut packet = Vec::new();
    client::auth(b"user", b"pass word", &mut packet);
    attempt(&packet, b"user", b"pass word");
    let plain = |value| {
        let mut out = Vec::new();
        Packet {
            opcode: 0x22,
            key: b"PLAIN",
            value,
            opaque: 7,
            ..Packet::default()
        }
        .push(&mut out);
        out
    };
    attempt(&plain(b"admin\0user\0pass"), b"user", b"pass");
    for bad in [
        &b""[..],
        b"user",
        b"user\0pass",
        b"\0user\0pass\0",
        b"\0\0\0\0",
    ] {
        assert!(matches!(see(&plain(bad)), Seen::Refuse(_)), "{bad:?}");
    }
}

#[test]
fn half_an_attempt_names_its_user_as_soon_as_it_is_known() {
    let mut packet = Vec::new();
    client::auth(b"user", b"pass", &mut packet);
    let named_at = packet.len() - b"pass".len();
    for len in 0..packet.len() {
        let expected = (len >= named_at).then_some(&b"user"[..]);
        assert_eq!(username_of_part(&packet[..len]), expected, "{len}");
    }
    let half: &[(&[u8], Option<&[u8]>)] = &[
        (b"set us", None),
        (b"set user 0 0 4\r\n", Some(b"user")),
        (b"set user 0 0 4\r\npa", Some(b"user")),
        (b"set auth 0 0 9\r\nus", Some(b"auth")),
        (b"set auth 0 0 9\r\nuser pa", Some(b"user")),
        (b"get user 0 0 4\r\n", None),
    ];
    for (input, expected) in half {
        assert_eq!(username_of_part(input), *expected, "{input:?}");
    }
}

#[test]
fn sasl_is_answered_as_memcached_does() {
    let mut packet = Vec::new();
    client::auth(b"user", b"pass", &mut packet);
    packet[12..16].copy_from_slice(&[1, 2, 3, 4]);
    let Step::Attempt { reply, .. } = decode(&packet) else {
        panic!("an attempt");
    };
    let mut out = Vec::new();
    reply.accepted(&mut out);
    assert_eq!(
        &out[..16],
        [0x81, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 1, 2, 3, 4]
    );
    assert_eq!(&out[24..], b"Authenticated");
    out.clear();
    reply.rejected(&mut out);
    assert_eq!(&out[6..8], [0, 0x20]);
    assert_eq!(&out[24..], b"Auth failure.");
    out.clear();
    reply.answer(&mut out);
    assert!(out.is_empty());
}

#[test]
fn what_anybody_may_ask_is_answered() {
    let mut packet = Vec::new();
    client::list_mechanisms(&mut packet);
    let Seen::Answer(24, answer) = see(&packet) else {
        panic!("an answer");
    };
    assert_eq!(&answer[24..], b"PLAIN");
    packet.clear();
    client::version(&mut packet);
    let Seen::Answer(24, answer) = see(&packet) else {
        panic!("an answer");
    };
    assert_eq!(&answer[24..], crate::VERSION.as_bytes());
}

#[test]
fn a_mechanism_may_be_tried_in_vain_or_in_two_steps() {
    let sasl = |key, value| {
        let mut out = Vec::new();
        Packet {
            opcode: 0x21,
            key,
            value,
            ..Packet::default()
        }
        .push(&mut out);
        let Seen::Answer(consumed, answer) = see(&out) else {
            panic!("an answer");
        };
        assert_eq!(consumed, out.len());
        [answer[6], answer[7]]
    };
    assert_eq!(sasl(b"CRAM-MD5", b""), [0, 0x20]);
    assert_eq!(sasl(b"", b"x"), [0, 0x20]);
    assert_eq!(sasl(b"PLAIN", b""), [0, 0x21]);
}

#[test]
fn any_other_packet_is_refused() {
    for opcode in (0..=0xff).filter(|opcode| !matches!(opcode, 0x07 | 0x0b | 0x17 | 0x20..=0x22)) {
        let mut packet = Vec::new();
        Packet {
            opcode,
            key: b"key",
            ..Packet::default()
        }
        .push(&mut packet);
        let Seen::Refuse(answer) = see(&packet) else {
            panic!("{opcode}");
        };
        assert_eq!(&answer[6..8], [0, 0x20]);
    }
    let mut packet = Vec::new();
    Packet {
        opcode: 0x17,
        ..Packet::default()
    }
    .push(&mut packet);
    refused(&packet, b"");
}

#[test]
fn a_wrapping_length_is_refused() {
    let mut packet = Vec::new();
    client::auth(b"user", b"pass", &mut packet);
    packet[8..12].copy_from_slice(&[0xff; 4]);
    assert!(matches!(see(&packet), Seen::Refuse(_)));
    packet[8..12].copy_from_slice(&[0; 4]);
    assert!(matches!(see(&packet), Seen::Refuse(_)));
}

#[test]
fn switching_from_ascii_to_binary_does_not_get_around_auth() {
    let mut get = Vec::new();
    client::get(b"a", &mut get);
    assert!(
        matches!(see(&get), Seen::Refuse(_)),
        "after a failed attempt in text"
    );
    let mut rest = Vec::new();
    text::auth(b"user", b"wrong", &mut rest);
    let len = rest.len();
    rest.extend_from_slice(&get);
    assert!(matches!(see(&rest), Seen::Attempt(consumed, ..) if consumed == len));
    refused(b"\x81\x00\x00\x00\r\n", UNAUTHENTICATED);
}

#[test]
fn the_clients_own_requests_are_understood() {
    let mut out = Vec::new();
    text::auth(b"user", b"secret", &mut out);
    attempt(&out, b"user", b"secret");
    out.clear();
    text::auth_by_key(b"user", b"secret", &mut out);
    attempt(&out, b"user", b"secret");
}

proptest! {
    #[test]
    fn any_bytes_are_decided_within_4_kib(input in vec(any::<u8>(), INPUT_LEN_MAX)) {
        assert_ne!(see(&input), Seen::Incomplete);
        let text = [b"set x 0 0 ", &input[..]].concat();
        assert_ne!(see(&text[..INPUT_LEN_MAX]), Seen::Incomplete);
        let packet = [b"\x80\x21", &input[..]].concat();
        assert_ne!(see(&packet[..INPUT_LEN_MAX]), Seen::Incomplete);
    }

    #[test]
    fn what_a_part_names_the_whole_names_too(split in 0usize..64, input in vec(any::<u8>(), 0..200)) {
        // Any bytes at all are looked at without harm.
        let _ = username_of_part(&input);
        let mut whole = Vec::new();
        client::auth(b"user", b"secret", &mut whole);
        let part = &whole[..split.min(whole.len())];
        prop_assert!(matches!(username_of_part(part), None | Some(b"user")));
    }

    #[test]
    fn nothing_gets_past_without_an_attempt(input in vec(any::<u8>(), 0..200)) {
        if let Seen::Answer(consumed, _) = see(&input) {
            assert!(input[0] == 0x80 && matches!(input[1], 0x0b | 0x20..=0x22));
            assert!(consumed >= 24 && consumed <= input.len());
        }
    }
}
