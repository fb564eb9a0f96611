//! Who may know whom: the edges between crates, and the attributes that each must carry.

use crate::finding::Finding;
use crate::metadata::{Metadata, Package};
use crate::source_rules::UNSAFE_ALLOWED;
use crate::tree::Tree;

/// One crate of the workspace and what it may have heard of.
struct Rule {
    name: &'static str,
    /// The crates of the workspace that it may need.
    may_need: &'static [&'static str],
    /// Whether anything that does I/O, keeps time or draws randomness is out of its reach.
    pure: bool,
}

/// The map of ARCHITECTURE.md, in the form that fails a build.
const RULES: [Rule; 15] = [
    Rule {
        name: "base",
        may_need: &[],
        pure: true,
    },
    Rule {
        name: "memcache-proto",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "nbd-proto",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "node-proto",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "cache",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "admission",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "fleet",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "gateway",
        may_need: &["admission", "base", "fleet", "memcache-proto", "node-proto"],
        pure: true,
    },
    Rule {
        name: "node",
        may_need: &["base", "fleet", "gateway", "node-proto"],
        pure: true,
    },
    Rule {
        name: "volume",
        may_need: &["admission", "base"],
        pure: true,
    },
    Rule {
        name: "status",
        may_need: &["base"],
        pure: true,
    },
    Rule {
        name: "runtime",
        may_need: &[
            "admission",
            "base",
            "fleet",
            "gateway",
            "memcache-proto",
            "nbd-proto",
            "node",
            "node-proto",
            "volume",
        ],
        pure: false,
    },
    Rule {
        name: "sim",
        may_need: &[
            "admission",
            "base",
            "cache",
            "fleet",
            "gateway",
            "memcache-proto",
            "node",
            "node-proto",
        ],
        pure: true,
    },
    Rule {
        name: "drill",
        may_need: &["base", "fleet", "memcache-proto", "runtime"],
        pure: false,
    },
    Rule {
        name: "cofferdam",
        may_need: &[
            "admission",
            "base",
            "cache",
            "drill",
            "fleet",
            "gateway",
            "memcache-proto",
            "node",
            "node-proto",
            "runtime",
            "status",
        ],
        pure: false,
    },
];

/// Packages that a pure crate may not reach over any number of steps.
///
/// `libc` is not among them: hash functions ask it which instructions the processor has.
const IMPURE: [&str; 15] = [
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "mio",
    "nix",
    "polling",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "time",
    "tokio",
    "tracing-subscriber",
];

/// Checks every crate of the workspace.
pub(crate) fn check(metadata: &Metadata, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.own() {
        if package.name != "xtask" {
            findings.extend(edges(package, metadata));
        }
        if !UNSAFE_ALLOWED.contains(&package.name.as_str()) {
            findings.extend(forbids_unsafe(package, tree));
        }
    }
    findings
}

fn edges(package: &Package, metadata: &Metadata) -> Vec<Finding> {
    let add = |message| Finding::new(package.name.as_str(), 0, "edges", message);
    let Some(rule) = RULES.iter().find(|rule| rule.name == package.name) else {
        let message = "say in xtask/src/crates.rs what this crate may need".to_owned();
        return vec![add(message)];
    };
    let direct = package.needs.iter().filter_map(|id| metadata.get(id));
    let strangers = direct
        .filter(|need| need.source.is_none() && !rule.may_need.contains(&need.name.as_str()))
        .map(|need| add(format!("may not know `{}`", need.name)));
    let impure = metadata
        .closure(package)
        .into_iter()
        .filter(|need| rule.pure && IMPURE.contains(&need.name.as_str()))
        .map(|need| add(format!("is pure, but reaches `{}`", need.name)));
    strangers.chain(impure).collect()
}

fn forbids_unsafe(package: &Package, tree: &Tree) -> Vec<Finding> {
    let carries = |root: &&String| {
        let file = tree
            .rust()
            .find(|file| root.ends_with(&format!("/{}", file.path)));
        file.is_some_and(|file| file.text.contains("\n#![forbid(unsafe_code)]\n"))
    };
    let without = package.roots.iter().filter(|root| !carries(root));
    without
        .map(|root| {
            let message = "carry `#![forbid(unsafe_code)]` below the opening";
            Finding::new(root.as_str(), 0, "unsafe", message)
        })
        .collect()
}

#[cfg(test)]
#[path = "crates_test.rs"]
mod tests;
