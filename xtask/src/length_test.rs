//! Tests of the ratchet: growth and new long files fail, shrinking lowers the list.

use super::{check, lowered, parse, render};
use crate::tree::Tree;

fn tree(lengths: &[(&str, usize)]) -> Tree {
    let texts: Vec<(&str, String)> = lengths
        .iter()
        .map(|(path, lines)| (*path, "x\n".repeat(*lines)))
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (*p, t.as_str())).collect();
    Tree::of(&files)
}

fn messages(list: &str, files: &[(&str, usize)]) -> Vec<String> {
    let list = parse(list).expect("list");
    let findings = check(&list, &tree(files));
    findings.into_iter().map(|f| f.message).collect()
}

#[test]
fn four_hundred_lines_need_no_entry() {
    assert!(messages("", &[("a.rs", 400)]).is_empty());
    assert!(messages("", &[("a.rs", 401)])[0].contains("split it"));
}

#[test]
fn a_listed_file_may_only_shrink() {
    assert!(messages("500 a.rs", &[("a.rs", 500)]).is_empty());
    assert!(messages("500 a.rs", &[("a.rs", 501)])[0].contains("grew"));
    assert!(messages("500 a.rs", &[("a.rs", 499)])[0].contains("--lower"));
    assert!(messages("500 a.rs", &[])[0].contains("gone"));
}

#[test]
fn lowering_never_raises_or_adds() {
    let list = parse("# comment\n500 a.rs\n600 b.rs\n450 c.rs\n").expect("list");
    let files = tree(&[("a.rs", 450), ("b.rs", 700), ("c.rs", 10), ("d.rs", 900)]);
    let text = render(&lowered(&list, &files));
    assert!(text.ends_with("\n450 a.rs\n600 b.rs\n"), "{text}");
    assert!(parse(&text).is_ok());
}

#[test]
fn a_broken_list_is_refused() {
    assert!(parse("many a.rs").is_err());
    assert!(parse("12").is_err());
}
