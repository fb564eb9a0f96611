//! Flags of `load` reach the plan; what is not said is the plan's own default.

use std::time::Duration;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Holder {
    #[command(flatten)]
    load: LoadArgs,
}

fn plan(line: &str) -> Result<Plan, Failure> {
    let words = line.split_whitespace();
    let holder = Holder::try_parse_from(std::iter::once("load").chain(words)).unwrap();
    holder.load.plan()
}

#[test]
fn no_flags_are_the_default_plan() {
    assert_eq!(plan("").unwrap(), Plan::default());
}

#[test]
fn every_flag_reaches_the_plan() {
    let plan = plan(
        "--target 127.0.0.1:1 --target unix:/s --login a:b --login c:d --protocol meta --auth key \
         --mix get=1,mget=2/7 --keys 5 --key-len 20 --distribution zipf:0.9 --value-len 1..9 \
         --expiry 60 --connections 8 --pipeline 4 --rate 1000 --arrivals fixed --duration 2s \
         --warmup 0s --no-prefill --requests 99 --hold 3s --verify --timeout 1s --threads 2 \
         --seed 7 --histogram --no-progress",
    )
    .unwrap();
    let expected = Plan {
        targets: vec![Target::Tcp("127.0.0.1:1".into()), Target::Unix("/s".into())],
        tenants: vec!["a:b".parse().unwrap(), "c:d".parse().unwrap()],
        protocol: Protocol::Meta,
        auth: AuthDialect::KeyIsUser,
        mix: "get=1,mget=2/7".parse().unwrap(),
        keys: KeySpace {
            count: 5,
            len: 20,
            distribution: Distribution::Zipf(0.9),
        },
        value_len: ValueLen::Uniform(1, 9),
        expiry_s: 60,
        connections: 8,
        pipeline: 4,
        mode: Mode::Open {
            rate_per_s: 1000.0,
            arrivals: Arrivals::Fixed,
        },
        duration: Duration::from_secs(2),
        warmup: Duration::ZERO,
        prefill: false,
        requests: Some(99),
        hold: Some(Duration::from_secs(3)),
        verify: true,
        timeout: Duration::from_secs(1),
        threads: 2,
        seed: 7,
        dump_histogram: true,
        progress_every: None,
        ..Plan::default()
    };
    assert_eq!(plan, expected);
}

#[test]
fn the_binary_protocol_logs_in_by_sasl_unless_told_otherwise() {
    assert_eq!(plan("--protocol binary").unwrap().auth, AuthDialect::Sasl);
    assert_eq!(
        plan("--protocol text").unwrap().auth,
        AuthDialect::MemcachedY
    );
}

#[test]
fn logins_come_from_a_file_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("logins");
    std::fs::write(&file, "a:1\n\nb:2:3\n").unwrap();
    let flag = format!("--login c:4 --logins {}", file.display());
    let names: Vec<String> = plan(&flag)
        .unwrap()
        .tenants
        .into_iter()
        .map(|t| t.username)
        .collect();
    assert_eq!(names, ["c", "a", "b"]);
    std::fs::write(&file, "a:1\nnonsense\n").unwrap();
    assert!(plan(&flag).unwrap_err().to_string().contains("logins:2: "));
}

#[test]
fn a_run_without_answers_or_with_wrong_ones_has_failed() {
    let mut report = Report {
        requests: 1,
        ..Report::default()
    };
    assert!(verdict(&report).is_ok());
    report.errors.corrupt = 1;
    assert!(verdict(&report).is_err());
    assert!(verdict(&Report::default()).is_err());
}
