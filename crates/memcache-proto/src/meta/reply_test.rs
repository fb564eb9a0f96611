//! Tests of meta answers that no conversation of the other tests comes to.

use base::kv::Outcome;

use super::{Form, Verb, outcome};

fn line(verb: Verb, what: Outcome) -> String {
    line_with(verb, b"k O1", what)
}

fn line_with(verb: Verb, flags: &[u8], what: Outcome) -> String {
    let form = Form {
        verb,
        quiet: true,
        base64: false,
        value: false,
        known_cas: None,
        sent_len: 5,
    };
    let mut out = Vec::new();
    outcome(&form, b"key", flags, what, &mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn errors_are_not_quiet() {
    for (verb, what, expected) in [
        (
            Verb::Set,
            Outcome::OutOfMemory,
            "SERVER_ERROR out of memory storing object\r\n",
        ),
        (
            Verb::Arith,
            Outcome::OutOfMemory,
            "SERVER_ERROR out of memory\r\n",
        ),
        (
            Verb::Set,
            Outcome::TooLarge,
            "SERVER_ERROR object too large for cache\r\n",
        ),
        (
            Verb::Get,
            Outcome::Denied,
            "CLIENT_ERROR permission denied\r\n",
        ),
    ] {
        assert_eq!(line(verb, what), expected);
    }
}

#[test]
fn quiet_is_about_what_is_expected() {
    assert_eq!(line(Verb::Get, Outcome::Miss), "");
    assert_eq!(line(Verb::Delete, Outcome::Deleted), "");
    assert_eq!(line(Verb::Delete, Outcome::NotFound), "NF kkey O1\r\n");
    assert_eq!(line(Verb::Set, Outcome::NotStored), "NS kkey O1\r\n");
    assert_eq!(line(Verb::Set, Outcome::Exists), "EX kkey O1\r\n");
}

#[test]
fn a_set_that_failed_gives_the_length_that_came_and_no_cas() {
    for (what, expected) in [
        (Outcome::NotStored, "NS s5 kkey c0\r\n"),
        (Outcome::Exists, "EX s5 kkey c0\r\n"),
        (Outcome::NotFound, "NF s5 kkey c0\r\n"),
    ] {
        assert_eq!(line_with(Verb::Set, b"s k c", what), expected);
    }
    let deleted = line_with(Verb::Delete, b"s k c", Outcome::NotFound);
    assert_eq!(deleted, "NF kkey\r\n");
}
