//! The handshake by golden bytes, option by option, cut anywhere, and with hostile input.

use super::*;
use crate::testing::{Two, option, queries, replies, shake, wanted};

const CLIENT_FLAGS: [u8; 4] = [0, 0, 0, 3];

fn client(options: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = CLIENT_FLAGS.to_vec();
    options.iter().for_each(|option| bytes.extend(option));
    bytes
}

fn kinds(tls: Tls, options: &[Vec<u8>]) -> Vec<u32> {
    let (out, _, _) = shake(tls, &client(options), usize::MAX >> 1);
    replies(&out).into_iter().map(|reply| reply.1).collect()
}

#[test]
fn the_greeting_is_fixed_newstyle() {
    let mut out = Vec::new();
    Handshake::new(Tls::Off, &mut out);
    assert_eq!(out, b"NBDMAGICIHAVEOPT\x00\x03");
}

#[test]
fn export_name_answers_with_size_and_flags_and_zeroes_unless_spared() {
    let ask = option(option_kind::EXPORT_NAME, b"data");
    let (out, used, progress) = shake(Tls::Off, &client(std::slice::from_ref(&ask)), 7);
    assert_eq!(out, b"\x00\x00\x00\x00\x00\x10\x00\x00\x0d\xed");
    assert_eq!(used, 4 + 16 + 4);
    let Progress::Transmit(agreed) = progress else {
        panic!("{progress:?}")
    };
    assert!(!agreed.structured && !agreed.allocation);

    let mut old = vec![0, 0, 0, 0];
    old.extend(ask);
    let (out, _, progress) = shake(Tls::Off, &old, 1000);
    assert_eq!(out.len(), 10 + 124);
    assert!(matches!(progress, Progress::Transmit(_)));
}

#[test]
fn go_tells_size_block_sizes_and_what_was_asked() {
    let go = option(option_kind::GO, &wanted("data", &[1, 2, 3, 77]));
    let (out, _, progress) = shake(Tls::Off, &client(&[go]), 5);
    let told = replies(&out);
    let infos: Vec<&[u8]> = told[..4].iter().map(|reply| &reply.2[..]).collect();
    assert_eq!(
        infos[0],
        b"\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x0d\xed"
    );
    assert_eq!(
        infos[1],
        b"\x00\x03\x00\x00\x00\x01\x00\x00\x10\x00\x02\x00\x00\x00"
    );
    assert_eq!(infos[2], b"\x00\x01data");
    assert_eq!(infos[3], b"\x00\x02a volume");
    assert_eq!(told[4], (option_kind::GO, reply_kind::ACK, vec![]));
    assert_eq!(told.len(), 5);
    assert!(matches!(progress, Progress::Transmit(_)));
}

#[test]
fn info_leaves_the_handshake_open_and_errors_have_their_kinds() {
    let info = |name| option(option_kind::INFO, &wanted(name, &[]));
    let options = [info("data"), info("none"), info("taken"), info("gone")];
    let expected = [
        reply_kind::INFO,
        reply_kind::INFO,
        reply_kind::ACK,
        reply_kind::ERR_UNKNOWN,
        reply_kind::ERR_POLICY,
        reply_kind::ERR_SHUTDOWN,
    ];
    assert_eq!(kinds(Tls::Off, &options), expected);
    let malformed = option(option_kind::GO, b"\x00\x00\x00\x09data\x00\x00");
    assert_eq!(kinds(Tls::Off, &[malformed]), [reply_kind::ERR_INVALID]);
}

#[test]
fn unknown_and_oversized_options_do_not_lose_the_stream() {
    let long = option(option_kind::INFO, &vec![0; 20_000]);
    let options = [
        option(4, b"peek"),
        option(11, b""),
        option(0xdead_beef, &[7; 3000]),
        long,
        option(option_kind::LIST, b""),
    ];
    let expected = [
        reply_kind::ERR_UNSUP,
        reply_kind::ERR_UNSUP,
        reply_kind::ERR_UNSUP,
        reply_kind::ERR_TOO_BIG,
        reply_kind::SERVER,
        reply_kind::SERVER,
        reply_kind::ACK,
    ];
    assert_eq!(kinds(Tls::Off, &options), expected);
    let list = option(option_kind::LIST, b"x");
    assert_eq!(kinds(Tls::Off, &[list]), [reply_kind::ERR_INVALID]);
}

