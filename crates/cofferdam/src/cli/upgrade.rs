//! `cofferdam upgrade`: a new process takes the place of the running one.

use std::path::PathBuf;

use clap::Args;
use runtime::http::Method;

use super::access::Access;
use super::global::Global;
use super::output;
use crate::failure::Failure;
use crate::wire::{UpgradeReport, UpgradeRequest};

/// Flags of `upgrade`.
#[derive(Args, Debug)]
pub(crate) struct UpgradeArgs {
    /// The new program [default: what now stands where the running one was started from]
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Returns once the new process serves, or the old one goes on.
pub(super) fn run(global: &Global, args: &UpgradeArgs) -> Result<(), Failure> {
    let access = Access::daemon(global)?;
    // The daemon's folder is not this one's.
    let binary = match &args.binary {
        Some(path) => Some(std::path::absolute(path)?),
        None => None,
    };
    let request = UpgradeRequest { binary };
    let report: UpgradeReport = access.ask(Method::POST, "/v1/upgrade", Some(&request))?;
    if global.json {
        return output::json(&report);
    }
    output::text(&format!(
        "process {} serves; process {} closes its connections one by one and ends\n",
        report.pid, report.old_pid
    ))
}
