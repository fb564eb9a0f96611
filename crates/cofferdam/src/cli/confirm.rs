//! Asks a person before something is done that nothing brings back.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// Asks on a terminal, unless the answer was given with `--yes`. A program that runs the command has
/// nobody to ask, and is taken at its word.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(());
    }
    ask(question, &mut io::stdin().lock(), &mut io::stderr().lock())
}

fn ask(question: &str, from: &mut dyn BufRead, to: &mut dyn Write) -> Result<(), Failure> {
    write!(to, "{question} [y/N] ")?;
    to.flush()?;
    let mut answer = String::new();
    from.read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was done")),
    }
}

#[cfg(test)]
#[path = "confirm_test.rs"]
mod tests;
