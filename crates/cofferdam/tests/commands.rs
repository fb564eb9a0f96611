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
fn whether_anybody_reads_standard_error_changes_no_exit_code() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut refused = cofferdam();
    refused
        .args(["drill", "run", "wednesday", "--report", "/proc/none/x.md"])
        .stderr(writer);
    let output = refused.output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(2), &b""[..])
    );
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

#[test]
fn a_mistyped_data_folder_is_named_and_not_made() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("typo");
    for args in [
        &["tenant", "list"][..],
        &["tenant", "add", "acme", "--memory", "4MiB"],
        &["state", "backup", "/tmp/never-written"],
        &["stat"],
    ] {
        let output = run(&dir, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let said = stderr(&output);
        assert!(said.contains(dir.to_str().unwrap()), "{args:?}: {said}");
        assert!(!dir.exists(), "{args:?}");
    }
}

#[test]
fn a_file_is_checked_as_a_start_would_and_told_with_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    let cases = [
        ("memory = 100", 1, "memory is 100"),
        ("\nitem_size = \"2GiB\"", 2, "item_size"),
        (
            "item_size = \"1GiB\"\nmemory = \"auto\"",
            1,
            "at least 2GiB",
        ),
        ("[limits]\nmax_connections = 0", 2, "max_connections"),
        (
            "[limits]\n\ndrain_timeout = \"999999999999h\"",
            3,
            "ten years",
        ),
        ("threads = -3", 1, "threads: \"-3\" is not a whole number"),
        ("[listen]\nunix_mode = 600", 2, "0o600"),
        ("[listen]\nadmin = \"127.0.0.1:11212\"", 2, "own port"),
        ("[listen]\nunix = \"/nonexistent/s\"", 2, "no folder"),
        (
            "[listen]\nmemcache_tls = \"127.0.0.1:0\"\n[tls]\ncertificate = \"/no/c\"\nkey = \"/no/k\"",
            4,
            "/no/c",
        ),
    ];
    for (text, line, word) in cases {
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        for args in [&["check-config", path][..], &["up", "--config", path]] {
            let output = run(dir.path(), args);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{text}: {said}");
            assert!(said.contains(word), "{text}: {said}");
            if args.len() == 2 {
                assert!(said.contains(&format!("c.toml:{line}: ")), "{text}: {said}");
            }
        }
    }
    let page = run(dir.path(), &["check-config", "--reference", "--json"]);
    assert_eq!(page.status.code(), Some(2), "{}", stderr(&page));
}

#[test]
fn a_store_in_the_clear_on_another_machine_is_refused_before_a_start_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    let path = file.to_str().unwrap();
    for (place, why) in [
        ("http://10.0.0.11:2379", "use https"),
        ("10.0.0.11:2379", "no URL"),
    ] {
        fs::write(&file, format!("[store]\nendpoints = [{place:?}]")).unwrap();
        let output = run(dir.path(), &["check-config", path]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{place}: {said}");
        for word in ["c.toml:2: ", "store.endpoints", place, why] {
            assert!(said.contains(word), "{place}: {said}");
        }
    }
}

#[test]
fn a_failed_start_is_a_line_of_the_log_where_that_is_json() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = dir.path().join("c.toml");
    fs::write(&file, "log_format = \"json\"").unwrap();
    for how in [
        ["--log-format", "json"],
        ["--config", file.to_str().unwrap()],
    ] {
        let mut args = vec![
            "up",
            "--memcache",
            "127.0.0.1:0",
            "--memcache-auth",
            &address,
        ];
        args.extend(how);
        let output = run(dir.path(), &args);
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        let mut lines = said
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let last = lines.next_back().unwrap();
        assert_eq!(last["level"], "ERROR", "{last}");
        assert!(
            last["message"].as_str().unwrap().contains(&address),
            "{last}"
        );
    }
}

#[test]
fn values_of_flags_are_offered() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(dir.path(), &["completions", shell]).stdout;
        let script = String::from_utf8_lossy(&script).into_owned();
        for word in ["binary", "sasl", "zipf", "poisson", "flush"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn what_has_no_meaning_here_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let add = ["tenant", "add", "acme", "--memory", "4MiB"];
    let spread = run(dir.path(), &[&add[..], &["--gateways", "3"]].concat());
    assert_eq!(spread.status.code(), Some(1));
    assert!(
        stderr(&spread).contains("no gateway of a fleet"),
        "{}",
        stderr(&spread)
    );
    let added = run(dir.path(), &add);
    assert!(added.status.success(), "{}", stderr(&added));
    assert!(
        stderr(&added).contains("of the last run"),
        "{}",
        stderr(&added)
    );
    let typo = run(dir.path(), &["tenant", "lst", "--json"]);
    let error: Value = serde_json::from_slice(&typo.stderr).unwrap();
    assert!(
        error["error"].as_str().unwrap().contains("; tip: "),
        "{error}"
    );
}
