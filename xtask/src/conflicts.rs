//! No mark of an unfinished merge may be left in what people read.

use crate::finding::Finding;
use crate::tree::Tree;

/// Checks all Rust and Markdown files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.rust().chain(tree.markdown());
    let lines = files.flat_map(|file| (1..).zip(file.text.lines()).map(move |line| (file, line)));
    lines
        .filter(|(_, (_, line))| is_mark(line))
        .map(|(file, (number, _))| {
            let message = "a merge was left unfinished here".to_owned();
            Finding::new(file.path.as_str(), number, "conflict", message)
        })
        .collect()
}

/// Whether a line stands where one side of a conflict begins or ends.
fn is_mark(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> "]
        .iter()
        .any(|mark| line.starts_with(mark))
}

#[cfg(test)]
#[path = "conflicts_test.rs"]
mod tests;
