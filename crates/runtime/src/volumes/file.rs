//! Reading files by ranges, at once or not at all where the disk would have to be waited for.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;

use rustix::io::{Errno, ReadWriteFlags, preadv2};
use volume::{Buffer, IoError};

/// What became of a read that must not wait.
#[derive(Debug)]
pub(super) enum ReadNow {
    /// It is done.
    Done(Result<Buffer, IoError>),
    /// Not all of it is in memory: read again, where waiting is allowed.
    Later,
}

/// Reads what is in the page cache.
pub(super) fn read_now(file: &File, offset: u64, len: u64) -> ReadNow {
    let Ok(wanted) = usize::try_from(len) else {
        return ReadNow::Later;
    };
    let mut bytes = Buffer::new(wanted);
    let read = preadv2(
        file,
        &mut [IoSliceMut::new(&mut bytes)],
        offset,
        ReadWriteFlags::NOWAIT,
    );
    match read {
        Ok(got) if got == wanted => ReadNow::Done(Ok(bytes)),
        // Not a file system that can say so, the end of the file, or a part that is not in memory.
        Ok(_) | Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR) => ReadNow::Later,
        Err(error) => ReadNow::Done(Err(io_error(&error.into()))),
    }
}

/// Reads, waiting as long as it takes; fewer bytes where the file ends before.
pub(super) fn read(file: &File, offset: u64, len: u64) -> io::Result<Buffer> {
    let mut bytes = Buffer::new(usize::try_from(len).unwrap_or(usize::MAX));
    let mut done = 0;
    while done < bytes.len() {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// What the engine can do something about.
pub(super) fn io_error(error: &io::Error) -> IoError {
    match error.kind() {
        io::ErrorKind::NotFound => IoError::NotFound,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => IoError::NoSpace,
        _ => IoError::Failed,
    }
}
