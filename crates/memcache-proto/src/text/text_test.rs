//! Tests of the classic commands, as conversations.

use crate::testing::{Server, talk, talk_text};

#[test]
fn a_value_is_stored_and_retrieved() {
    let answer = talk_text("set a 5 0 3\r\nabc\r\nget a\r\ngets a\r\nget b\r\nget a b a\r\n");
    let value = "VALUE a 5 3\r\nabc\r\n";
    assert_eq!(
        answer,
        format!(
            "STORED\r\n{value}END\r\nVALUE a 5 3 1\r\nabc\r\nEND\r\nEND\r\n{value}{value}END\r\n"
        )
    );
}

#[test]
fn a_line_may_end_with_a_newline_only() {
    let answer = talk_text("set a 0 0 1\nx\r\nget a\nversion\nget a b \nmn\n");
    let value = "VALUE a 0 1\r\nx\r\nEND\r\n";
    let version = crate::VERSION;
    assert_eq!(
        answer,
        format!("STORED\r\n{value}VERSION {version}\r\n{value}MN\r\n")
    );
}

#[test]
fn words_may_be_parted_by_several_spaces() {
    let answer = talk_text("set  a   0  0   1  \r\nx\r\nget   a  \r\ndelete   a  \r\n");
    assert_eq!(answer, "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nDELETED\r\n");
}

#[test]
fn a_delete_tells_whether_there_was_one() {
    assert_eq!(
        talk_text("set a 0 0 1\r\nx\r\ndelete a\r\ndelete a\r\n"),
        "STORED\r\nDELETED\r\nNOT_FOUND\r\n"
    );
}

#[test]
fn a_delete_takes_the_historic_zero_and_nothing_else() {
    let usage = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
    assert_eq!(talk_text("delete a 0\r\n"), "NOT_FOUND\r\n");
    assert_eq!(talk_text("delete a noreply\r\nmn\r\n"), "MN\r\n");
    assert_eq!(talk_text("delete a 0 noreply\r\nmn\r\n"), "MN\r\n");
    assert_eq!(talk_text("delete a 5\r\n"), usage);
    assert_eq!(talk_text("delete a 0 0\r\n"), usage);
    assert_eq!(
        talk_text("delete a b c d\r\n"),
        "CLIENT_ERROR bad command line format\r\n"
    );
    assert_eq!(
        talk_text("delete\r\n"),
        "CLIENT_ERROR bad command line format\r\n"
    );
}

