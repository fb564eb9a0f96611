//! The documentation says what the code does: defaults parse to the defaults, the page is current.

use super::*;

/// Every key set to the default that the documentation shows.
fn all_defaults() -> String {
    let mut file = String::new();
    for table in TABLES {
        if !table.name.is_empty() {
            writeln!(file, "[{}]", table.name).unwrap();
        }
        for key in table.keys {
            if let Unsaid::Default(value) = key.unsaid {
                writeln!(file, "{} = {value}", key.name).unwrap();
            }
        }
    }
    file
}

#[test]
fn the_shown_defaults_are_the_defaults() {
    assert_eq!(Config::parse(&all_defaults()).unwrap(), Config::default());
}

#[test]
fn the_shown_examples_are_valid() {
    let with_examples: String = default_file()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' ')) =>
            {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let config = Config::parse(&with_examples).unwrap();
    assert!(config.data_dir.is_some() && config.listen.unix.is_some());
}

#[test]
fn the_default_file_changes_nothing() {
    assert_eq!(Config::parse(&default_file()).unwrap(), Config::default());
}

#[test]
fn the_committed_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == reference_page(),
        "docs/configuration.md is stale: cargo run -- check-config --reference > docs/configuration.md"
    );
}
