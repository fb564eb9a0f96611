//! Where an observer stands: beside a wall clock, on a disk with so much room.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::statvfs;

/// The wall clock, which somebody may set: time since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever looks for jumps of the wall clock must read it"
)]
pub fn wall_clock() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// Bytes that an ordinary user may still write on the disk of `path`, and bytes that it has.
pub fn free_space(path: &Path) -> io::Result<(u64, u64)> {
    let space = statvfs(path)?;
    Ok((
        space.f_bavail.saturating_mul(space.f_frsize),
        space.f_blocks.saturating_mul(space.f_frsize),
    ))
}

#[cfg(test)]
#[path = "place_test.rs"]
mod tests;
