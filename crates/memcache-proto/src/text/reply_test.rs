//! Tests of answers in text that no conversation of the other tests comes to.

use base::kv::Outcome;

use super::{Form, Verb, bad_body, outcome};

fn line(verb: Verb, what: Outcome) -> String {
    let mut out = Vec::new();
    outcome(&Form { verb, quiet: false }, what, &mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn a_server_without_room_says_so() {
    let retrieve = Verb::Retrieve {
        cas: false,
        first: true,
    };
    for (verb, expected) in [
        (Verb::Store, "SERVER_ERROR out of memory storing object\r\n"),
        (Verb::Arith, "SERVER_ERROR out of memory\r\n"),
        (
            retrieve,
            "SERVER_ERROR out of memory writing get response\r\n",
        ),
    ] {
        assert_eq!(line(verb, Outcome::OutOfMemory), expected);
    }
}

#[test]
fn a_value_grown_too_large_is_refused() {
    assert_eq!(
        line(Verb::Store, Outcome::TooLarge),
        "SERVER_ERROR object too large for cache\r\n"
    );
}

#[test]
fn an_outcome_that_cannot_be_is_an_error_of_the_server() {
    assert_eq!(
        line(Verb::Delete, Outcome::Hit),
        "SERVER_ERROR internal error\r\n"
    );
}

#[test]
fn only_the_first_key_of_a_list_is_denied_aloud() {
    for (first, expected) in [(true, "CLIENT_ERROR permission denied\r\n"), (false, "")] {
        assert_eq!(
            line(Verb::Retrieve { cas: true, first }, Outcome::Denied),
            expected
        );
    }
}

#[test]
fn quiet_is_quiet() {
    let form = Form {
        verb: Verb::Store,
        quiet: true,
    };
    let mut out = Vec::new();
    outcome(&form, Outcome::OutOfMemory, &mut out);
    bad_body(&form, &mut out);
    super::stat(&form, b"a", b"b", &mut out);
    super::stats_end(&form, &mut out);
    super::answer(&form, &mut out);
    assert!(out.is_empty());
}
