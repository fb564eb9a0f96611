//! `cofferdam completions` and `cofferdam man`.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;
use super::output;
use crate::failure::Failure;

pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cofferdam", &mut script);
    output::bytes(&script)
}

/// Prints the page of the whole, or writes one for each command into `dir`.
pub(crate) fn man(dir: Option<&Path>) -> Result<(), Failure> {
    if let Some(dir) = dir {
        if !dir.is_dir() {
            return Err(Failure::new(format!(
                "{} is not an existing folder: create it, or choose another",
                dir.display()
            )));
        }
        return clap_mangen::generate_to(Cli::command(), dir).map_err(|e| {
            Failure::new(format!(
                "cannot write manual pages to {}: {e}",
                dir.display()
            ))
        });
    }
    let mut page = Vec::new();
    Man::new(Cli::command())
        .render(&mut page)
        .map_err(Failure::output)?;
    output::bytes(&page)
}
