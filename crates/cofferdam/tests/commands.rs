//! The binary's commands where no daemon runs: codes, mistakes, pages.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn cofferdam() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
    // The user's own configuration is none of a test's business.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}

/// Runs one command on the data folder `dir`.
fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = cofferdam();
    command.args(args).arg("--data-dir").arg(dir);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn mistakes_have_their_codes_and_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    fs::write(&file, "threads = 1\nthreds = 2\n").unwrap();
    let file = file.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["up", "--memcache", "0.0.0.0:11211"], 1, "loopback"),
        (&["up", "--memory", "1MiB"], 1, "item_size"),
        (&["check-config", file], 1, "bad.toml:2: "),
        (&["stat"], 1, "cofferdam up"),
        (&["tenant", "add", "acme"], 2, "--memory"),
        (&["load", "--connections", "0"], 2, "connections"),
        (&["up", "--protections", "off"], 2, "COFFERDAM_DRILL"),
    ];
    for (args, code, word) in cases {
        let output = run(dir.path(), args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(word),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(
            code == 2 || stderr(&output).lines().count() == 1,
            "{}",
            stderr(&output)
        );
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut command = cofferdam();
    command
        .arg("man")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn scripts_and_pages_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(dir.path(), &["completions", shell]);
        assert!(
            String::from_utf8_lossy(&script.stdout).contains("tenant"),
            "{shell}"
        );
    }
    let pages = dir.path().join("man");
    let missing = run(dir.path(), &["man", pages.to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(!pages.exists() && stderr(&missing).contains("create it"));
    fs::create_dir(&pages).unwrap();
    assert!(
        run(dir.path(), &["man", pages.to_str().unwrap()])
            .status
            .success()
    );
    assert!(pages.join("cofferdam-tenant-add.1").exists());
}

#[test]
fn failures_are_json_where_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["tenant", "show", "nobody", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let last = stderr(&output).lines().last().unwrap().to_owned();
    let error: Value = serde_json::from_str(&last).unwrap();
    assert!(error["error"].as_str().unwrap().contains("nobody"));
    for line in stderr(&output).lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn wrong_usage_is_json_too_where_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["tenant", "add", "acme", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("--memory"));
    let help = run(dir.path(), &["tenant", "add", "--help", "--json"]);
    assert!(help.status.success() && help.stderr.is_empty());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--item-size"));
}

#[test]
fn traffic_is_limited_without_a_daemon_too() {
    let dir = tempfile::tempdir().unwrap();
    let limit = |more: &[&str]| {
        let mut args = vec!["tenant", "limit", "default", "--json"];
        args.extend(more);
        run(dir.path(), &args)
    };
    let limited = limit(&["--ops", "1000", "--burst", "250ms"]);
    let view: Value = serde_json::from_slice(&limited.stdout).unwrap();
    assert_eq!(view["traffic"]["ops_per_second"], 1000);
    assert_eq!(view["traffic"]["burst_ms"], 250);
    let unlimited = limit(&["--ops", "none"]);
    let view: Value = serde_json::from_slice(&unlimited.stdout).unwrap();
    assert!(view["traffic"]["ops_per_second"].is_null());
    assert_eq!(view["traffic"]["burst_ms"], 250);
    let refused = limit(&["--weight", "0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--weight 1 to 10000"));
}

#[test]
fn a_listener_in_use_is_named_with_its_flag() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let up = [
        "up",
        "--memcache",
        "127.0.0.1:0",
        "--memcache-auth",
        &address,
    ];
    let output = run(dir.path(), &up);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("--memcache-auth"),
        "{}",
        stderr(&output)
    );
}
