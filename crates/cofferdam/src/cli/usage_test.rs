//! Mistakes in arguments, each in one line that names the mistake.

use clap::Parser;

use super::*;
use crate::cli::args::Cli;

fn said(line: &str) -> String {
    let words = std::iter::once("cofferdam").chain(line.split_whitespace());
    in_one_line(&Cli::try_parse_from(words).unwrap_err())
}

#[test]
fn the_mistake_is_one_line_without_the_pattern() {
    for (line, words) in [
        ("tenant add acme", ["required", "--memory <SIZE>"]),
        (
            "tenant add acme --memory 1GB",
            ["--memory", "KiB, MiB or GiB"],
        ),
        ("frobnicate", ["unrecognized", "frobnicate"]),
        (
            "tenant lits",
            ["lits", "tip: a similar subcommand exists: 'list'"],
        ),
        ("tenant limit acme", ["required", "--ops"]),
        ("stat --memory 1GiB", ["unexpected", "--memory"]),
        ("", ["no command", "--help"]),
    ] {
        let said = said(line);
        for word in words {
            assert!(said.contains(word), "{line:?}: {said}");
        }
        assert!(!said.contains('\n') && !said.starts_with("error"), "{said}");
        assert!(!said.contains("Usage:"), "{said}");
    }
}

#[test]
fn json_is_asked_for_by_its_flag_alone() {
    assert!(asks_for_json(["tenant", "add", "--json"]));
    assert!(asks_for_json(["--json", "tenant"]));
    assert!(!asks_for_json(["tenant", "add", "--", "--json"]));
    assert!(!asks_for_json(["tenant", "--json-lines"]));
}

#[test]
fn a_global_flag_has_one_value() {
    for line in [
        "--data-dir a state restore f --data-dir b",
        "--data-dir=a stat --data-dir b",
        "up --admin off --admin=127.0.0.1:0",
    ] {
        let error = refuse_repeated(line.split(' ')).unwrap_err();
        let said = in_one_line(&error);
        assert!(said.contains("cannot be used multiple times"), "{said}");
        assert!(!said.contains("Usage:"), "{said}");
    }
    for line in [
        "--data-dir a state restore f",
        "--json stat --json",
        "load --target a --target b",
        "--config a load -- --config b",
    ] {
        assert!(refuse_repeated(line.split(' ')).is_ok(), "{line}");
    }
}