#[test]
fn numbers_go_up_and_down() {
    let answer = talk_text(
        "incr n 1\r\nset n 0 0 2\r\n10\r\nincr n 5\r\ndecr n 100\r\nset n 0 0 20\r\n\
         18446744073709551615\r\nincr n 1\r\nset n 0 0 1\r\nx\r\nincr n 1\r\n",
    );
    assert_eq!(
        answer,
        "NOT_FOUND\r\nSTORED\r\n15\r\n0\r\nSTORED\r\n0\r\nSTORED\r\n\
         CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    );
}

#[test]
fn a_delta_must_be_a_number() {
    let line = "CLIENT_ERROR invalid numeric delta argument\r\n";
    for delta in ["x", "-1", "1x", "18446744073709551616"] {
        assert_eq!(talk_text(&format!("incr n {delta}\r\n")), line);
    }
    assert_eq!(
        talk_text("incr n\r\n"),
        "CLIENT_ERROR bad command line format\r\n"
    );
}

#[test]
fn a_touch_gives_an_end() {
    let answer = talk_text(
        "touch a 10\r\nset a 0 0 1\r\nx\r\ntouch a 10\r\nmg a t\r\ngat 20 a\r\nmg a t\r\n\
         gats 0 a\r\nmg a t\r\ntouch a -1\r\nget a\r\n",
    );
    assert_eq!(
        answer,
        "NOT_FOUND\r\nSTORED\r\nTOUCHED\r\nHD t10\r\nVALUE a 0 1\r\nx\r\nEND\r\nHD t20\r\n\
         VALUE a 0 1 1\r\nx\r\nEND\r\nHD t-1\r\nTOUCHED\r\nEND\r\n"
    );
    let line = "CLIENT_ERROR invalid exptime argument\r\n";
    assert_eq!(talk_text("touch a x\r\n"), line);
    assert_eq!(talk_text("touch a 2147483648\r\n"), line);
    assert_eq!(
        talk_text("touch a\r\n"),
        "CLIENT_ERROR bad command line format\r\n"
    );
}

#[test]
fn a_flush_may_wait() {
    let mut server = Server::new();
    let answer = server.talk(
        b"flush_all\r\nflush_all 0\r\nflush_all -5\r\nflush_all 10\r\nflush_all noreply\r\n\
          flush_all 20 noreply\r\nflush_all x\r\nflush_all x noreply\r\n",
    );
    assert_eq!(
        String::from_utf8_lossy(&answer),
        "OK\r\nOK\r\nOK\r\nOK\r\nCLIENT_ERROR invalid exptime argument\r\n"
    );
    let secs: Vec<_> = server
        .flushes
        .iter()
        .map(|delay| delay.map(|d| d.as_secs()))
        .collect();
    assert_eq!(secs, [None, None, None, Some(10), None, Some(20)]);
}

#[test]
fn noreply_silences_errors_too() {
    for line in [
        "incr a x noreply",
        "touch a x noreply",
        "verbosity 1 noreply",
        "delete a 5 noreply",
        "nonsense noreply",
    ] {
        assert_eq!(talk_text(&format!("{line}\r\nmn\r\n")), "MN\r\n", "{line}");
    }
}

#[test]
fn noreply_means_nothing_to_what_only_tells() {
    let version = crate::VERSION;
    assert_eq!(
        talk_text("version noreply\r\n"),
        format!("VERSION {version}\r\n")
    );
    assert_eq!(talk_text("stats noreply\r\n"), "ERROR\r\n");
    assert_eq!(
        talk_text("stats items noreply\r\n"),
        "STAT curr_items 7\r\nEND\r\n"
    );
    assert_eq!(talk_text("get a noreply\r\n"), "END\r\n");
    assert_eq!(talk_text("mn noreply\r\n"), "MN\r\n");
}

#[test]
fn statistics_are_lines() {
    for name in ["", " settings", " items", " slabs", " sizes", " conns"] {
        assert_eq!(
            talk_text(&format!("stats{name}\r\n")),
            "STAT curr_items 7\r\nEND\r\n"
        );
    }
    assert_eq!(talk_text("stats reset\r\n"), "RESET\r\n");
    assert_eq!(talk_text("stats detail on\r\n"), "OK\r\n");
    assert_eq!(talk_text("stats detail off\r\n"), "OK\r\n");
    assert_eq!(talk_text("stats detail dump\r\n"), "END\r\n");
    assert_eq!(
        talk_text("stats detail\r\n"),
        "CLIENT_ERROR usage: stats detail on|off|dump\r\n"
    );
    assert_eq!(talk_text("stats bogus\r\n"), "ERROR\r\n");
    assert_eq!(
        talk_text("stats cachedump 1 1\r\n"),
        "CLIENT_ERROR stats cachedump not allowed\r\n"
    );
}

#[test]
fn verbosity_is_accepted() {
    assert_eq!(talk_text("verbosity 1\r\n"), "OK\r\n");
    for line in ["verbosity", "verbosity x"] {
        assert_eq!(
            talk_text(&format!("{line}\r\n")),
            "CLIENT_ERROR bad command line format\r\n"
        );
    }
}

#[test]
fn what_is_the_operators_is_refused() {
    for (line, answer) in [
        ("shutdown", "SERVER_ERROR: shutdown not enabled"),
        ("watch", "CLIENT_ERROR watch commands not allowed"),
        (
            "lru_crawler metadump all",
            "CLIENT_ERROR lru crawler disabled",
        ),
        (
            "slabs reassign 1 2",
            "CLIENT_ERROR slab reassignment disabled",
        ),
        (
            "cache_memlimit 1024",
            "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust",
        ),
        ("extstore item_size 1", "ERROR"),
        ("refresh_certs", "ERROR"),
    ] {
        assert_eq!(
            talk_text(&format!("{line}\r\nmn\r\n")),
            format!("{answer}\r\nMN\r\n")
        );
    }
}

#[test]
fn what_is_no_command_is_an_error_and_the_connection_goes_on() {
    for line in [
        "foo",
        "GET a",
        " get a",
        "set\ta 0 0 1",
        "\0\0\0",
        "mq a",
        "getx a",
    ] {
        let answer = talk_text(&format!("{line}\r\nmn\r\n"));
        assert_eq!(answer, "ERROR\r\nMN\r\n", "{line:?}");
    }
    for line in ["", "\r", "x", "\0", "xy"] {
        let answer = talk_text(&format!("{line}\nmn\r\n"));
        assert_eq!(answer, "CLIENT_ERROR bad command line format\r\nMN\r\n");
    }
}

#[test]
fn a_quit_closes_without_a_word() {
    let mut server = Server::new();
    assert_eq!(server.talk(b"quit\r\nmn\r\n"), b"");
    assert!(server.closed);
}

#[test]
fn http_is_cut_off() {
    for request in ["GET / HTTP/1.1\r\n", "POST /x HTTP/1.0\r\nHost: a\r\n"] {
        let mut server = Server::new();
        assert_eq!(server.talk(request.as_bytes()), b"");
        assert!(server.closed);
    }
}

#[test]
fn a_line_without_an_end_closes() {
    for head in ["x", "set ", "mg ", "delete "] {
        let mut server = Server::new();
        let input = [head.as_bytes(), &[b'a'; 3000]].concat();
        let answer = server.talk(&input);
        assert_eq!(answer, b"CLIENT_ERROR line too long\r\n");
        assert!(server.closed);
    }
}

#[test]
fn a_line_too_long_is_so_whether_or_not_its_end_is_here() {
    let mut line = vec![b'x'; 2049];
    line.extend_from_slice(b"\r\nmn\r\n");
    assert_eq!(talk(&line), b"CLIENT_ERROR line too long\r\n");
    let mut longest = vec![b'x'; 2047];
    longest.extend_from_slice(b"\r\nmn\r\n");
    assert_eq!(talk(&longest), b"ERROR\r\nMN\r\n");
}

#[test]
fn the_version_begins_with_three_numbers() {
    let numbers: Vec<_> = crate::VERSION.splitn(3, '.').collect();
    assert_eq!(numbers[0], "1");
    assert_eq!(numbers[1], "6");
    assert!(numbers[2].starts_with("45-"));
}
