//! Flags stand where the manual says they may, and nowhere else.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;
use crate::logging::LogFormat;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    let words = line.split_whitespace();
    Cli::try_parse_from(std::iter::once("cofferdam").chain(words))
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn global_flags_stand_before_or_after_the_subcommand() {
    let lines = [
        "--data-dir /d --json --admin 127.0.0.1:1 --config /c --log-format json tenant list",
        "tenant --data-dir /d --json --admin 127.0.0.1:1 --config /c --log-format json list",
        "tenant list --data-dir /d --json --admin 127.0.0.1:1 --config /c --log-format json",
    ];
    for line in lines {
        let global = parse(line).unwrap().global;
        assert_eq!(global.data_dir.as_deref(), Some(Path::new("/d")), "{line}");
        assert_eq!(global.config.as_deref(), Some(Path::new("/c")), "{line}");
        assert!(global.json && global.admin.is_some(), "{line}");
        assert_eq!(global.log_format, Some(LogFormat::Json), "{line}");
    }
}

#[test]
fn up_takes_everything_that_the_manual_names() {
    let line = "up --memcache 127.0.0.1:0 --memcache-auth 0.0.0.0:0 --unix /s --memory 2GiB \
                --item-size 4MiB --max-connections 100 --threads 2 --admin 127.0.0.1:0";
    let cli = parse(line).unwrap();
    let Command::Up(up) = cli.command else {
        panic!("not up")
    };
    let overrides = up.overrides(&cli.global).unwrap();
    assert_eq!(overrides.memory, Some(Auto::Is("2GiB".parse().unwrap())));
    assert_eq!(overrides.threads, Some(Auto::Is(2)));
    assert_eq!(overrides.max_connections, Some(Auto::Is(100)));
    assert_eq!(overrides.item_size.unwrap().bytes(), 4 << 20);
    assert!(overrides.admin.is_some() && overrides.memcache.is_some());
    assert!(overrides.memcache_auth.is_some() && overrides.unix.is_some());
    assert_eq!(up.protections, Protections::On);
    let Command::Up(control) = parse("up --protections off").unwrap().command else {
        panic!("not up")
    };
    assert_eq!(control.protections, Protections::Off);
}

#[test]
fn a_url_is_for_those_who_ask_and_not_for_up() {
    let asked = parse("stat --admin https://gateway1:8311 --admin-ca /ca.pem").unwrap();
    assert!(asked.global.admin.is_some() && asked.global.admin_ca.is_some());
    assert!(parse("stat --admin-ca /ca.pem").is_err());
    let cli = parse("up --admin https://gateway1:8311").unwrap();
    let Command::Up(up) = cli.command else {
        panic!("not up")
    };
    assert!(matches!(up.overrides(&cli.global), Err(Failure::Usage(_))));
}

/// One line for each command, with all that it needs.
const LINES: &[&str] = &[
    "up",
    "tenant add acme --memory 100MiB",
    "tenant add acme --memory 104857600 --item-size 64KiB",
    "tenant show acme",
    "tenant limit acme --memory 1GiB --item-size 1MiB",
    "tenant limit acme --ops 1000 --bytes-in none --burst 500ms --weight 50",
    "tenant rotate acme",
    "tenant revoke acme acme-x",
    "tenant credential add acme --rights read,write",
    "tenant credential list acme",
    "tenant credential promote acme acme-x",
    "tenant flush acme",
    "tenant remove acme",
    "stat --tenant acme --watch",
    "events --follow --tenant acme",
    "drill list",
    "drill run friday --quick",
    "state backup f",
    "state restore f",
    "check-config f",
    "check-config --defaults",
    "check-config --reference",
    "reload",
    "upgrade",
    "completions bash",
    "man",
    "man dir",
    "load --target 127.0.0.1:1 --connections 5",
];

#[test]
fn every_command_of_the_manual_parses() {
    for line in LINES {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn every_command_takes_every_global_flag_before_and_after_its_name() {
    let flags = [
        "--config /c",
        "--data-dir /d",
        "--admin 127.0.0.1:1",
        "--json",
        "--log-format json",
    ];
    for line in LINES {
        for flag in flags {
            for line in [format!("{flag} {line}"), format!("{line} {flag}")] {
                let parsed = parse(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
                let global = parsed.global;
                let given = [
                    global.config.is_some(),
                    global.data_dir.is_some(),
                    global.admin.is_some(),
                    global.json,
                    global.log_format.is_some(),
                ];
                assert_eq!(given.iter().filter(|given| **given).count(), 1, "{line}");
            }
        }
    }
}

#[test]
fn wrong_usage_is_refused_with_code_2() {
    let lines = [
        "tenant add acme",
        "tenant add acme --memory 100MB",
        "tenant limit acme",
        "up --threads many",
        "up --memcache localhost",
        "stat --memory 1GiB",
        "frobnicate",
        "load --arrivals fixed",
        "check-config f --defaults",
    ];
    for line in lines {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(parse("--help").unwrap_err().kind(), ErrorKind::DisplayHelp);
    assert_eq!(parse("--version").unwrap_err().exit_code(), 0);
}
