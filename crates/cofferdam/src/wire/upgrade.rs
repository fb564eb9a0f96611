//! The hand-over to a new process.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What to hand over to.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpgradeRequest {
    /// The program; else the one that the running process was started from.
    pub(crate) binary: Option<PathBuf>,
}

/// What became of it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct UpgradeReport {
    /// The process that serves now.
    pub(crate) pid: u32,
    /// The process that lets its connections go and ends.
    pub(crate) old_pid: u32,
}
