//! Names stay within their alphabet and length; user names are free when they are made.

use super::*;

#[test]
fn names_are_lower_case_letters_digits_and_hyphens() {
    let long = "a".repeat(63);
    for name in ["a", "0", "acme", "acme-2", "a-", long.as_str()] {
        assert!(check(name).is_ok(), "{name}");
    }
    let too_long = "a".repeat(64);
    for name in [
        "",
        "-a",
        "A",
        "a_b",
        "a b",
        "a.b",
        "ä",
        "a\n",
        "a/../b",
        too_long.as_str(),
    ] {
        let error = check(name).unwrap_err();
        assert!(matches!(error, ControlError::Invalid(_)), "{name}");
    }
    assert!(matches!(check("default"), Err(ControlError::Taken(_))));
}

#[test]
fn a_username_is_the_tenant_s_name_or_begins_with_it() {
    assert_eq!(username("acme", |_| false).unwrap(), "acme");
    let other = username("acme", |name| name == "acme").unwrap();
    assert!(other.starts_with("acme-") && other.len() == 11, "{other}");
}

#[test]
fn the_longest_name_leaves_room_for_a_suffix() {
    let name = "a".repeat(63);
    let username = username(&name, |used| used == name).unwrap();
    assert_eq!(username.len(), 64);
}
