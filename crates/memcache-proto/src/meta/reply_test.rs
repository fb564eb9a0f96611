//! Tests of meta answers that no conversation of the other tests comes to.

use base::kv::Outcome;

use super::{Form, Verb, outcome};

fn line(verb: Verb, what: Outcome) -> String {
    let form = Form {
        verb,
        quiet: true,
        base64: false,
        value: false,
        known_cas: None,
    };
    let mut out = Vec::new();
    outcome(&form, b"key", b"k O1", what, &mut out);
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
