//! One file of slots that take turns.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::format::{self, HEADER_LEN, Resolution, SERIES_MAX, SLOT_HEAD_LEN, Slot};

/// The ring of one resolution.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    resolution: Resolution,
}

impl Ring {
    /// Over an open file. One of another layout, or without a whole header, begins anew where it may
    /// be written; its length is set at once, and takes room on the disk only as it fills.
    pub(super) fn new(file: File, resolution: Resolution, writes: bool) -> io::Result<Self> {
        let header = format::header(resolution);
        let mut found = [0; HEADER_LEN];
        read_as_far(&file, &mut found, 0)?;
        let fits = found == header && file.metadata()?.len() == resolution.file_len();
        if !fits && writes {
            file.set_len(0)?;
            file.set_len(resolution.file_len())?;
            file.write_all_at(&header, 0)?;
        }
        if !fits && !writes {
            return Err(io::Error::other("the history is of another release"));
        }
        Ok(Self { file, resolution })
    }

    /// Writes a slot in the place of its time, over whatever was there.
    pub(super) fn put(&self, slot: &Slot) -> io::Result<()> {
        let offset = self.resolution.offset(slot.time_s);
        self.file.write_all_at(&slot.encode(), offset)
    }

    /// The slot of a time, if it is there whole. `names` is how many it may have, which saves reading
    /// what nobody wrote.
    pub(super) fn get(&self, time_s: u64, names: usize) -> io::Result<Option<Slot>> {
        let len = self.resolution.slot_len(names.min(SERIES_MAX));
        let mut bytes = vec![0; len];
        let len = read_as_far(&self.file, &mut bytes, self.resolution.offset(time_s))?;
        let bytes = bytes.get(..len).unwrap_or_default();
        Ok(Slot::decode(bytes, self.resolution, time_s))
    }

    /// Whether a slot of this time was written.
    pub(super) fn has(&self, time_s: u64) -> io::Result<bool> {
        Ok(self.time_at(self.resolution.offset(time_s))? == time_s)
    }

    /// Takes out every slot that says it is later than `now_s`.
    pub(super) fn forget_after(&self, now_s: u64) -> io::Result<()> {
        let step_s = self.resolution.step_s();
        for index in 0..self.resolution.slots() {
            let offset = self.resolution.offset(index * step_s);
            if self.time_at(offset)? > now_s {
                self.file.write_all_at(&[0; SLOT_HEAD_LEN], offset)?;
            }
        }
        Ok(())
    }

    fn time_at(&self, offset: u64) -> io::Result<u64> {
        let mut head = [0; SLOT_HEAD_LEN];
        read_as_far(&self.file, &mut head, offset)?;
        Ok(format::slot_time(&head).unwrap_or(0))
    }
}

/// Reads until `bytes` is full or the file ends; tells how much there was.
pub(super) fn read_as_far(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut len = 0;
    while len < bytes.len() {
        let rest = bytes.get_mut(len..).unwrap_or_default();
        match file.read_at(rest, offset + len as u64) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
