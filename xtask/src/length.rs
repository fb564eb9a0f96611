//! The ratchet on file length: long files are listed with their length, and may only shrink.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::finding::Finding;
use crate::tree::Tree;

/// Lines that a file may have without being listed.
const LINES_MAX: usize = 400;

const LIST: &str = "xtask/long-files.txt";

const HEADER: &str = "# Files above 400 lines and their length. A listed file may only shrink; \
    none is added.\n# After shrinking one: cargo xtask tidy --lower\n";

/// Listed length by path.
pub(crate) type List = BTreeMap<String, usize>;

/// Reads the committed list.
pub(crate) fn read_list(root: &Path) -> Result<List, String> {
    let text =
        fs::read_to_string(root.join(LIST)).map_err(|why| format!("cannot read {LIST}: {why}"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<List, String> {
    let lines = text
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty());
    lines
        .map(|line| {
            let (length, path) = line.split_once(' ').unwrap_or_default();
            match length.parse() {
                Ok(length) => Ok((path.to_owned(), length)),
                Err(_) => Err(format!("{LIST}: {line:?} is not `LINES PATH`")),
            }
        })
        .collect()
}

/// Compares the files with the list.
pub(crate) fn check(list: &List, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let length = file.text.lines().count();
        let add = |message: String| Finding::new(file.path.as_str(), 0, "length", message);
        findings.extend(match list.get(&file.path) {
            None if length > LINES_MAX => Some(add(format!(
                "{length} lines, {LINES_MAX} are allowed: split it by subject"
            ))),
            Some(listed) if length > *listed => Some(add(format!(
                "grew from {listed} to {length} lines: it may only shrink"
            ))),
            Some(listed) if length < *listed => Some(add(format!(
                "shrank from {listed} to {length} lines: run `cargo xtask tidy --lower`"
            ))),
            _ => None,
        });
    }
    let gone = list.keys().filter(|path| tree.get(path).is_none());
    findings.extend(gone.map(|path| {
        Finding::new(
            LIST,
            0,
            "length",
            format!("{path} is gone: run `cargo xtask tidy --lower`"),
        )
    }));
    findings
}

/// Writes the list down to what the files are now: entries shrink or go, none is added.
pub(crate) fn lower(root: &Path, tree: &Tree) -> Result<(), String> {
    let text = render(&lowered(&read_list(root)?, tree));
    fs::write(root.join(LIST), text).map_err(|why| format!("cannot write {LIST}: {why}"))
}

fn lowered(list: &List, tree: &Tree) -> List {
    list.iter()
        .filter_map(|(path, listed)| {
            let length = tree.get(path)?.text.lines().count().min(*listed);
            (length > LINES_MAX).then(|| (path.clone(), length))
        })
        .collect()
}

fn render(list: &List) -> String {
    let lines = list
        .iter()
        .map(|(path, length)| format!("{length} {path}\n"));
    HEADER.to_owned() + &lines.collect::<String>()
}

#[cfg(test)]
#[path = "length_test.rs"]
mod tests;
