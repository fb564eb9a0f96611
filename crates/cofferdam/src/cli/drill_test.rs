//! Tests of the drill's flags.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Only {
    #[command(subcommand)]
    command: DrillCommand,
}

fn settings(flags: &str) -> Settings {
    let words = ["drill", "run", "friday"].into_iter();
    let parsed = Only::try_parse_from(words.chain(flags.split_whitespace())).unwrap();
    match parsed.command {
        DrillCommand::Run(args) => args.settings().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn flags_become_settings() {
    let plain = settings("");
    assert!(plain.protections && !plain.quick && !plain.same_source);
    assert_eq!(
        (plain.connections, plain.storm, plain.seed),
        (None, None, 1)
    );
    let all = settings(
        "--connections 500 --seconds 7 --protections off --seed 9 --quick --same-source \
         --against 127.0.0.1:11211",
    );
    assert!(!all.protections && all.quick && all.same_source);
    assert_eq!(all.connections, Some(500));
    assert_eq!(all.storm, Some(Duration::from_secs(7)));
    assert_eq!(all.against.unwrap().port(), 11211);
}

fn wednesday(flags: &str) -> Result<wednesday::Settings, Failure> {
    let words = ["drill", "run", "wednesday"].into_iter();
    let parsed = Only::try_parse_from(words.chain(flags.split_whitespace())).unwrap();
    match parsed.command {
        DrillCommand::Run(args) => args.check_fit().and_then(|()| args.wednesday()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn flags_of_wednesday_are_its_own() {
    let plain = wednesday("").unwrap();
    assert!(plain.scenarios.is_empty() && !plain.quick && plain.network.is_none());
    assert_eq!(plain.judge, wednesday::Judge::On);
    let some = wednesday("--scenario b,d --scenario f --judge naive --quick").unwrap();
    assert_eq!(some.scenarios, ['b', 'd', 'f']);
    assert_eq!(some.judge, wednesday::Judge::Naive);
    let off = wednesday("--protections off").unwrap();
    assert_eq!(off.judge, wednesday::Judge::Off);
    let proxy = wednesday("--network proxy").unwrap();
    assert_eq!(proxy.network, Some(wednesday::Network::Proxy));
    assert!(wednesday("--scenario z").is_err());
    assert!(wednesday("--connections 5").is_err());
    let line = "drill run friday --judge naive";
    let parsed = Only::try_parse_from(line.split(' ')).unwrap();
    let DrillCommand::Run(args) = parsed.command else {
        panic!("{parsed:?}");
    };
    assert!(args.check_fit().is_err());
}

#[test]
fn a_scenario_is_run_or_refused_and_never_left_out() {
    for flags in ["--quick --scenario c", "--quick --scenario b,c"] {
        let refused = wednesday(flags).unwrap_err();
        assert!(matches!(refused, Failure::Usage(_)), "{refused}");
        let said = refused.to_string();
        assert!(
            said.contains("scenario c") && said.contains("a, b, d, f"),
            "{said}"
        );
    }
    assert!(wednesday("--scenario b,c").is_ok() && wednesday("--quick --scenario b,d").is_ok());
}

#[test]
fn two_controls_at_once_are_refused() {
    let refused = wednesday("--judge naive --protections off").unwrap_err();
    assert!(matches!(refused, Failure::Usage(_)), "{refused}");
}

#[test]
fn a_report_that_cannot_be_kept_hides_no_verdict() {
    let unwritten = || Err(Failure::CouldNotRun("cannot write the report".into()));
    assert!(matches!(
        end(Err(failed()), unwritten()),
        Err(Failure::Message(_))
    ));
    assert!(matches!(
        end(Ok(()), unwritten()),
        Err(Failure::CouldNotRun(_))
    ));
    let unread = end(Err(failed()), Err(Failure::BrokenPipe));
    assert!(matches!(unread, Err(Failure::Message(_))));
    assert!(end(Ok(()), Ok(())).is_ok());
}

#[test]
fn what_runs_in_a_child_is_taken_as_it_stands() {
    let line = "drill exec --parent 7 --core 1 -- up --json --protections off";
    let parsed = Only::try_parse_from(line.split(' ')).unwrap();
    let DrillCommand::Exec { command, .. } = parsed.command else {
        panic!("{parsed:?}");
    };
    assert_eq!(command, ["up", "--json", "--protections", "off"]);
}

#[test]
fn a_storm_has_an_end() {
    for seconds in ["0", "61", "-1"] {
        let line = ["drill", "run", "friday", "--seconds", seconds];
        assert!(Only::try_parse_from(line).is_err(), "{seconds}");
    }
}
