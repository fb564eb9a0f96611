//! Only a yes is a yes.

use super::*;

fn is_done(answer: &str) -> bool {
    let mut said = Vec::new();
    let outcome = ask("Remove acme?", &mut answer.as_bytes(), &mut said);
    assert_eq!(said, b"Remove acme? [y/N] ");
    outcome.is_ok()
}

#[test]
fn whoever_says_nothing_or_something_else_means_no() {
    for answer in ["y\n", "Y\n", "yes\n", " YES \n", "y"] {
        assert!(is_done(answer), "{answer:?}");
    }
    for answer in ["", "\n", "n\n", "no\n", "yess\n", "acme\n"] {
        assert!(!is_done(answer), "{answer:?}");
    }
}

#[test]
fn what_was_said_beforehand_is_not_asked() {
    assert!(confirm("Remove acme?", true).is_ok());
}
