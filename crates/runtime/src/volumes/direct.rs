//! Long files written and read past the page cache.
//!
//! Segments are written behind everybody's back and mostly not read soon: their pages would drive out of
//! memory what is read, and finding new pages for them and copying into them takes a processor longer than
//! all else that is done for a block (a half of a random write's whole cost, measured).

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use volume::{give_back, long_buffer};

/// What a disk's blocks are multiples of, in memory as in the file.
const ALIGN: usize = 4096;

/// Shorter ones are as well off in the page cache.
pub(super) const DIRECT_LEN_MIN: usize = 256 << 10;

thread_local! {
    /// Long transfers are made by a few threads, one at a time.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Memory of whole blocks of a disk, where one begins.
#[derive(Debug)]
pub(super) struct Room {
    bytes: Vec<u8>,
    from: usize,
    len: usize,
}

impl Room {
    /// So many bytes, and as many as make a block whole; what they are means nothing.
    pub(super) fn new(len: usize) -> Self {
        let len = len.next_multiple_of(ALIGN);
        let bytes = long_buffer(len + ALIGN);
        let from = bytes.as_ptr().align_offset(ALIGN).min(ALIGN);
        Self { bytes, from, len }
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let room = self.bytes.get(self.from..self.from + self.len);
        room.unwrap_or_default()
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        let room = self.bytes.get_mut(self.from..self.from + self.len);
        room.unwrap_or_default()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.bytes));
    }
}

/// Writes a file from its beginning, over what it held; durable once it is synced. The errors of
/// [`write_durably`].
pub(super) fn write(path: &Path, room: &Room) -> io::Result<()> {
    let file = open(OpenOptions::new().write(true).create(true), path)?;
    file.write_all_at(room, 0)?;
    cut(&file, room.len())
}

/// Writes a file from its beginning, over what it held, and makes it durable; `InvalidInput` or
/// `Unsupported` where the file system has no such way.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = open(OpenOptions::new().write(true).create(true), path)?;
    with_room(bytes.len(), |room| {
        let (filled, rest) = room.split_at_mut_checked(bytes.len()).ok_or_else(short)?;
        filled.copy_from_slice(bytes);
        rest.fill(0);
        file.write_all_at(room, 0)
    })?;
    cut(&file, bytes.len())?;
    file.sync_data()
}

/// Gives an older, longer file its length.
pub(super) fn cut(file: &File, len: usize) -> io::Result<()> {
    match file.metadata()?.len() == len as u64 {
        true => Ok(()),
        false => file.set_len(len as u64),
    }
}

/// Reads a file from its beginning; fewer bytes where it ends before. The same errors.
pub(super) fn read(path: &Path, len: usize) -> io::Result<Vec<u8>> {
    let file = open(OpenOptions::new().read(true), path)?;
    with_room(len, |room| {
        let got = read_all(&file, room)?.min(len);
        let mut bytes = long_buffer(got);
        bytes.copy_from_slice(room.get(..got).ok_or_else(short)?);
        Ok(bytes)
    })
}

/// Whether an error says that there is no such way here.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let direct = i32::try_from(OFlags::DIRECT.bits()).map_err(|_| short())?;
    options.mode(0o600).custom_flags(direct).open(path)
}

fn read_all(file: &File, room: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = room.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        // Less than whole blocks is the end of the file.
        if !done.is_multiple_of(ALIGN) {
            break;
        }
    }
    Ok(done)
}

/// Works in memory where a block of the disk begins, of a length in whole blocks.
fn with_room<T>(len: usize, work: impl FnOnce(&mut [u8]) -> io::Result<T>) -> io::Result<T> {
    ROOM.with_borrow_mut(|room| {
        let len = len.next_multiple_of(ALIGN);
        if room.len() < len + ALIGN {
            room.resize(len + ALIGN, 0);
        }
        let from = room.as_ptr().align_offset(ALIGN);
        let aligned = from.checked_add(len).and_then(|to| room.get_mut(from..to));
        work(aligned.ok_or_else(short)?)
    })
}

fn short() -> io::Error {
    io::ErrorKind::InvalidInput.into()
}

#[cfg(test)]
#[path = "direct_test.rs"]
mod tests;
