//! Tests of commands that carry a value.

use base::kv::INLINE_VALUE_LEN_MAX;

use crate::Limits;
use crate::testing::{Server, talk, talk_text};

#[test]
fn each_mode_has_its_condition() {
    let answer = talk_text(
        "add a 1 0 1\r\nb\r\nadd a 1 0 1\r\nb\r\nreplace x 1 0 1\r\nb\r\nreplace a 2 0 1\r\nc\r\n\
         append a 0 0 1\r\nd\r\nprepend a 0 0 1\r\nb\r\nappend x 0 0 1\r\nd\r\nget a\r\n",
    );
    assert_eq!(
        answer,
        "STORED\r\nNOT_STORED\r\nNOT_STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nNOT_STORED\r\n\
         VALUE a 2 3\r\nbcd\r\nEND\r\n"
    );
}

#[test]
fn a_cas_compares() {
    let answer = talk_text(
        "cas a 0 0 1 1\r\nx\r\nset a 0 0 1\r\nx\r\ncas a 0 0 1 9\r\ny\r\ncas a 0 0 1 1\r\ny\r\n\
         cas a 0 0 1 1 noreply\r\nz\r\ngets a\r\n",
    );
    assert_eq!(
        answer,
        "NOT_FOUND\r\nSTORED\r\nEXISTS\r\nSTORED\r\nVALUE a 0 1 2\r\ny\r\nEND\r\n"
    );
}

#[test]
fn a_length_that_is_none_is_refused() {
    for len in [
        "-1",
        "x",
        "1x",
        "",
        "2147483646",
        "4294967296",
        "99999999999999999999",
    ] {
        assert_eq!(
            talk_text(&format!("set a 0 0 {len}\r\nmn\r\n")),
            "CLIENT_ERROR bad command line format\r\nMN\r\n",
            "{len}"
        );
    }
}

#[test]
fn a_bad_line_with_a_length_takes_its_value_with_it() {
    let long_key = "k".repeat(251);
    for head in [
        "a x 0 1",
        "a -1 0 1",
        "a 0 x 1",
        "a 4294967296 0 1",
        "a ++1 0 1",
        "a + 0 1",
        "a 0 - 1",
        "a 0 9223372036854775808 1",
        &format!("{long_key} 0 0 1"),
    ] {
        assert_eq!(
            talk_text(&format!("set {head}\r\nx\r\nmn\r\n")),
            "CLIENT_ERROR bad command line format\r\nMN\r\n"
        );
        assert_eq!(
            talk_text(&format!("set {head} noreply\r\nx\r\nmn\r\n")),
            "MN\r\n"
        );
    }
    assert_eq!(
        talk_text("cas a 0 0 1\r\nx\r\nmn\r\n"),
        "CLIENT_ERROR bad command line format\r\nMN\r\n"
    );
}

/// The tests' time is 1800000000.
#[test]
fn flags_and_exptime_may_have_a_sign_and_exptime_more_than_31_bits() {
    for (head, flags, left) in [
        ("+1 0", 1u32, "-1"),
        ("-0 0", 0, "-1"),
        ("4294967295 +5", 4_294_967_295, "5"),
        ("1 -0", 1, "-1"),
        ("1 2147483648", 1, "347483648"),
        ("1 4294967296", 1, "2494967295"),
        ("1 9223372036854775807", 1, "2494967295"),
    ] {
        assert_eq!(
            talk_text(&format!("set a {head} 1\r\nx\r\nmg a f t\r\n")),
            format!("STORED\r\nHD f{flags} t{left}\r\n"),
            "{head}"
        );
    }
    assert_eq!(
        talk_text("set a 1 -2147483649 1\r\nx\r\nget a\r\n"),
        "STORED\r\nEND\r\n"
    );
}

#[test]
fn the_longest_key_is_taken() {
    let key = "k".repeat(250);
    assert_eq!(
        talk_text(&format!("set {key} 0 0 0\r\n\r\nget {key}\r\n")),
        format!("STORED\r\nVALUE {key} 0 0\r\n\r\nEND\r\n")
    );
}

#[test]
fn a_value_may_hold_anything() {
    let value = b"\r\nEND\r\n\0\xff";
    let mut input = format!("set a 0 0 {}\r\n", value.len()).into_bytes();
    input.extend_from_slice(value);
    input.extend_from_slice(b"\r\nget a\r\n");
    let expected = [&b"STORED\r\nVALUE a 0 9\r\n"[..], value, b"\r\nEND\r\n"].concat();
    assert_eq!(talk(&input), expected);
}

#[test]
fn a_value_that_does_not_end_is_a_bad_chunk() {
    assert_eq!(
        talk_text("set a 0 0 1\r\nxyz\r\nmn\r\n"),
        "CLIENT_ERROR bad data chunk\r\nCLIENT_ERROR bad command line format\r\nMN\r\n"
    );
    assert_eq!(
        talk_text("set a 0 0 1 noreply\r\nxyzmn\r\nget a\r\n"),
        "MN\r\nEND\r\n"
    );
}

#[test]
fn a_large_value_comes_in_pieces() {
    let len = INLINE_VALUE_LEN_MAX + 1;
    let value = vec![b'v'; len];
    let mut server = Server::new();
    let mut answer = server.talk(format!("set a 7 0 {len}\r\n").as_bytes());
    assert!(server.decoder.is_mid_request());
    for piece in value.chunks(1000) {
        answer.extend(server.talk(piece));
    }
    answer.extend(server.talk(b"\r"));
    assert!(answer.is_empty());
    assert_eq!(server.talk(b"\nget a\r\n"), {
        let head = format!("STORED\r\nVALUE a 7 {len}\r\n");
        [head.as_bytes(), &value, b"\r\nEND\r\n"].concat()
    });
    assert!(!server.decoder.is_mid_request());
    assert!(server.kept_max < 10, "pieces are not kept");
}

#[test]
fn a_large_value_that_does_not_end_is_a_bad_chunk() {
    let len = INLINE_VALUE_LEN_MAX + 1;
    let mut input = format!("set a 0 0 {len}\r\n").into_bytes();
    input.extend(vec![b'v'; len]);
    input.extend_from_slice(b"xxmn\r\nget a\r\n");
    assert_eq!(
        talk(&input),
        b"CLIENT_ERROR bad data chunk\r\nMN\r\nEND\r\n"
    );
}

#[test]
fn a_value_too_large_is_skipped_and_takes_the_old_item_with_it() {
    let mut server = Server::new();
    server.limits = Limits { item_size_max: 10 };
    let answer = server.talk(
        b"set a 0 0 1\r\nx\r\nset b 0 0 1\r\nx\r\nset a 0 0 11\r\n12345678901\r\n\
          add b 0 0 11\r\n12345678901\r\nset c 0 0 11 noreply\r\n12345678901\r\nget a b\r\n",
    );
    assert_eq!(
        String::from_utf8_lossy(&answer),
        "STORED\r\nSTORED\r\nSERVER_ERROR object too large for cache\r\n\
         SERVER_ERROR object too large for cache\r\nVALUE b 0 1\r\nx\r\nEND\r\n"
    );
}

#[test]
fn a_denied_store_says_so_and_the_connection_goes_on() {
    let mut server = Server::new();
    server.denies = true;
    let answer =
        server.talk(b"set a 0 0 1\r\nx\r\nms a 1\r\nx\r\nset a 0 0 1 noreply\r\nx\r\nmn\r\n");
    assert_eq!(
        String::from_utf8_lossy(&answer),
        "CLIENT_ERROR permission denied\r\nCLIENT_ERROR permission denied\r\nMN\r\n"
    );
}
