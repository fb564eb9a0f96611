//! Commands: from arguments to what is printed.

mod access;
mod args;
mod cluster;
mod cluster_args;
mod cluster_config;
mod config;
mod confirm;
mod docs;
mod drill;
mod drill_report;
mod events;
mod gate;
mod global;
mod limit;
mod load;
mod node;
pub(crate) mod output;
mod stat;
mod state;
mod suggested;
mod support;
mod support_redact;
mod tenant;
mod top;
mod top_screen;
mod upgrade;
mod usage;
mod volume;
mod volume_show;
mod volume_torture;
mod volume_transfer;

use std::env;
use std::process::ExitCode;

use clap::Parser;
use runtime::http::Method;

use crate::failure::Failure;
use crate::logging::{self, LogFormat, LogLevel};
use crate::node_role;
use crate::status;
use crate::up::{self, Role};
use crate::wire::ReloadReport;
use access::Access;
use args::{Cli, Command, Protections};
use global::Global;

/// Does what the arguments say: 0 for done, 1 for failed, 2 for wrong usage.
pub(crate) fn main() -> ExitCode {
    let repeated = |cli| usage::refuse_repeated(env::args_os().skip(1)).map(|()| cli);
    let cli = match Cli::try_parse().and_then(repeated) {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error, env::args_os()),
    };
    let (json, log_format) = (cli.global.json, cli.global.log_format);
    match run(&cli.global, cli.command) {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure, json, log_format);
            match failure {
                Failure::Usage(_) | Failure::CouldNotRun(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// A failure as one line: for people, for programs, or for whoever collects the log.
fn tell(failure: &Failure, json: bool, log_format: Option<LogFormat>) {
    let message = failure.to_string();
    if json {
        output::aside(&serde_json::json!({ "error": message }).to_string());
    } else if log_format == Some(LogFormat::Json) || logging::is_json() {
        // A second start changes nothing.
        logging::start(LogFormat::Json, LogLevel::Info);
        tracing::error!("{message}");
    } else {
        output::aside(&format!("cofferdam: {message}"));
    }
}

fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(args) => up::run(
            global.config.as_deref(),
            &args.overrides(global)?,
            args.protections == Protections::On,
            Role::Alone,
        ),
        Command::Gateway(args) => up::run(
            global.config.as_deref(),
            &args.overrides(global)?,
            args.protections == Protections::On,
            Role::Gateway,
        ),
        Command::Node { command: None } => {
            node_role::run(global.config.as_deref(), &global.overrides())
        }
        Command::Node {
            command: Some(command),
        } => node::run(global, &command),
        Command::Gate(command) => gate::run(global, &command),
        Command::Cluster(command) => cluster::run(global, &command),
        Command::Status(args) => status::run(global.config.as_deref(), &args.overrides(global)),
        Command::Tenant(command) => tenant::run(global, command),
        Command::Volume(command) => volume::run(global, command),
        Command::Stat(args) => stat::run(global, &args),
        Command::State(command) => state::run(global, &command),
        Command::CheckConfig(args) => config::run(global, &args),
        Command::Load(args) => load::run(global, &args),
        Command::Events(args) => events::run(global, &args),
        Command::Top(args) => top::run(global, &args),
        Command::SupportBundle(args) => support::run(global, &args),
        Command::Drill(command) => drill::run(global, &command),
        Command::Reload => reload(global),
        Command::Upgrade(args) => upgrade::run(global, &args),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man { dir } => docs::man(dir.as_deref()),
    }
}

fn reload(global: &Global) -> Result<(), Failure> {
    let access = Access::daemon(global)?;
    let report: ReloadReport = access.ask(Method::POST, "/v1/reload", None::<&()>)?;
    if global.json {
        return output::json(&report);
    }
    let mut text = String::new();
    for key in &report.changed {
        text.push_str(&format!("{key}: in force\n"));
    }
    for key in &report.needs_restart {
        text.push_str(&format!("{key}: needs a restart\n"));
    }
    if text.is_empty() {
        text.push_str("nothing changed\n");
    }
    output::text(&text)
}
