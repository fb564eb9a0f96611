//! Having the system begin to write a file to its disk, which nobody waits for.
//!
//! Whoever syncs the file later then waits for what is left of that, and not for all of it: files that are
//! synced one after the other are on their way together.

use std::fs::File;
use std::os::fd::AsRawFd;

/// Begins to write what of a file's first `len` bytes is in memory alone. That it is durable is for a sync
/// to say, and so is that it cannot be.
pub(super) fn begin(file: &File, len: u64) {
    let Ok(len) = libc::off64_t::try_from(len) else {
        return;
    };
    // SAFETY: no memory is passed, and the descriptor is open for as long as `file` is borrowed.
    let begun =
        unsafe { libc::sync_file_range(file.as_raw_fd(), 0, len, libc::SYNC_FILE_RANGE_WRITE) };
    if begun != 0 {
        tracing::debug!("a file goes to its disk no sooner than it is synced");
    }
}
