//! Figures over time, in files of fixed size: a second each for an hour, a minute for a week, an
//! hour for 400 days.
//!
//! The files are rings: what is too old is overwritten by what is new. Each slot carries its own
//! time and checksum, so that a write that was cut off, a clock that was set and a process that did
//! not run leave a gap and never a wrong figure. Nothing is waited for but the system's own cache:
//! after a loss of power the last half minute may be missing.

mod format;
mod names;
mod query;
mod ring;
mod rollup;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

pub use format::{Resolution, SERIES_MAX};
pub use query::{Answer, Line, Query};

use format::{NAME_RECORD_LEN, Slot};
use names::Names;
use ring::Ring;

/// The folder of the files in a data directory.
pub const HISTORY_DIR: &str = "history";
const NAMES_FILE: &str = "names";

/// The history of one data directory.
#[derive(Debug)]
pub struct History {
    names: RwLock<Names>,
    names_file: fs::File,
    rings: [Ring; Resolution::ALL.len()],
    /// The second that was recorded last, 0 before the first.
    last_s: AtomicU64,
}

impl History {
    /// Opens the history in `dir` for the one process that writes it, and makes what is not there.
    /// What was written for times after `now_s`, seconds since the Unix epoch, is forgotten: a clock
    /// was wrong then.
    pub fn open(dir: &Path, now_s: u64) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let history = Self::with(dir, true)?;
        for ring in &history.rings {
            ring.forget_after(now_s)?;
        }
        history.catch_up(now_s)?;
        Ok(history)
    }

    /// Opens the history in `dir`, whether or not a process writes it; fails with
    /// [`io::ErrorKind::NotFound`] where there is none.
    pub fn open_to_read(dir: &Path) -> io::Result<Self> {
        Self::with(dir, false)
    }

    fn with(dir: &Path, writes: bool) -> io::Result<Self> {
        let open = |name: &str| {
            let path: PathBuf = dir.join(name);
            OpenOptions::new()
                .read(true)
                .write(writes)
                .create(writes)
                .truncate(false)
                .mode(0o600)
                .open(path)
        };
        let names_file = open(NAMES_FILE)?;
        let mut bytes = vec![0; SERIES_MAX * NAME_RECORD_LEN];
        let len = ring::read_as_far(&names_file, &mut bytes, 0)?;
        bytes.truncate(len);
        let ring = |resolution: Resolution| {
            let file = open(resolution.file_name())?;
            Ring::new(file, resolution, writes)
        };
        Ok(Self {
            names: RwLock::new(Names::decode(&bytes)),
            names_file,
            rings: [
                ring(Resolution::Second)?,
                ring(Resolution::Minute)?,
                ring(Resolution::Hour)?,
            ],
            last_s: AtomicU64::new(0),
        })
    }

    /// Keeps the figures of one second, and of the minute and the hour that end with it. A name is
    /// at most 115 bytes; past [`SERIES_MAX`] names those that were
    /// not told for longest make room. Tells how many figures found none.
    pub fn record(&self, now_s: u64, figures: &[(&str, f32)]) -> io::Result<usize> {
        let (values, left_out) = self.arrange(now_s, figures)?;
        let slot = Slot {
            time_s: now_s,
            seconds: 1,
            means: values,
            peaks: Vec::new(),
        };
        let [seconds, ..] = &self.rings;
        seconds.put(&slot)?;
        let last_s = self.last_s.swap(now_s, Ordering::Relaxed);
        for coarse in [Resolution::Minute, Resolution::Hour] {
            let step_s = coarse.step_s();
            // Seconds between the last one and this may be missing.
            if last_s > 0 && last_s / step_s < now_s / step_s {
                self.roll_up(coarse, last_s - last_s % step_s)?;
            }
        }
        Ok(left_out)
    }

    /// Figures by the place of their name.
    fn arrange(&self, now_s: u64, figures: &[(&str, f32)]) -> io::Result<(Vec<f32>, usize)> {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let places = names.places(now_s, figures.iter().map(|(name, _)| *name));
        let changes = names.take_changes();
        for (index, record) in &changes {
            let offset = *index as u64 * NAME_RECORD_LEN as u64;
            self.names_file.write_all_at(record, offset)?;
        }
        if !changes.is_empty() {
            // No figure may come to the disk before it is known whose it is.
            self.names_file.sync_data()?;
        }
        let mut values = vec![f32::NAN; names.len()];
        let mut left_out = 0;
        for ((_, figure), place) in figures.iter().zip(places) {
            match place.and_then(|place| values.get_mut(place)) {
                Some(value) => *value = *figure,
                None => left_out += 1,
            }
        }
        Ok((values, left_out))
    }

    /// Writes the coarse slot that begins at `from_s` from the finer ones within it.
    fn roll_up(&self, to: Resolution, from_s: u64) -> io::Result<()> {
        if let Some(slot) = self.rolled_up(to, from_s)? {
            self.ring(to).put(&slot)?;
        }
        Ok(())
    }

    fn rolled_up(&self, to: Resolution, from_s: u64) -> io::Result<Option<Slot>> {
        let Some(from) = to.finer() else {
            return Ok(None);
        };
        let width = self.names().len();
        let mut sum = rollup::Rollup::new(from_s);
        for time_s in (from_s..from_s + to.step_s()).step_by(from.step_s() as usize) {
            if let Some(slot) = self.ring(from).get(time_s, width)? {
                sum.add(&slot);
            }
        }
        Ok(sum.into_slot())
    }

    /// Makes the coarse slots that a process which ended left undone.
    fn catch_up(&self, now_s: u64) -> io::Result<()> {
        for coarse in [Resolution::Minute, Resolution::Hour] {
            let step_s = coarse.step_s();
            let reach_s = coarse.finer().map_or(0, Resolution::reach_s);
            let first = now_s.saturating_sub(reach_s).next_multiple_of(step_s);
            for from_s in (first..=now_s.saturating_sub(step_s)).step_by(step_s as usize) {
                if !self.ring(coarse).has(from_s)? {
                    self.roll_up(coarse, from_s)?;
                }
            }
        }
        Ok(())
    }

    /// The names of all figures that there are.
    pub fn series(&self) -> Vec<String> {
        let names = self.names();
        names.iter().map(str::to_owned).collect()
    }

    /// The bytes that the files take at most.
    pub const fn len_max() -> u64 {
        format::LEN_MAX
    }

    fn ring(&self, resolution: Resolution) -> &Ring {
        let [seconds, minutes, hours] = &self.rings;
        match resolution {
            Resolution::Second => seconds,
            Resolution::Minute => minutes,
            Resolution::Hour => hours,
        }
    }

    fn names(&self) -> RwLockReadGuard<'_, Names> {
        // A change is made whole before the lock is given back.
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
