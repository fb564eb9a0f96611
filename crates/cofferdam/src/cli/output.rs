//! Standard output: JSON, text and tables.

use std::io::{self, Write};
use std::path::Path;

use base::ByteSize;
use serde::Serialize;

use super::global::Global;
use crate::failure::Failure;

/// Prints `value` as JSON, one line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    text(&line)
}

/// Prints `text` as it is.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Prints `bytes` as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(Failure::output)
}

/// What is worth knowing beside the output, on standard error: for people, or as a line of JSON.
pub(crate) fn note(global: &Global, note: &str) {
    if global.json {
        aside(&serde_json::json!({ "note": note }).to_string());
    } else {
        aside(note);
    }
}

/// A line on standard error. Whether anybody reads it changes nothing of what is done.
pub(crate) fn aside(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// Columns as wide as their widest cell; the first is flush left, the others flush right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(header.get(column).map_or(0, |name| name.len()))
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&header).chain(rows) {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Names flush left before their values.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}\n"))
        .collect()
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    ByteSize(bytes).rounded()
}

/// `path` as one word of a shell's command line.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A figure that is known only where a daemon runs.
pub(crate) fn known(value: Option<u64>, show: impl Fn(u64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

/// A limit, or that there is none.
pub(crate) fn limit(value: Option<u64>, show: impl Fn(u64) -> String) -> String {
    value.map_or_else(|| "none".to_owned(), show)
}

#[cfg(test)]
#[path = "output_test.rs"]
mod tests;
