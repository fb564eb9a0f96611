//! How many descriptors the process may open.

use std::fs::File;
use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one, which many systems leave far apart, and tells it; `None`
/// is no limit.
pub fn raise_limit() -> io::Result<Option<u64>> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.maximum)
}

/// Lets the kernel's table of descriptors grow to `count` now: growing it later stalls every
/// thread that opens one for tens of milliseconds.
pub fn grow_table(count: u32) -> io::Result<()> {
    let last = i32::try_from(count.saturating_sub(1)).unwrap_or(i32::MAX);
    drop(fcntl_dupfd_cloexec(File::open("/dev/null")?, last)?);
    Ok(())
}

#[cfg(test)]
#[path = "descriptors_test.rs"]
mod tests;
