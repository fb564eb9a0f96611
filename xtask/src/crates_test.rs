//! Tests of the edges between crates.

use super::check;
use crate::metadata::{Metadata, Package};
use crate::tree::Tree;

fn own(name: &str, needs: &[&str]) -> Package {
    Package {
        id: name.to_owned(),
        name: name.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        ..Package::default()
    }
}

fn foreign(name: &str, needs: &[&str]) -> Package {
    Package {
        source: Some("registry".to_owned()),
        ..own(name, needs)
    }
}

fn messages(packages: Vec<Package>) -> Vec<String> {
    let findings = check(&Metadata { packages }, &Tree::default());
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn allowed_edges_pass() {
    let packages = vec![own("base", &[]), own("cache", &["base"])];
    assert!(messages(packages).is_empty());
}

#[test]
fn the_gateway_has_never_heard_of_the_cache() {
    let packages = vec![own("cache", &[]), own("gateway", &["cache"])];
    assert_eq!(
        messages(packages),
        ["gateway: [edges] may not know `cache`"]
    );
}

#[test]
fn purity_is_judged_over_any_number_of_steps() {
    let packages = vec![
        own("cache", &["helper"]),
        foreign("helper", &["mio"]),
        foreign("mio", &[]),
    ];
    assert_eq!(
        messages(packages),
        ["cache: [edges] is pure, but reaches `mio`"]
    );
    let packages = vec![own("runtime", &["mio"]), foreign("mio", &[])];
    assert!(messages(packages).is_empty());
}

#[test]
fn a_new_crate_needs_a_rule() {
    assert!(messages(vec![own("surprise", &[])])[0].contains("say in xtask"));
}

#[test]
fn roots_forbid_unsafe() {
    let mut package = own("base", &[]);
    package.roots = vec!["/w/crates/base/src/lib.rs".to_owned()];
    let metadata = Metadata {
        packages: vec![package],
    };
    let path = "crates/base/src/lib.rs";
    let with = Tree::of(&[(path, "//! Words.\n#![forbid(unsafe_code)]\n")]);
    assert!(check(&metadata, &with).is_empty());
    let without = Tree::of(&[(path, "//! Words.\n")]);
    assert_eq!(check(&metadata, &without)[0].rule, "unsafe");
}
