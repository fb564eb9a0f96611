//! Mistakes are found where they stand.

use super::*;

#[test]
fn the_first_key_that_is_set_is_the_place() {
    let text = "\nmemory = 100\n[limits]\n# a word\nmax_connections = 0\n[listen]\nadmin = \"a\"\n";
    let cases = [
        (
            "memory is 100B, too little with an item_size of 1MiB",
            Some(2),
        ),
        ("limits.max_connections is 0: choose at least 1", Some(5)),
        (
            "listen.status is 1, which listen.admin has already",
            Some(7),
        ),
        ("item_size is 1: choose more", None),
    ];
    for (message, line) in cases {
        assert_eq!(line_of_first_named(text, message), line, "{message}");
    }
    assert_eq!(line_of_first_named("memory =", "memory is wrong"), None);
    let inline = "a = 1\nlisten = { unix = \"\" }";
    assert_eq!(line_of_first_named(inline, "listen.unix is empty"), Some(2));
}

#[test]
fn a_mode_is_written_in_octal() {
    for good in ["0o600", "\"0600\""] {
        let text = format!("[listen]\nunix_mode = {good}");
        assert_eq!(refuse_decimal_mode(&text), Ok(()), "{good}");
    }
    let error = refuse_decimal_mode("[listen]\nunix_mode = 440").unwrap_err();
    assert!(error.starts_with(":2: listen.unix_mode is 440"), "{error}");
    assert!(
        error.contains("0o440") && error.contains("\"0440\""),
        "{error}"
    );
}
