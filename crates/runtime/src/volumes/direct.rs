//! Long files written and read past the page cache.
//!
//! Segments are written behind everybody's back and mostly not read soon: their pages would drive out of
//! memory what is read, and finding new pages for them and copying into them takes a processor longer than
//! all else that is done for a block (a half of a random write's whole cost, measured).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use volume::{Buffer, DISK_BLOCK_LEN};

/// Shorter ones are as well off in the page cache.
pub(super) const DIRECT_LEN_MIN: usize = 256 << 10;

/// Writes a file from its beginning, over what it held; durable once it is synced. The errors of
/// [`write_durably`].
pub(super) fn write(path: &Path, bytes: &Buffer) -> io::Result<()> {
    fill(path, bytes).map(drop)
}

/// Writes a file from its beginning, over what it held, and makes it durable; `InvalidInput` or
/// `Unsupported` where the file system has no such way.
pub(super) fn write_durably(path: &Path, bytes: &Buffer) -> io::Result<()> {
    fill(path, bytes)?.sync_data()
}

fn fill(path: &Path, bytes: &Buffer) -> io::Result<File> {
    let file = open(OpenOptions::new().write(true).create(true), path)?;
    match bytes.blocks() {
        Some(blocks) => file.write_all_at(blocks, 0)?,
        None => {
            let mut whole = Buffer::with_room(bytes.len());
            whole.extend_from_slice(bytes);
            whole.fill_block();
            file.write_all_at(whole.blocks().ok_or_else(short)?, 0)?;
        }
    }
    cut(&file, bytes.len())?;
    Ok(file)
}

/// Gives an older, longer file its length.
pub(super) fn cut(file: &File, len: usize) -> io::Result<()> {
    match file.metadata()?.len() == len as u64 {
        true => Ok(()),
        false => file.set_len(len as u64),
    }
}

/// Reads a file from its beginning; fewer bytes where it ends before. The same errors.
pub(super) fn read(path: &Path, len: usize) -> io::Result<Buffer> {
    let file = open(OpenOptions::new().read(true), path)?;
    // A short one need not begin where a block of the disk does.
    let mut bytes = Buffer::new(len.next_multiple_of(DISK_BLOCK_LEN).max(DIRECT_LEN_MIN));
    let got = read_all(&file, &mut bytes)?;
    bytes.truncate(got.min(len));
    Ok(bytes)
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
        if !done.is_multiple_of(DISK_BLOCK_LEN) {
            break;
        }
    }
    Ok(done)
}

fn short() -> io::Error {
    io::ErrorKind::InvalidInput.into()
}

#[cfg(test)]
#[path = "direct_test.rs"]
mod tests;
