//! Why a run could not be done; what goes wrong within a run is counted in its report instead.

use std::io;

/// A run that could not start, or had to be given up.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan makes no sense; the text says what to change.
    #[error("{0}")]
    Plan(String),
    /// The target's name means no address.
    #[error("cannot look up {target}: {source}")]
    Resolve {
        /// As the plan has it.
        target: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// A first connection was refused or broken.
    #[error("cannot connect to {target}: {source}; is the server running there?")]
    Connect {
        /// As the plan has it.
        target: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server refused the login.
    #[error("{target} refused the login of {username:?}: {reply}")]
    Login {
        /// As the plan has it.
        target: String,
        /// Who was refused.
        username: String,
        /// The server's words.
        reply: String,
    },
    /// The target serves whoever comes, and would store a password that is sent to it.
    #[error(
        "{target} serves anybody without a login and would store the password: give the address where tenants authenticate, or leave --login away"
    )]
    NoLogin {
        /// As the plan has it.
        target: String,
    },
    /// Not all keys could be stored before the run.
    #[error(
        "prefill stored {stored} of {asked} items ({first_error}): {}",
        why_not_stored(first_error)
    )]
    Prefill {
        /// Items that the server confirmed.
        stored: u64,
        /// Items that were sent.
        asked: u64,
        /// The first reply that was not a confirmation.
        first_error: String,
    },
    /// The system refused something that the generator itself needs.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// One of the generator's threads ended unexpectedly.
    #[error("a generator thread ended unexpectedly")]
    ThreadLost,
}

/// What to look for, by what the server said.
fn why_not_stored(first_error: &str) -> &'static str {
    if first_error.to_lowercase().contains("auth") {
        return "the server wants a login: give one with --login USER:PASSWORD";
    }
    if first_error.contains("access denied") {
        return "the credential may not write: give another, or run with --no-prefill";
    }
    "is the memory enough, and may the tenant write?"
}

#[cfg(test)]
#[path = "error_test.rs"]
mod tests;
