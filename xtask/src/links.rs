//! Relative links in Markdown must lead to something.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Checks the links of all Markdown files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.markdown()
        .flat_map(|file| check_file(file, tree))
        .collect()
}

fn check_file(file: &File, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for target in targets(line) {
            let path = target.split('#').next().unwrap_or_default();
            let outside = path.contains("://") || path.starts_with("mailto:") || path.is_empty();
            if !outside && !tree.paths.contains(&resolve(&file.path, path)) {
                let message = format!("{target:?} leads nowhere");
                findings.push(Finding::new(file.path.as_str(), number, "link", message));
            }
        }
    }
    findings
}

/// What stands in `](..)` and in `src=".."` or `href=".."`.
fn targets(line: &str) -> Vec<&str> {
    let ways = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
    let found = ways.into_iter().flat_map(|(open, close)| {
        line.match_indices(open)
            .filter_map(move |(at, _)| line[at + open.len()..].split(close).next())
    });
    found.collect()
}

/// The path from the root that a link `to` in the file at `from` means.
fn resolve(from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
#[path = "links_test.rs"]
mod tests;