#[test]
fn metadata_contexts_need_structured_replies_and_hold_for_the_export_named() {
    let set = |name, asked: &[&str]| option(option_kind::SET_META_CONTEXT, &queries(name, asked));
    let go = option(option_kind::GO, &wanted("data", &[]));
    let structured = option(option_kind::STRUCTURED_REPLY, b"");
    let agreed = |options: &[Vec<u8>]| match shake(Tls::Off, &client(options), 3).2 {
        Progress::Transmit(agreed) => (agreed.structured, agreed.allocation),
        progress => panic!("{progress:?}"),
    };
    let right = set("data", &["qemu:dirty-bitmap:x", "base:allocation"]);
    assert_eq!(
        agreed(&[structured.clone(), right.clone(), go.clone()]),
        (true, true)
    );
    assert_eq!(
        agreed(&[right.clone(), structured.clone(), go.clone()]),
        (true, false)
    );
    // Chosen under another name, or unchosen since.
    let other = set("", &["base:allocation"]);
    assert_eq!(
        agreed(&[structured.clone(), other, go.clone()]),
        (true, false)
    );
    let none = set("data", &[]);
    assert_eq!(
        agreed(&[structured.clone(), right.clone(), none, go]),
        (true, false)
    );
    let (out, _, _) = shake(Tls::Off, &client(&[structured, right]), 9);
    let context = b"\x00\x00\x00\x01base:allocation".to_vec();
    let expected = (
        option_kind::SET_META_CONTEXT,
        reply_kind::META_CONTEXT,
        context,
    );
    assert_eq!(replies(&out)[1], expected);
}

#[test]
fn contexts_are_listed_by_name_space_too() {
    let listed = |asked: &[&str]| {
        let structured = option(option_kind::STRUCTURED_REPLY, b"");
        let list = option(option_kind::LIST_META_CONTEXT, &queries("data", asked));
        kinds(Tls::Off, &[structured, list])[1..].len()
    };
    assert_eq!(listed(&[]), 2);
    assert_eq!(listed(&["base:"]), 2);
    assert_eq!(listed(&["base:allocation"]), 2);
    assert_eq!(listed(&["base:allo", "qemu:"]), 1);
}

#[test]
fn tls_comes_first_where_it_is_required_and_forgets_what_was_said() {
    let list = option(option_kind::LIST, b"");
    let start = option(option_kind::STARTTLS, b"");
    let structured = option(option_kind::STRUCTURED_REPLY, b"");
    let options = [list.clone(), start.clone(), list, start.clone()];
    let expected = [
        reply_kind::ERR_TLS_REQD,
        reply_kind::ACK,
        reply_kind::SERVER,
        reply_kind::SERVER,
        reply_kind::ACK,
        reply_kind::ERR_INVALID,
    ];
    assert_eq!(kinds(Tls::Required, &options), expected);
    assert_eq!(
        kinds(Tls::Off, std::slice::from_ref(&start)),
        [reply_kind::ERR_POLICY]
    );
    let go = option(option_kind::GO, &wanted("data", &[]));
    let (_, _, progress) = shake(Tls::Offered, &client(&[structured, start, go]), 1000);
    let Progress::Transmit(agreed) = progress else {
        panic!("{progress:?}")
    };
    assert!(!agreed.structured);
    let name = option(option_kind::EXPORT_NAME, b"data");
    let (_, _, progress) = shake(Tls::Required, &client(&[name]), 1000);
    assert!(matches!(progress, Progress::Broken(_)));
}

#[test]
fn abort_is_acknowledged() {
    let (out, _, progress) = shake(
        Tls::Required,
        &client(&[option(option_kind::ABORT, b"")]),
        1,
    );
    assert_eq!(progress, Progress::Closed);
    assert_eq!(
        replies(&out),
        [(option_kind::ABORT, reply_kind::ACK, vec![])]
    );
}

#[test]
fn what_is_no_client_is_dropped_early() {
    for bytes in [
        &b"\x00\x00\x00\x07"[..],
        b"GET / HTTP/1.1\r\n",
        b"\x00\x00\x00\x03NOTANOPT",
    ] {
        let (_, _, progress) = shake(Tls::Off, bytes, 1);
        assert!(matches!(progress, Progress::Broken(_)), "{bytes:?}");
    }
    let mut huge = CLIENT_FLAGS.to_vec();
    huge.put_u64(OPTION_MAGIC);
    huge.put_u32(99);
    huge.put_u32(u32::MAX);
    assert!(matches!(shake(Tls::Off, &huge, 1).2, Progress::Broken(_)));
    let name = client(&[option(option_kind::EXPORT_NAME, b"none")]);
    assert!(matches!(shake(Tls::Off, &name, 4).2, Progress::Broken(_)));
}

#[test]
fn pieces_do_not_matter() {
    let input = client(&[
        option(option_kind::STRUCTURED_REPLY, b""),
        option(999, b"what is this"),
        option(
            option_kind::SET_META_CONTEXT,
            &queries("data", &["base:allocation"]),
        ),
        option(option_kind::LIST, b""),
        option(option_kind::GO, &wanted("data", &[1])),
    ]);
    let whole = shake(Tls::Off, &input, input.len());
    for piece_len in 1..40 {
        assert_eq!(shake(Tls::Off, &input, piece_len), whole);
    }
    for cut in 0..input.len() {
        let mut out = Vec::new();
        let mut handshake = Handshake::new(Tls::Off, &mut out);
        let (used, first) = handshake.advance(&input[..cut], &Two, &mut out);
        assert_eq!(first, Progress::More);
        let (more, last) = handshake.advance(&input[used..], &Two, &mut out);
        assert_eq!((used + more, &last), (whole.1, &whole.2));
        assert_eq!(out[18..], whole.0);
    }
}
