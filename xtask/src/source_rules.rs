//! The rules that look at one Rust file.

use crate::finding::Finding;
use crate::scan::{Line, scan};
use crate::tree::File;

/// Crates at the edge: they may read clocks, draw randomness and touch sockets and files.
const EDGE: [&str; 4] = ["runtime", "drill", "cofferdam", "xtask"];

/// Crates that may hold `unsafe`.
pub(crate) const UNSAFE_ALLOWED: [&str; 2] = ["runtime", "cache"];

/// Crates that may write to standard output and standard error.
const PRINTING: [&str; 2] = ["cofferdam", "xtask"];

/// How far above an `unsafe` its invariant may be stated, in lines.
const SAFETY_REACH: usize = 8;

/// What only the edge may do, and what to do instead.
const EDGE_ONLY: [(&str, &str); 14] = [
    ("Instant::now", "take `now: Timestamp`"),
    ("SystemTime::now", "take `now: Timestamp`"),
    ("thread::sleep", "report a timeout through `poll_timeout`"),
    ("thread::spawn", "threads belong to `runtime`"),
    ("getrandom", "take a seed"),
    ("thread_rng", "take a seed"),
    ("RandomState", "take a keyed hash"),
    ("TcpStream", "take bytes, give bytes"),
    ("TcpListener", "take bytes, give bytes"),
    ("UdpSocket", "take bytes, give bytes"),
    ("UnixStream", "take bytes, give bytes"),
    ("UnixListener", "take bytes, give bytes"),
    ("std::fs", "files belong to `runtime`"),
    ("std::env", "the environment belongs to `cofferdam`"),
];

/// Checks one file against all of them.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let lines = scan(&file.text);
    let mut found = Found {
        file,
        findings: Vec::new(),
    };
    found.opening();
    found.unfinished(&lines);
    found.silenced(&lines);
    found.inline_tests(&lines);
    found.unsafety(&lines);
    if !file.is_test() {
        found.edge(&lines);
        found.printing(&lines);
    }
    found.findings
}

struct Found<'a> {
    file: &'a File,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn add(&mut self, line: usize, rule: &'static str, message: impl Into<String>) {
        let finding = Finding::new(self.file.path.as_str(), line, rule, message);
        self.findings.push(finding);
    }

    /// The first paragraph of the file is one sentence about it.
    fn opening(&mut self) {
        let sentence: Vec<&str> = self
            .file
            .text
            .lines()
            .map_while(|line| line.strip_prefix("//! "))
            .collect();
        let Some(last) = sentence.last() else {
            return self.add(1, "opening", "open the file with a `//!` sentence about it");
        };
        let last = last.trim_end().trim_end_matches([')', '"', '`']);
        if !last.ends_with(['.', ':', '?', '!']) {
            self.add(sentence.len(), "opening", "end the opening sentence");
        }
    }

    /// Nothing is left for later.
    fn unfinished(&mut self, lines: &[Line]) {
        for (number, line) in numbered(lines) {
            let macros = ["todo", "unimplemented"];
            let in_code = macros.iter().any(|name| has_macro(&line.code, name));
            let marks = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME"];
            let in_comment = marks.iter().any(|mark| has_word(&line.comment, mark));
            if in_code || in_comment {
                self.add(number, "unfinished", "finish it, or open an issue");
            }
        }
    }

    /// Lints are mended; where one is wrong, the reason is written down and checked.
    fn silenced(&mut self, lines: &[Line]) {
        for (number, line) in numbered(lines) {
            let code = line.code.trim_start();
            if code.starts_with("#[allow(") || code.starts_with("#![allow(") {
                self.add(
                    number,
                    "silenced",
                    "mend it, or `#[expect(.., reason = ..)]`",
                );
            }
            let expects = code.starts_with("#[expect(") || code.starts_with("#![expect(");
            let attribute = lines.iter().skip(number - 1).take(6);
            let mut text = String::new();
            for part in attribute {
                text.push_str(&part.code);
                if part.code.contains(")]") {
                    break;
                }
            }
            if expects && !text.contains("reason") {
                self.add(number, "silenced", "give the `#[expect]` a reason");
            }
        }
    }

    /// Tests live in a sibling file.
    fn inline_tests(&mut self, lines: &[Line]) {
        for (number, line) in numbered(lines) {
            let code = line.code.trim();
            let opens = code.starts_with("mod ") && code.ends_with('{');
            let earlier = lines[..number - 1]
                .iter()
                .rev()
                .map(|line| line.code.trim());
            let marked = earlier
                .take_while(|code| code.starts_with("#["))
                .any(|code| code.starts_with("#[cfg(test)]"));
            if opens && (marked || code == "mod tests {" || code == "mod test {") {
                self.add(number, "tests", "move the tests to a sibling `.._test.rs`");
            }
        }
    }

    /// `unsafe` is rare, in known places, and says why it holds.
    fn unsafety(&mut self, lines: &[Line]) {
        let allowed = UNSAFE_ALLOWED.contains(&self.file.crate_name());
        for (number, line) in numbered(lines) {
            if !has_word(&line.code, "unsafe") {
                continue;
            }
            if !allowed {
                self.add(number, "unsafe", "`unsafe` lives in runtime and cache only");
                continue;
            }
            let first = number.saturating_sub(SAFETY_REACH + 1);
            let stated = lines[first..number]
                .iter()
                .any(|line| line.comment.contains("SAFETY:") || line.comment.contains("# Safety"));
            let opens = line.code.contains("unsafe {") || line.code.contains("unsafe impl");
            if opens && !stated {
                self.add(
                    number,
                    "unsafe",
                    "state the invariant in a `// SAFETY:` above",
                );
            }
        }
    }

    /// Time, randomness, sockets and files belong to the edge.
    fn edge(&mut self, lines: &[Line]) {
        if EDGE.contains(&self.file.crate_name()) {
            return;
        }
        for (number, line) in numbered(lines) {
            for (name, instead) in EDGE_ONLY {
                if has_word(&line.code, name) {
                    self.add(number, "edge", format!("no `{name}` here: {instead}"));
                }
            }
        }
    }

    /// Only programs speak to a person.
    fn printing(&mut self, lines: &[Line]) {
        if PRINTING.contains(&self.file.crate_name()) {
            return;
        }
        for (number, line) in numbered(lines) {
            for name in ["println", "print", "eprintln", "eprint", "dbg"] {
                if has_macro(&line.code, name) {
                    self.add(number, "printing", "return it, or log it through `tracing`");
                }
            }
        }
    }
}

fn numbered(lines: &[Line]) -> impl Iterator<Item = (usize, &Line)> {
    (1..).zip(lines)
}

/// Whether `text` holds `word` with nothing that belongs to a word on either side.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn has_macro(code: &str, name: &str) -> bool {
    has_word(code, name) && code.contains(&format!("{name}!"))
}

#[cfg(test)]
#[path = "source_rules_test.rs"]
mod tests;
