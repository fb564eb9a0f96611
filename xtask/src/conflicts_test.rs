//! Tests of the rule: both marks are found where they stand, and nothing that only looks like them.

use super::check;
use crate::tree::Tree;

#[test]
fn both_marks_are_found() {
    let text = ["a", "<<<<<<< HEAD", "b", "=======", "c", ">>>>>>> 1234567"].join("\n");
    let findings = check(&Tree::of(&[("CHANGELOG.md", &text)]));
    let lines: Vec<usize> = findings.iter().map(|it| it.line).collect();
    assert_eq!(lines, [2, 6]);
}

#[test]
fn an_underline_and_a_shift_are_no_marks() {
    let files = [("a.md", "Title\n=======\n"), ("b.rs", "1 <<<<<<< 2\n")];
    assert!(check(&Tree::of(&files)).is_empty());
}
