//! A volume's bytes into a file and back, by NBD: what is a hole stays one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use nbd_proto::{Command, Errno};
use rustix::fs::{SeekFrom, seek};
use thiserror::Error;
use volume::BLOCK_LEN;

use super::client::{Answer, NbdClient};

/// How much one request carries.
const PIECE_LEN: u64 = 1 << 20;
/// Requests under way at once.
const DEPTH: usize = 8;
/// For how much at once it is asked what is a hole.
const STATUS_LEN: u64 = 1 << 30;

/// What went from one place to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// The length of the whole.
    pub size_bytes: u64,
    /// How much of it was not zero, in whole blocks.
    pub data_bytes: u64,
}

/// Why not all of it went.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The connection broke, or the server is not understood.
    #[error("the server went away: {0}")]
    Server(io::Error),
    /// The server says no.
    #[error("the server refuses what is at byte {offset}: {errno:?}")]
    Refused {
        /// Where.
        offset: u64,
        /// Why.
        errno: Errno,
    },
    /// The file could not be read or written.
    #[error("the file: {0}")]
    File(io::Error),
}

/// Writes all that an export holds into a new file, which becomes as long as the export and durable.
pub fn export(client: &mut NbdClient, file: &File) -> Result<Transferred, TransferError> {
    let size_bytes = client.joined().size_bytes;
    file.set_len(size_bytes).map_err(TransferError::File)?;
    let mut transfer = Transfer::new(client, size_bytes);
    let mut window = 0;
    while window < size_bytes {
        let window_end = size_bytes.min(window + STATUS_LEN);
        for (from, to) in transfer.data_within(window, window_end)? {
            for (offset, len) in pieces(from, to) {
                let read = Command::Read {
                    offset,
                    len,
                    whole: false,
                };
                if let Some((at, data)) = transfer.ask(offset, read, &[])? {
                    transfer.keep(file, at, &data)?;
                }
            }
            while let Some((at, data)) = transfer.next_answer()? {
                transfer.keep(file, at, &data)?;
            }
        }
        window = window_end;
    }
    file.sync_all().map_err(TransferError::File)?;
    Ok(transfer.done)
}

/// Writes all that a file holds to an export that is all zeroes and at least as long, durably.
pub fn import(client: &mut NbdClient, file: &File) -> Result<Transferred, TransferError> {
    let size_bytes = file.metadata().map_err(TransferError::File)?.len();
    let mut transfer = Transfer::new(client, size_bytes);
    let mut at = 0;
    while let Some((from, to)) = data_from(file, at, size_bytes).map_err(TransferError::File)? {
        for (offset, len) in pieces(from, to) {
            let data = super::file::read(file, offset, u64::from(len));
            let data = data.map_err(TransferError::File)?;
            for (start, run) in runs_of_data(&data) {
                let write = Command::Write {
                    offset: offset + start as u64,
                    len: u32::try_from(run.len()).unwrap_or(u32::MAX),
                    fua: false,
                };
                transfer.done.data_bytes += run.len() as u64;
                transfer.ask(offset, write, run)?;
            }
        }
        at = to;
    }
    while transfer.next_answer()?.is_some() {}
    transfer.ask(0, Command::Flush, &[])?;
    transfer.next_answer()?;
    Ok(transfer.done)
}

/// Requests under way, and what has been done.
struct Transfer<'a> {
    client: &'a mut NbdClient,
    /// Where each request began.
    under_way: BTreeMap<u64, u64>,
    done: Transferred,
}

impl<'a> Transfer<'a> {
    fn new(client: &'a mut NbdClient, size_bytes: u64) -> Self {
        Self {
            client,
            under_way: BTreeMap::new(),
            done: Transferred {
                size_bytes,
                data_bytes: 0,
            },
        }
    }

    /// Sends a request; an answer, if too many are owed.
    fn ask(
        &mut self,
        offset: u64,
        command: Command,
        data: &[u8],
    ) -> Result<Option<(u64, Vec<u8>)>, TransferError> {
        let cookie = self.client.put(command, data);
        self.client.send().map_err(TransferError::Server)?;
        self.under_way.insert(cookie, offset);
        match self.under_way.len() >= DEPTH {
            true => self.next_answer(),
            false => Ok(None),
        }
    }

