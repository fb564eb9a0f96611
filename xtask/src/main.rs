//! Checks the rules of the house that compilers and linters do not know: `cargo xtask tidy`.
#![forbid(unsafe_code)]

mod conflicts;
mod crates;
mod finding;
mod length;
mod licence;
mod links;
mod metadata;
mod scan;
mod source_rules;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use finding::Finding;
use metadata::Metadata;

const USAGE: &str = "usage: cargo xtask tidy [--lower]\n\
    tidy            check every rule of the house\n\
    tidy --lower    also write the present lengths of long files to xtask/long-files.txt";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let lower = match args.as_slice() {
        ["tidy"] => false,
        ["tidy", "--lower"] => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match tidy(&workspace_root(), lower) {
        Ok(findings) => report(&findings),
        Err(why) => {
            eprintln!("tidy: {why}");
            ExitCode::FAILURE
        }
    }
}

fn workspace_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// Runs every rule; `lower` first writes the ratchet's list down to what the files are now.
fn tidy(root: &Path, lower: bool) -> Result<Vec<Finding>, String> {
    let tree = tree::read(root)?;
    let metadata = Metadata::load(root)?;
    if lower {
        length::lower(root, &tree)?;
    }
    let mut findings = Vec::new();
    for file in tree.rust() {
        findings.extend(source_rules::check(file));
    }
    findings.extend(length::check(&length::read_list(root)?, &tree));
    findings.extend(links::check(&tree));
    findings.extend(conflicts::check(&tree));
    findings.extend(crates::check(&metadata, &tree));
    findings.extend(licence::check(&metadata));
    Ok(findings)
}

fn report(findings: &[Finding]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: all rules hold");
        ExitCode::SUCCESS
    } else {
        eprintln!("tidy: {} findings", findings.len());
        ExitCode::FAILURE
    }
}
