//! Tests of licence expressions.

use super::{check, is_allowed};
use crate::metadata::{Metadata, Package};

#[test]
fn expressions_are_met_by_the_list() {
    for expression in [
        "MIT",
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "Apache-2.0 AND ISC",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    ] {
        assert!(is_allowed(expression), "{expression}");
    }
}

#[test]
fn expressions_that_bind_us_are_refused() {
    for expression in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "GPL-2.0 WITH Classpath-exception-2.0",
        "(MIT OR Apache-2.0",
        "MIT OR",
        "MIT Apache-2.0",
    ] {
        assert!(!is_allowed(expression), "{expression}");
    }
}

#[test]
fn packages_need_a_licence_and_the_registry() {
    let package = |licence: Option<&str>, source: Option<&str>| Package {
        licence: licence.map(str::to_owned),
        source: source.map(str::to_owned),
        ..Package::default()
    };
    let metadata = Metadata {
        packages: vec![
            package(Some("MIT"), None),
            package(None, None),
            package(Some("MIT"), Some("git+https://example.org/x")),
        ],
    };
    let rules: Vec<&str> = check(&metadata).iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["licence", "source"]);
}
