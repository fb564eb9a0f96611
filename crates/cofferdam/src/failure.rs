//! Why a command failed, in one line for a person.

use std::fmt;
use std::io;

/// Ends a command with exit code 1, with 2 for wrong usage or a drill that says nothing, or quietly
/// where nobody reads the output any more.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Names the thing, the value and the remedy.
    Message(String),
    /// Arguments that cannot be meant together; names them and the remedy.
    Usage(String),
    /// A drill that could not be run, so that nothing can be said; names the limit and the remedy.
    CouldNotRun(String),
    /// The reader of standard output has gone, as with `| head`.
    BrokenPipe,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }

    /// What became of writing to standard output.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::new(format!("cannot write to standard output: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) | Self::Usage(message) | Self::CouldNotRun(message) => {
                f.write_str(message)
            }
            Self::BrokenPipe => f.write_str("standard output was closed"),
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}
