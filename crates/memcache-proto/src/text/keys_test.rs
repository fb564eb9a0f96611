//! Tests of lists of keys.

use crate::testing::{Server, talk, talk_text};

#[test]
fn an_empty_list_is_a_bad_line() {
    for line in [
        "get", "get ", "gets", "gets   ", "gat", "gat ", "gat 1", "gats 1 ", "gat 1  ",
    ] {
        assert_eq!(
            talk_text(&format!("{line}\r\nmn\r\n")),
            "CLIENT_ERROR bad command line format\r\nMN\r\n",
            "{line:?}"
        );
    }
}

#[test]
fn a_bad_key_fails_the_whole_line() {
    let long = "k".repeat(251);
    for line in [
        format!("get {long}"),
        format!("get a {long} a"),
        format!("gets a a {long}"),
        format!("gat 0 a {long}"),
    ] {
        assert_eq!(
            talk_text(&format!("set a 0 0 1\r\nx\r\n{line}\r\nmn\r\n")),
            "STORED\r\nCLIENT_ERROR bad command line format\r\nMN\r\n"
        );
    }
}

#[test]
fn an_exptime_must_be_a_number() {
    assert_eq!(
        talk_text("gat x a\r\nmn\r\n"),
        "CLIENT_ERROR invalid exptime argument\r\nMN\r\n"
    );
}

#[test]
fn a_list_may_be_of_any_length_in_bounded_memory() {
    let mut server = Server::new();
    server.talk(b"set key 0 0 1\r\nx\r\n");
    let mut input = b"get".to_vec();
    for _ in 0..10_000 {
        input.extend_from_slice(b" key");
    }
    input.extend_from_slice(b"\r\nmn\r\n");
    let answer = server.talk_in_pieces(&input, 1000);
    let hits = answer
        .windows(6)
        .filter(|window| window == b"VALUE ")
        .count();
    assert_eq!(hits, 10_000);
    assert!(answer.ends_with(b"END\r\nMN\r\n"));
    assert!(server.kept_max <= 2049, "{}", server.kept_max);
}

#[test]
fn a_bad_key_far_into_a_list_ends_it_in_the_place_of_its_end() {
    let mut input = b"set a 0 0 1\r\nx\r\nget".to_vec();
    for _ in 0..2000 {
        input.extend_from_slice(b" a");
    }
    input.extend_from_slice(&[b" ", &[b'k'; 300][..], b" a a\r\nmn\r\n"].concat());
    let answer = talk(&input);
    assert!(answer.ends_with(b"x\r\nCLIENT_ERROR bad command line format\r\nMN\r\n"));
}

#[test]
fn spaces_without_end_are_dropped() {
    let mut server = Server::new();
    let mut answer = server.talk(b"get ");
    for _ in 0..100 {
        answer.extend(server.talk(&[b' '; 100]));
    }
    assert!(server.kept_max <= 2048);
    assert!(server.decoder.is_mid_request());
    answer.extend(server.talk(b"a\r\nmn\r\n"));
    assert_eq!(answer, b"END\r\nMN\r\n");
}

#[test]
fn an_exptime_cut_by_the_longest_line_is_not_half_read() {
    let mut input = b"gat ".to_vec();
    input.extend(vec![b' '; 2043]);
    input.extend_from_slice(b"12345 a\r\nmn\r\n");
    let expected = b"CLIENT_ERROR invalid exptime argument\r\nMN\r\n";
    assert_eq!(talk(&input), expected);
    assert_eq!(Server::new().talk_in_pieces(&input, 1), expected);
}

#[test]
fn a_carriage_return_within_a_key_is_part_of_it() {
    let answer = talk(b"set a\rb 0 0 1\r\nx\r\nget a\rb\r\nget a\rb \r\n");
    let value = b"VALUE a\rb 0 1\r\nx\r\nEND\r\n";
    assert_eq!(answer, [&b"STORED\r\n"[..], value, value].concat());
}

#[test]
fn a_denied_list_is_one_line() {
    let mut server = Server::new();
    server.denies = true;
    let answer = server.talk(b"get a\r\nget a b c\r\nmn\r\n");
    assert_eq!(
        String::from_utf8_lossy(&answer),
        "CLIENT_ERROR permission denied\r\nCLIENT_ERROR permission denied\r\nMN\r\n"
    );
    assert!(!server.decoder.is_mid_request());
}
