//! Snapshots: what they are called, and what their record in the journal says.

use base::Timestamp;

use crate::bytes::{Put, Reader, len32, usize_of};
use crate::name::VolumeId;

/// The most bytes that a snapshot's name has.
pub const SNAPSHOT_NAME_MAX: usize = 128;

/// A snapshot among all that its volume ever had: the record with which it was taken, and the attachment
/// that took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// The sequence of its record.
    pub seq: u64,
    /// The attachment.
    pub epoch: u32,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which one it is, whatever others were called.
    pub id: SnapshotId,
    /// What its owner calls it; no two of a volume at one time.
    pub name: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// How long the volume was.
    pub size_blocks: u64,
}

/// The snapshot that a clone was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The volume.
    pub volume: VolumeId,
    /// Its snapshot.
    pub snapshot: SnapshotId,
}

/// What the journal's record of a snapshot brings.
pub(crate) fn note(name: &str, taken: Timestamp) -> Vec<u8> {
    let mut note = Vec::with_capacity(8 + name.len());
    note.put_u64(taken.as_nanos());
    note.extend_from_slice(name.as_bytes());
    note
}

/// Name and time of a snapshot, out of its record.
pub(crate) fn from_note(note: &[u8]) -> Option<(String, Timestamp)> {
    let mut reader = Reader::new(note);
    let taken = Timestamp::from_nanos(reader.u64()?);
    let name = String::from_utf8(note.get(8..)?.to_vec()).ok()?;
    Some((name, taken))
}

impl Snapshot {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(self.id.seq);
        out.put_u32(self.id.epoch);
        out.put_u64(self.size_blocks);
        out.put_u64(self.taken.as_nanos());
        out.put_u32(len32(self.name.len()));
        out.extend_from_slice(self.name.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (seq, epoch) = (reader.u64()?, reader.u32()?);
        let (size_blocks, taken) = (reader.u64()?, reader.u64()?);
        let name_len = usize_of(u64::from(reader.u32()?));
        let name = reader.bytes(name_len)?;
        Some(Self {
            id: SnapshotId { seq, epoch },
            name: String::from_utf8(name.to_vec()).ok()?,
            taken: Timestamp::from_nanos(taken),
            size_blocks,
        })
    }
}
