//! What is said about arguments that are not understood, and help.

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::args::Cli;

/// Refuses a flag that is given a value before the subcommand and another one behind it: the parser
/// takes the last without a word, and a state would be restored to the wrong folder.
pub(super) fn refuse_repeated<S: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> Result<(), clap::Error> {
    let mut command = Cli::command();
    let globals = command.get_arguments().filter(|flag| flag.is_global_set());
    let valued = globals.filter(|flag| flag.get_action().takes_values());
    let names: Vec<_> = valued.filter_map(|flag| flag.get_long()).collect();
    let mut seen = Vec::new();
    for word in arguments {
        let word = word.as_ref().to_string_lossy();
        let Some(flag) = word.strip_prefix("--") else {
            continue;
        };
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        if name.is_empty() {
            break;
        }
        if !names.contains(&name) {
            continue;
        }
        if seen.iter().any(|it| it == name) {
            let said = format!("the argument '--{name}' cannot be used multiple times");
            return Err(command.error(ErrorKind::ArgumentConflict, said));
        }
        seen.push(name.to_owned());
    }
    Ok(())
}

/// Prints help where it was asked for, else what is wrong with the arguments: as one line of JSON
/// where `arguments` ask for that.
pub(super) fn explain<S: AsRef<OsStr>>(
    usage: &clap::Error,
    arguments: impl IntoIterator<Item = S>,
) -> ExitCode {
    if usage.use_stderr() && asks_for_json(arguments) {
        eprintln!("{}", serde_json::json!({ "error": in_one_line(usage) }));
    } else {
        // Nobody is left to be told that this could not be printed.
        let _ = usage.print();
    }
    u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Whether `--json` is among `arguments`, which could not be parsed.
fn asks_for_json<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> bool {
    let flags = arguments.into_iter();
    let mut flags = flags.take_while(|word| word.as_ref() != "--");
    flags.any(|word| word.as_ref() == "--json")
}

/// The error and its tips, without the pattern of usage that stands below them.
fn in_one_line(usage: &clap::Error) -> String {
    if usage.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "no command was given: cofferdam --help names all".to_owned();
    }
    let text = usage.render().to_string();
    let lines = text.lines().map(str::trim);
    let mut lines = lines
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    lines.fold(first.to_owned(), |all, line| {
        match line.starts_with("tip:") {
            true => format!("{all}; {line}"),
            false => format!("{all} {line}"),
        }
    })
}

#[cfg(test)]
#[path = "usage_test.rs"]
mod tests;
