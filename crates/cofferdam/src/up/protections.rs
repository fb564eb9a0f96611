//! Where a server may run without its protections: in a drill's control, out of others' reach.

use std::env;

use crate::config::Config;
use crate::failure::Failure;

/// Set to `1` by a drill for the servers that it starts itself.
pub(crate) const DRILL_VARIABLE: &str = "COFFERDAM_DRILL";

/// Whether the protections may be off here; said in the log if so.
pub(super) fn check_off(config: &Config) -> Result<(), Failure> {
    check_off_for(
        config,
        env::var_os(DRILL_VARIABLE).is_some_and(|v| v == "1"),
    )?;
    tracing::warn!("the protections are off: any tenant can take all others down");
    Ok(())
}

fn check_off_for(config: &Config, is_drill: bool) -> Result<(), Failure> {
    if !is_drill {
        return Err(Failure::Usage(format!(
            "--protections off is for servers that a drill starts: leave the flag out, or use \
             `cofferdam drill run` ({DRILL_VARIABLE}=1 is not set)"
        )));
    }
    let listeners = config.tcp_listeners();
    match listeners.iter().find(|(_, addr)| !addr.ip().is_loopback()) {
        Some((key, addr)) => Err(Failure::Usage(format!(
            "--protections off is for loopback only, and listen.{key} is {addr}: \
             use 127.0.0.1:{}",
            addr.port()
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "protections_test.rs"]
mod tests;