    /// Waits for an answer: the offset that was asked for, and its data. None if none is owed.
    fn next_answer(&mut self) -> Result<Option<(u64, Vec<u8>)>, TransferError> {
        if self.under_way.is_empty() {
            return Ok(None);
        }
        let answer = self.client.answer().map_err(TransferError::Server)?;
        let offset = self.under_way.remove(&answer.cookie).unwrap_or_default();
        match answer.result {
            Ok(data) => Ok(Some((offset, data))),
            Err(errno) => Err(TransferError::Refused { offset, errno }),
        }
    }

    /// Writes to the file what is not zero.
    fn keep(&mut self, file: &File, at: u64, data: &[u8]) -> Result<(), TransferError> {
        for (start, run) in runs_of_data(data) {
            file.write_all_at(run, at + start as u64)
                .map_err(TransferError::File)?;
            self.done.data_bytes += run.len() as u64;
        }
        Ok(())
    }

    /// From where to where there may be data; all of it, if the server cannot say.
    fn data_within(&mut self, from: u64, to: u64) -> Result<Vec<(u64, u64)>, TransferError> {
        let mut found: Vec<(u64, u64)> = Vec::new();
        if !self.client.joined().allocation {
            return Ok(vec![(from, to)]);
        }
        let mut at = from;
        while at < to {
            let status = Command::BlockStatus {
                offset: at,
                len: u32::try_from(to - at).unwrap_or(u32::MAX),
                one: false,
            };
            let answer = self.client.ask(status, &[]);
            let Answer {
                result, extents, ..
            } = answer.map_err(TransferError::Server)?;
            result.map_err(|errno| TransferError::Refused { offset: at, errno })?;
            let before = at;
            for extent in extents {
                let end = to.min(at + u64::from(extent.len));
                if !extent.zero {
                    found.push((at, end));
                }
                at = end;
            }
            if at == before {
                // Told nothing: whatever is there is read.
                found.push((at, to));
                break;
            }
        }
        Ok(found)
    }
}

/// A range in pieces of one request each.
fn pieces(from: u64, to: u64) -> impl Iterator<Item = (u64, u32)> {
    let step = usize::try_from(PIECE_LEN).unwrap_or(usize::MAX);
    (from..to).step_by(step).map(move |offset| {
        let len = PIECE_LEN.min(to - offset);
        (offset, u32::try_from(len).unwrap_or(u32::MAX))
    })
}

/// The runs of blocks that are not all zero, and where each begins.
fn runs_of_data(data: &[u8]) -> Vec<(usize, &[u8])> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, block) in data.chunks(BLOCK_LEN).enumerate() {
        if block.iter().all(|byte| *byte == 0) {
            continue;
        }
        let start = index * BLOCK_LEN;
        let end = start + block.len();
        match runs.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => runs.push((start, end)),
        }
    }
    let run = |(start, end): (usize, usize)| Some((start, data.get(start..end)?));
    runs.into_iter().filter_map(run).collect()
}

/// The next stretch of a file that is no hole, in whole blocks.
fn data_from(file: &File, at: u64, size: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= size {
        return Ok(None);
    }
    let from = match seek(file, SeekFrom::Data(at)) {
        Ok(from) => from,
        // Behind `at` there are only holes.
        Err(rustix::io::Errno::NXIO) => return Ok(None),
        // Not a file system that knows.
        Err(rustix::io::Errno::INVAL) => return Ok(Some((at, size))),
        Err(error) => return Err(error.into()),
    };
    let to = seek(file, SeekFrom::Hole(from))?;
    let block = BLOCK_LEN as u64;
    let from = (from - from % block).max(at);
    Ok(Some((from, to.next_multiple_of(block).min(size))))
}

#[cfg(test)]
#[path = "transfer_test.rs"]
mod tests;
