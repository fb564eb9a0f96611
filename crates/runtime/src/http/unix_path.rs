//! Unix socket paths of any length.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// What fits into a `sockaddr_un` with its closing zero (unix(7)).
const LEN_MAX: usize = 107;

/// A name for the same socket that is short enough to bind or connect to.
///
/// It goes through a descriptor of the folder where the path is too long, so it lasts only as long
/// as this value.
#[derive(Debug)]
pub(super) struct ShortPath {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

impl ShortPath {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= LEN_MAX {
            let path = path.to_owned();
            return Ok(Self {
                path,
                _folder: None,
            });
        }
        let wrong = || io::Error::from(io::ErrorKind::InvalidInput);
        let folder = path.parent().ok_or_else(wrong)?;
        let name = path.file_name().ok_or_else(wrong)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = File::from(rustix::fs::open(folder, flags, Mode::empty())?);
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self {
            path,
            _folder: Some(folder.into()),
        })
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}
