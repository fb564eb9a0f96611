//! A store that keeps what segments say of themselves and makes up their blocks, all of one content.

use std::collections::BTreeMap;

use base::rng::Rng;
use crc_fast::{CrcAlgorithm, checksum};
use volume::{BLOCK_LEN, Backing, Command, IoError, ObjectKind, ObjectName, SegmentId, VolumeId};

const FOOTER_LEN: usize = 80;
const FRAME_LEN: usize = 16 + BLOCK_LEN;
/// Blocks in a segment that is made up.
const FRAMES: u64 = 1000;

/// What every block holds; it cannot be compressed.
pub(crate) fn payload() -> Vec<u8> {
    let mut rng = Rng::new(1);
    (0..BLOCK_LEN / 8)
        .flat_map(|_| rng.next_u64().to_le_bytes())
        .collect()
}

pub(crate) struct Discard {
    journal: Vec<u8>,
    /// By name, the length and what is kept: for segments, what is behind the frames.
    objects: BTreeMap<ObjectName, (u64, Vec<u8>)>,
    payload: Vec<u8>,
    pub(crate) put_len: u64,
    stored_len: u64,
    /// Puts are never answered.
    pub(crate) refuses: bool,
}

fn crc(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

impl Discard {
    pub(crate) fn new(journal_len: u64) -> Self {
        Self {
            journal: vec![0; journal_len as usize],
            objects: BTreeMap::new(),
            payload: payload(),
            put_len: 0,
            stored_len: 0,
            refuses: false,
        }
    }

    /// The lengths of all objects.
    pub(crate) fn len(&self) -> u64 {
        self.stored_len
    }

    /// Segments that wrote so many blocks, chosen at random, as if they had been packed.
    pub(crate) fn fill(&mut self, volume: VolumeId, size_blocks: u64, count: u64) {
        let mut taken = vec![0u64; (size_blocks / 64) as usize];
        let mut rng = Rng::new(9);
        let mut number = 0;
        let mut left = count;
        while left > 0 {
            number += 1;
            let frames = left.min(FRAMES);
            left -= frames;
            let mut tail = Vec::new();
            for index in 0..frames {
                let block = loop {
                    let block = rng.below(size_blocks);
                    let (word, bit) = ((block / 64) as usize, 1 << (block % 64));
                    if taken[word] & bit == 0 {
                        taken[word] |= bit;
                        break block;
                    }
                };
                let unit = index as u32 * (FRAME_LEN / 16) as u32;
                tail.extend_from_slice(&block.to_le_bytes());
                tail.extend_from_slice(&unit.to_le_bytes());
            }
            let frames_len = frames as u32 * FRAME_LEN as u32;
            let mut foot = Vec::with_capacity(FOOTER_LEN);
            foot.extend_from_slice(&volume.0.to_le_bytes());
            foot.extend_from_slice(&u64::to_le_bytes(number));
            // Epoch 0, written, zeroes, moved.
            let counts = [0, frames as u32, 0, 0];
            counts
                .iter()
                .for_each(|count| foot.extend_from_slice(&count.to_le_bytes()));
            foot.extend_from_slice(&0u64.to_le_bytes());
            let mut object = Vec::new();
            self.put_frames(&tail, frames as usize, 0, &mut object);
            foot.extend_from_slice(&frames_len.to_le_bytes());
            foot.extend_from_slice(&crc(&object).to_le_bytes());
            foot.extend_from_slice(&size_blocks.to_le_bytes());
            foot.extend_from_slice(&1u64.to_le_bytes());
            foot.extend_from_slice(&u64::to_le_bytes(number));
            let covered = [&tail[..], &foot[..]].concat();
            tail.extend_from_slice(b"CFS2");
            tail.extend_from_slice(&crc(&covered).to_le_bytes());
            tail.append(&mut foot);
            let name = ObjectName::segment(volume, SegmentId { number, epoch: 0 });
            let len = u64::from(frames_len) + tail.len() as u64;
            self.stored_len += len;
            self.objects.insert(name, (len, tail));
        }
    }

    /// The frames that a segment's list of written and moved blocks speaks of.
    fn put_frames(&self, tail: &[u8], written: usize, moved: usize, out: &mut Vec<u8>) {
        let moved_at = tail.len().saturating_sub(FOOTER_LEN + 28 * moved);
        let written = (0..written).map(|index| 12 * index);
        let moved = (0..moved).map(|index| moved_at + 28 * index);
        for at in written.chain(moved) {
            let unit = u32_at(tail, at + 8) as usize;
            out.resize(out.len().max(unit * 16 + FRAME_LEN), 0);
            let frame = &mut out[unit * 16..unit * 16 + FRAME_LEN];
            frame[4..6].copy_from_slice(&(BLOCK_LEN as u16).to_le_bytes());
            frame[8..16].copy_from_slice(&tail[at..at + 8]);
            frame[16..].copy_from_slice(&self.payload);
            let sum = crc(&frame[4..]);
            frame[..4].copy_from_slice(&sum.to_le_bytes());
        }
    }

    fn put_object(&mut self, name: ObjectName, bytes: &[u8]) {
        let len = bytes.len() as u64;
        let frames_len = match name.kind {
            ObjectKind::Segment => u32_at(&bytes[bytes.len() - FOOTER_LEN..], 48) as usize,
            _ => 0,
        };
        self.put_len += len;
        self.stored_len += len;
        let kept = bytes[frames_len..].to_vec();
        if let Some((old, _)) = self.objects.insert(name, (len, kept)) {
            self.stored_len -= old;
        }
    }

    fn get_object(&self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let (whole_len, kept) = self.objects.get(&name).ok_or(IoError::NotFound)?;
        let frames_len = whole_len - kept.len() as u64;
        let mut bytes = Vec::with_capacity(len.min(*whole_len) as usize);
        if offset > 0 || frames_len == 0 {
            // Only what is behind the frames is looked at where not all is read.
            bytes.resize(frames_len as usize, 0);
        } else {
            let foot = &kept[kept.len() - FOOTER_LEN..];
            let (written, moved) = (u32_at(foot, 28) as usize, u32_at(foot, 36) as usize);
            self.put_frames(kept, written, moved, &mut bytes);
            bytes.resize(frames_len as usize, 0);
        }
        bytes.extend_from_slice(kept);
        let from = offset.min(*whole_len) as usize;
        let to = offset.saturating_add(len).min(*whole_len) as usize;
        Ok(bytes[from..to].to_vec())
    }

    /// Does some I/O; `None` if it is never answered.
    pub(crate) fn perform(&mut self, command: Command) -> Option<(u64, Result<Vec<u8>, IoError>)> {
        let done = Ok(Vec::new());
        Some(match command {
            Command::JournalWrite { token, at, bytes } => {
                let at = at as usize;
                self.journal[at..at + bytes.len()].copy_from_slice(&bytes);
                (token, done)
            }
            Command::JournalHeader { token, bytes } => {
                self.journal[..bytes.len()].copy_from_slice(&bytes);
                (token, done)
            }
            Command::JournalSync { token } | Command::BulkSync { token, .. } => (token, done),
            Command::JournalRead { token, at, len } => (token, self.journal_read(at, len)),
            Command::Put { .. } if self.refuses => return None,
            Command::Put { token, name, bytes } => {
                self.put_object(name, &bytes);
                (token, done)
            }
            Command::Get {
                token,
                name,
                offset,
                len,
            } => (token, self.get_object(name, offset, len)),
            Command::Delete { token, name } => {
                if let Some((len, _)) = self.objects.remove(&name) {
                    self.stored_len -= len;
                }
                (token, done)
            }
            Command::Seal { .. } => return None,
        })
    }
}

impl Backing for Discard {
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        let objects = self.objects.iter();
        Ok(objects.map(|(name, (len, _))| (*name, *len)).collect())
    }

    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.get_object(name, offset, len)
    }

    fn put(&mut self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
        self.put_object(name, bytes);
        Ok(())
    }

    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let (at, len) = (at as usize, len as usize);
        let end = (at + len).min(self.journal.len());
        Ok(self.journal[at..end].to_vec())
    }

    fn journal_write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        let at = at as usize;
        self.journal[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn journal_sync(&mut self) -> Result<(), IoError> {
        Ok(())
    }
}
