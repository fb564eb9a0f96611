//! A folder for one run of a drill, removed when the run is over.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process;

use rustix::process::geteuid;

use crate::error::DrillError;

const PREFIX: &str = "cofferdam-drill-";

/// A folder that is removed, with all that is in it, when this is dropped.
#[derive(Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Makes one in `scratch`, and removes those of runs that were killed.
    pub(crate) fn new(scratch: &Path) -> Result<Self, DrillError> {
        remove_orphans(scratch);
        let path = scratch.join(format!("{PREFIX}{}", process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(DrillError::system(format!(
                "cannot make folder {}",
                path.display()
            )))?;
        Ok(Self(path))
    }

    /// A further folder within it.
    pub(crate) fn room(&self, name: &str) -> Result<PathBuf, DrillError> {
        let path = self.0.join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(DrillError::system(format!(
                "cannot make folder {}",
                path.display()
            )))?;
        Ok(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The next run removes what could not be removed now.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes this user's folders whose runner has gone.
fn remove_orphans(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let Some(pid) = pid.and_then(|pid| pid.parse::<u32>().ok()) else {
            continue;
        };
        let is_mine = fs::symlink_metadata(entry.path())
            .is_ok_and(|it| it.is_dir() && it.uid() == geteuid().as_raw());
        if is_mine && !Path::new(&format!("/proc/{pid}")).exists() {
            // Somebody else may be at it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
#[path = "home_test.rs"]
mod tests;
