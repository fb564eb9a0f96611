//! Lines that outlive the process, in two files of bounded size that take turns.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A journal of lines. When its file is full that becomes the older one, in the place of the one
/// before.
///
/// A line is with the kernel when [`Journal::append`] returns: it survives the end of the process,
/// but of the last seconds before a loss of power there may be nothing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    len_max: u64,
    file: Option<(File, u64)>,
}

impl Journal {
    /// The journal in `path` and `path.1`, each at most `len_max` bytes. Nothing is opened before
    /// the first line is appended.
    pub fn new(path: &Path, len_max: u64) -> Self {
        Self {
            path: path.to_owned(),
            len_max,
            file: None,
        }
    }

    /// Adds a line, which must not hold a line end. After a failure the next call begins anew.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        let line_len = line.len() as u64 + 1;
        let (mut file, mut len) = match self.file.take() {
            Some(open) => open,
            None => self.open()?,
        };
        if len > 0 && len.saturating_add(line_len) > self.len_max {
            drop(file);
            fs::rename(&self.path, older(&self.path))?;
            (file, len) = self.open()?;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        file.write_all(&bytes)?;
        self.file = Some((file, len.saturating_add(line_len)));
        Ok(())
    }

    /// Opens the newer file. A line that the end of a machine cut off is ended, so that it spoils
    /// only itself.
    fn open(&self) -> io::Result<(File, u64)> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        let mut len = file.metadata()?.len();
        if len > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                len += 1;
            }
        }
        Ok((file, len))
    }
}

/// All lines of the journal in `path`, the oldest first, whether or not a process writes it. There
/// is none where there is no file.
pub fn read_journal(path: &Path) -> io::Result<Vec<String>> {
    // A turn of the files between the two reads would show the same lines twice or a part not at
    // all; the newer one is read first, so that at worst lines are missing that are gone soon.
    let newer = read_lines(path)?;
    let mut lines = read_lines(&older(path))?;
    lines.extend(newer);
    Ok(lines)
}

fn read_lines(path: &Path) -> io::Result<Vec<String>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(str::to_owned).collect())
}

fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

#[cfg(test)]
#[path = "journal_test.rs"]
mod tests;
