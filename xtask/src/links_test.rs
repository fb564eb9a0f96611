//! Tests of the check on links.

use super::{check, resolve};
use crate::tree::Tree;

#[test]
fn links_resolve_from_their_file() {
    assert_eq!(resolve("README.md", "docs/a.md"), "docs/a.md");
    assert_eq!(resolve("docs/a.md", "../README.md"), "README.md");
    assert_eq!(resolve("docs/a.md", "./b/"), "docs/b");
}

#[test]
fn dead_links_are_found_and_others_are_not() {
    let text = "[a](docs/a.md#x) [b](https://example.org) [c](#here)\n[d](gone.md)\n\
        ```\n[e](gone.md)\n```\n<img src=\"gone.svg\">\n";
    let tree = Tree::of(&[("README.md", text), ("docs/a.md", "")]);
    let lines: Vec<usize> = check(&tree).iter().map(|f| f.line).collect();
    assert_eq!(lines, [2, 6]);
}
