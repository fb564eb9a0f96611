//! Licences of dependencies: every expression must be met by licences on the list.

use crate::finding::Finding;
use crate::metadata::Metadata;

/// Licences that ask for no more than a notice.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Where packages may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks licence and origin of every package.
pub(crate) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let mut add = |rule, message| {
            let place = format!("{} {}", package.name, package.version);
            findings.push(Finding::new(place, 0, rule, message));
        };
        match &package.licence {
            None => add("licence", "states no licence".to_owned()),
            Some(expression) if !is_allowed(expression) => {
                add("licence", format!("{expression:?} is not on the list"));
            }
            Some(_) => {}
        }
        match &package.source {
            Some(source) if source != REGISTRY => {
                add("source", format!("comes from {source}, not from crates.io"));
            }
            _ => {}
        }
    }
    findings
}

/// Whether an SPDX expression can be met: `OR` by either side, `AND` by both.
///
/// Grammar: <https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>; the slash of old
/// manifests means `OR`.
pub(crate) fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ");
    let spaced = spaced.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words };
    parser.either() == Some(true) && parser.words.is_empty()
}

/// Each method says whether its part is met, or nothing where the part is malformed.
struct Parser<'a> {
    words: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> Option<()> {
        let is_next = self.words.first() == Some(&word);
        is_next.then(|| self.words = &self.words[1..])
    }

    fn either(&mut self) -> Option<bool> {
        let mut met = self.both()?;
        while self.take("OR").is_some() {
            met |= self.both()?;
        }
        Some(met)
    }

    fn both(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND").is_some() {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(").is_some() {
            let met = self.either()?;
            self.take(")")?;
            return Some(met);
        }
        let name = self.next()?;
        if self.take("WITH").is_some() {
            let exception = self.next()?;
            return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(&name))
    }
}

#[cfg(test)]
#[path = "licence_test.rs"]
mod tests;
