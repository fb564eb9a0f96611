//! `cofferdam drill`: replays an outage on one machine and judges what came of it.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::drill::friday::{self, Settings, Verdict};
use ::drill::wednesday;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::drill_report::ReportFiles;
use super::global::Global;
use super::output;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// List the drills there are
    List,
    /// Run one: exit code 0 for pass, 1 for fail, 2 if it could not be run
    Run(DrillArgs),
    /// Be the well-behaved tenants of a drill
    #[command(hide = true)]
    Victims,
    /// Run a command that ends with the drill that started it
    #[command(hide = true)]
    Exec {
        #[arg(long)]
        parent: u32,
        #[arg(long)]
        core: usize,
        #[arg(long)]
        ahead: bool,
        #[arg(long)]
        network: Option<PathBuf>,
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}

/// Replay an outage on this machine, over loopback, and judge what came of it.
#[derive(Args, Debug)]
pub(crate) struct DrillArgs {
    /// Which one: see `cofferdam drill list`
    pub(super) name: String,
    /// Connections of the storm [default: 16000, 2000 with --quick]
    #[arg(long, value_name = "N")]
    connections: Option<u32>,
    /// How long the storm lasts [default: 10, 4 with --quick]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,
    /// Whether the server protects itself; `off` is the control, which must show the outage
    #[arg(long, value_name = "on|off", value_enum, default_value_t = Protections::On)]
    protections: Protections,
    /// Every random choice follows from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// In less time: `friday` in 20 s, with fewer connections and without peers; `wednesday` with the
    /// scenarios a, b (late replies alone), d and f
    #[arg(long)]
    quick: bool,
    /// Of `wednesday`: only these scenarios, a letter each
    #[arg(long, value_name = "LETTER", value_delimiter = ',')]
    scenario: Vec<char>,
    /// Of `wednesday`: who says which nodes are slow; `naive` is a control
    #[arg(long, value_name = "on|naive", value_enum, default_value_t = Judges::On)]
    judge: Judges,
    /// Of `wednesday`: each machine in a network namespace (needs root and iproute2), or all on loopback
    /// behind a proxy [default: namespaces where they can be made]
    #[arg(long, value_name = "namespaces|proxy", value_enum)]
    network: Option<Networks>,
    /// All connections of the storm come from one address instead of one each
    #[arg(long)]
    same_source: bool,
    /// A server without tenants that runs on this machine already, instead of one of the drill's own
    #[arg(long, value_name = "ADDR:PORT")]
    against: Option<SocketAddr>,
    /// Where to write the report as Markdown; that of `friday` has its plot (.svg) beside it, `wednesday` has
    /// none [default: drill-NAME.md in this folder; nothing with --json]
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protections {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Judges {
    On,
    Naive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Networks {
    Namespaces,
    Proxy,
}

/// A drill as listed.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    what: &'static str,
}

const DRILLS: [Listed; 2] = [
    Listed {
        name: "friday",
        what: "a large tenant's spike and 16,000 reconnecting clients; the others must not notice",
    },
    Listed {
        name: "wednesday",
        what: "a node turns slow, or only looks so; it is taken out in seconds, and nobody else is",
    },
];

const WEDNESDAY: &str = "wednesday";

pub(crate) fn run(global: &Global, command: &DrillCommand) -> Result<(), Failure> {
    match command {
        DrillCommand::List => list(global),
        DrillCommand::Run(args) => run_one(global, args),
        DrillCommand::Victims => friday::run_victims().map_err(Failure::from),
        DrillCommand::Exec {
            parent,
            core,
            ahead,
            network,
            command,
        } => {
            let post = ::drill::Post {
                parent: *parent,
                core: *core,
                is_ahead: *ahead,
                network: network.clone(),
            };
            Err(::drill::exec(&post, command).into())
        }
    }
}

fn list(global: &Global) -> Result<(), Failure> {
    if global.json {
        return output::json(&DRILLS);
    }
    let lines = DRILLS.map(|drill| (drill.name, drill.what.to_owned()));
    output::text(&output::pairs(&lines))
}

fn run_one(global: &Global, args: &DrillArgs) -> Result<(), Failure> {
    if !DRILLS.iter().any(|drill| drill.name == args.name) {
        return Err(Failure::Usage(format!(
            "there is no drill {:?}: see `cofferdam drill list`",
            args.name
        )));
    }
    args.check_fit()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    if args.name == WEDNESDAY {
        return run_wednesday(global, args, &interrupted);
    }
    run_friday(global, args, &interrupted)
}

fn run_friday(global: &Global, args: &DrillArgs, interrupted: &AtomicBool) -> Result<(), Failure> {
    let settings = args.settings()?;
    // What cannot be kept is known before a minute is spent on it.
    let mut files = ReportFiles::open(global, args, true)?;
    let report = friday::run(&settings, interrupted, &mut output::aside)
        .map_err(|error| Failure::CouldNotRun(error.to_string()))?;
    let picture = files.as_ref().and_then(ReportFiles::plot_name);
    let text = report.to_markdown(picture.as_deref());
    let delivered = match &mut files {
        Some(files) => files.write(&text, &report.to_svg()),
        None => Ok(()),
    };
    let printed = print(global, &text, &report.outcome);
    let judged = match report.verdict() {
        Verdict::Pass => Ok(()),
        Verdict::Fail => Err(failed()),
        Verdict::Invalid => Err(says_nothing()),
    };
    end(judged, delivered.and(printed))
}

fn run_wednesday(
    global: &Global,
    args: &DrillArgs,
    interrupted: &AtomicBool,
) -> Result<(), Failure> {
    let settings = args.wednesday()?;
    let mut files = ReportFiles::open(global, args, false)?;
    let outcome = wednesday::run(&settings, interrupted, &mut output::aside)
        .map_err(|error| Failure::CouldNotRun(error.to_string()))?;
    let text = outcome.to_text();
    let delivered = match &mut files {
        Some(files) => files.write(&text, ""),
        None => Ok(()),
    };
    let printed = print(global, &text, &outcome);
    let judged = match outcome.verdict() {
        wednesday::Verdict::Pass => Ok(()),
        wednesday::Verdict::Fail => Err(failed()),
        wednesday::Verdict::Invalid => Err(says_nothing()),
    };
    end(judged, delivered.and(printed))
}

fn print(global: &Global, text: &str, outcome: &impl Serialize) -> Result<(), Failure> {
    match global.json {
        true => output::json(outcome),
        false => output::text(text),
    }
}

fn failed() -> Failure {
    Failure::new("the drill failed: see the reasons in the report")
}

fn says_nothing() -> Failure {
    Failure::CouldNotRun("the drill says nothing: see the reasons in the report".into())
}

/// What came of the drill goes before what came of its report.
fn end(judged: Result<(), Failure>, delivered: Result<(), Failure>) -> Result<(), Failure> {
    match (judged, delivered) {
        (Ok(()), delivered) => delivered,
        (Err(judged), Ok(()) | Err(Failure::BrokenPipe)) => Err(judged),
        (Err(judged), Err(undelivered)) => {
            output::aside(&undelivered.to_string());
            Err(judged)
        }
    }
}

impl DrillArgs {
    /// Flags of one drill are not another's.
    fn check_fit(&self) -> Result<(), Failure> {
        let others: &[(&str, bool)] = match self.name.as_str() {
            WEDNESDAY => &[
                ("--connections", self.connections.is_some()),
                ("--seconds", self.seconds.is_some()),
                ("--same-source", self.same_source),
                ("--against", self.against.is_some()),
            ],
            _ => &[
                ("--scenario", !self.scenario.is_empty()),
                ("--judge", self.judge != Judges::On),
                ("--network", self.network.is_some()),
            ],
        };
        match others.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(Failure::Usage(format!(
                "{flag} is not for the drill {}: leave it out",
                self.name
            ))),
            None => Ok(()),
        }
    }

    fn wednesday(&self) -> Result<wednesday::Settings, Failure> {
        let known = wednesday::SCENARIOS.map(|(letter, _)| letter);
        if let Some(letter) = self.scenario.iter().find(|it| !known.contains(it)) {
            let known = listed(&known);
            return Err(Failure::Usage(format!(
                "there is no scenario {letter:?}: there are {known}"
            )));
        }
        self.check_quick()?;
        if self.judge == Judges::Naive && self.protections == Protections::Off {
            let two = "--judge naive and --protections off are two controls: leave one out";
            return Err(Failure::Usage(two.into()));
        }
        Ok(wednesday::Settings {
            program: env::current_exe()?,
            scratch: env::temp_dir(),
            scenarios: self.scenario.clone(),
            quick: self.quick,
            judge: match (self.judge, self.protections) {
                (Judges::Naive, _) => wednesday::Judge::Naive,
                (Judges::On, Protections::On) => wednesday::Judge::On,
                (Judges::On, Protections::Off) => wednesday::Judge::Off,
            },
            network: self.network.map(|network| match network {
                Networks::Namespaces => wednesday::Network::Namespaces,
                Networks::Proxy => wednesday::Network::Proxy,
            }),
            seed: self.seed,
        })
    }

    /// What is asked for by name is run, or refused.
    fn check_quick(&self) -> Result<(), Failure> {
        let quick = wednesday::quick_scenarios();
        match self.scenario.iter().find(|it| !quick.contains(it)) {
            Some(letter) if self.quick => Err(Failure::Usage(format!(
                "scenario {letter} is not in the quick form, which has {}: leave out --quick, or {letter}",
                listed(&quick)
            ))),
            _ => Ok(()),
        }
    }

    fn settings(&self) -> Result<Settings, Failure> {
        Ok(Settings {
            program: env::current_exe()?,
            scratch: env::temp_dir(),
            connections: self.connections,
            storm: self.seconds.map(Duration::from_secs),
            protections: self.protections == Protections::On,
            seed: self.seed,
            quick: self.quick,
            same_source: self.same_source,
            against: self.against,
        })
    }
}

fn listed(letters: &[char]) -> String {
    let letters: Vec<String> = letters.iter().map(char::to_string).collect();
    letters.join(", ")
}

#[cfg(test)]
#[path = "drill_test.rs"]
mod tests;
