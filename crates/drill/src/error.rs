//! Why a drill could not be run; what it shows when it can is its outcome.

use std::io;

use crate::load::LoadError;

/// A drill that could not be run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The machine, or the wish, does not allow it; names the limit and the remedy.
    #[error("{0}")]
    CannotRun(String),
    /// Somebody asked for its end; everything is undone.
    #[error("interrupted; everything that the drill started is ended")]
    Interrupted,
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A generator could not go on.
    #[error("{who}: {source}")]
    Load {
        /// Which generator.
        who: &'static str,
        /// Why.
        source: LoadError,
    },
}

impl DrillError {
    /// For `map_err`: what was being done when the system refused.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }

    /// For `map_err` after a call of rustix.
    pub(crate) fn errno(what: impl Into<String>) -> impl FnOnce(rustix::io::Errno) -> Self {
        let what = what.into();
        move |source| Self::System {
            what,
            source: source.into(),
        }
    }

    /// For `map_err`: which generator could not go on.
    pub(crate) fn load(who: &'static str) -> impl FnOnce(LoadError) -> Self {
        move |source| Self::Load { who, source }
    }
}
