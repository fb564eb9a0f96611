//! Roots, snapshots and claims, the small objects that tell where a volume stands.
//!
//! A root is a checkpoint: 0..4 CRC-32C of the rest, 4..8 magic `CFR2`, 8..16 volume, 16..20 epoch of the
//! attachment whose state it is, 20..32 number and epoch of the last segment that has taken effect, 32..40 the last journal
//! record that has, 40..48 blocks of the volume, 48..68 the parent if the volume is a clone, else zero:
//! volume, sequence (8), epoch of the snapshot; then the length of the label and the label. Then five lists, each after its count: volumes whose
//! objects are named, this one first (8 each); segments, each row, volume by its place in that list,
//! number (8), epoch, length, blocks, live blocks, snapshots that need it, age as in `segment` (8); parts of the map, each its
//! place, volume by its place, number (8), epoch; parts that snapshots need, the same with how many do as
//! its place; snapshots, each sequence (8), epoch, blocks (8), nanoseconds since 1970 (8), length of the
//! name, the name, number (8) and epoch of its object. Fields are four bytes where nothing is said.
//!
//! A snapshot's object is a root that is kept: the state of the volume then, with the segments and parts
//! that it needs and no others.
//!
//! A claim is 0..4 CRC-32C of the rest, 4..8 magic `CFC1`, 8..16 the number of the last segment that the
//! attachment found, 16..24 and 24..28 number and epoch of the root from which it began. Segments with
//! a higher number and a lower epoch than a claim have lost, and so have roots of a lower epoch that
//! are newer than the claim's: what they name may be deleted.

use std::collections::BTreeMap;

use crate::bytes::{Put, Reader, crc, len32, usize_of};
use crate::name::{ObjectKind, ObjectName, SegmentId, VolumeId};
use crate::snapshot::{Parent, Snapshot, SnapshotId};
use crate::table::Row;

const ROOT_MAGIC: u32 = u32::from_le_bytes(*b"CFR2");
const CLAIM_MAGIC: u32 = u32::from_le_bytes(*b"CFC1");

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) volume: VolumeId,
    pub(crate) epoch: u32,
    pub(crate) head: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) size_blocks: u64,
    pub(crate) parent: Option<Parent>,
    /// What people call the volume.
    pub(crate) label: String,
    pub(crate) rows: Vec<(u32, Row)>,
    pub(crate) parts: BTreeMap<u32, ObjectName>,
    /// Parts that snapshots need, and how many of them.
    pub(crate) held: BTreeMap<ObjectName, u32>,
    /// The snapshots and their objects, oldest first.
    pub(crate) snapshots: Vec<(Snapshot, ObjectName)>,
}

impl Root {
    /// The root of a new volume.
    pub(crate) fn new(volume: VolumeId, label: &str, size_blocks: u64) -> Self {
        Self {
            volume,
            epoch: 0,
            head: SegmentId::default(),
            through_seq: 0,
            size_blocks,
            parent: None,
            label: label.to_owned(),
            rows: Vec::new(),
            parts: BTreeMap::new(),
            held: BTreeMap::new(),
            snapshots: Vec::new(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.put_u32(ROOT_MAGIC);
        body.put_u64(self.volume.0);
        body.put_u32(self.epoch);
        body.put_u64(self.head.number);
        body.put_u32(self.head.epoch);
        body.put_u64(self.through_seq);
        body.put_u64(self.size_blocks);
        let none = Parent {
            volume: VolumeId(0),
            snapshot: SnapshotId::default(),
        };
        let parent = self.parent.unwrap_or(none);
        body.put_u64(parent.volume.0);
        body.put_u64(parent.snapshot.seq);
        body.put_u32(parent.snapshot.epoch);
        body.put_u32(len32(self.label.len()));
        body.extend_from_slice(self.label.as_bytes());
        let owners = self.owners();
        body.put_u32(len32(owners.len()));
        let mut listed: Vec<_> = owners.iter().collect();
        listed.sort_unstable_by_key(|(_, place)| **place);
        listed.iter().for_each(|(volume, _)| body.put_u64(volume.0));
        let owner = |volume: VolumeId| owners.get(&volume).copied().unwrap_or_default();
        body.put_u32(len32(self.rows.len()));
        for (number, row) in &self.rows {
            body.put_u32(*number);
            body.put_u32(owner(row.volume));
            body.put_u64(row.id.number);
            body.put_u32(row.id.epoch);
            body.put_u32(row.len);
            body.put_u32(row.frames);
            body.put_u32(row.live);
            body.put_u32(row.pins);
            body.put_u64(row.born);
        }
        let held = self.held.iter().map(|(name, count)| (count, name));
        put_parts(&mut body, self.parts.iter(), &owner);
        put_parts(&mut body, held, &owner);
        body.put_u32(len32(self.snapshots.len()));
        for (snapshot, name) in &self.snapshots {
            snapshot.put(&mut body);
            body.put_u64(name.number);
            body.put_u32(name.epoch);
        }
        sealed(body)
    }

    /// The volumes whose objects are named, with the place of each in the list: this one is the first.
    fn owners(&self) -> BTreeMap<VolumeId, u32> {
        let mut owners = BTreeMap::from([(self.volume, 0)]);
        let parts = self.parts.values().chain(self.held.keys());
        let rows = self.rows.iter().map(|(_, row)| row.volume);
        for volume in rows.chain(parts.map(|name| name.volume)) {
            let next = len32(owners.len());
            owners.entry(volume).or_insert(next);
        }
        owners
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = opened(bytes, ROOT_MAGIC)?;
        let mut root = Self::new(VolumeId(reader.u64()?), "", 0);
        root.epoch = reader.u32()?;
        root.head = read_id(&mut reader)?;
        root.through_seq = reader.u64()?;
        root.size_blocks = reader.u64()?;
        let parent = Parent {
            volume: VolumeId(reader.u64()?),
            snapshot: SnapshotId {
                seq: reader.u64()?,
                epoch: reader.u32()?,
            },
        };
        root.parent = (parent.snapshot != SnapshotId::default()).then_some(parent);
        let label_len = usize_of(u64::from(reader.u32()?));
        root.label = String::from_utf8(reader.bytes(label_len)?.to_vec()).ok()?;
        let count = reader.u32()?;
        let owners = (0..count).map(|_| reader.u64().map(VolumeId));
        let owners: Vec<VolumeId> = owners.collect::<Option<_>>()?;
        let count = reader.u32()?;
        let rows = (0..count).map(|_| read_row(&mut reader, &owners));
        root.rows = rows.collect::<Option<_>>()?;
        root.parts = read_parts(&mut reader, &owners)?.into_iter().collect();
        let held = read_parts(&mut reader, &owners)?.into_iter();
        root.held = held.map(|(count, name)| (name, count)).collect();
        let count = reader.u32()?;
        let snapshots = (0..count).map(|_| {
            let snapshot = Snapshot::read(&mut reader)?;
            let id = read_id(&mut reader)?;
            let name = named(root.volume, ObjectKind::Snapshot, id);
            Some((snapshot, name))
        });
        root.snapshots = snapshots.collect::<Option<_>>()?;
        reader.is_empty().then_some(root)
    }
}

fn put_parts<'a>(
    body: &mut Vec<u8>,
    parts: impl ExactSizeIterator<Item = (&'a u32, &'a ObjectName)>,
    owner: &dyn Fn(VolumeId) -> u32,
) {
    body.put_u32(len32(parts.len()));
    for (part, name) in parts {
        body.put_u32(*part);
        body.put_u32(owner(name.volume));
        body.put_u64(name.number);
        body.put_u32(name.epoch);
    }
}

fn read_parts(reader: &mut Reader<'_>, owners: &[VolumeId]) -> Option<Vec<(u32, ObjectName)>> {
    let count = reader.u32()?;
    let parts = (0..count).map(|_| {
        let (part, owner) = (reader.u32()?, read_owner(reader, owners)?);
        Some((part, named(owner, ObjectKind::Part, read_id(reader)?)))
    });
    parts.collect()
}

fn read_owner(reader: &mut Reader<'_>, owners: &[VolumeId]) -> Option<VolumeId> {
    let place = usize_of(u64::from(reader.u32()?));
    owners.get(place).copied()
}

fn read_id(reader: &mut Reader<'_>) -> Option<SegmentId> {
    let (number, epoch) = (reader.u64()?, reader.u32()?);
    Some(SegmentId { number, epoch })
}

fn named(volume: VolumeId, kind: ObjectKind, id: SegmentId) -> ObjectName {
    ObjectName {
        volume,
        kind,
        number: id.number,
        epoch: id.epoch,
    }
}

fn read_row(reader: &mut Reader<'_>, owners: &[VolumeId]) -> Option<(u32, Row)> {
    let number = reader.u32()?;
    let row = Row {
        volume: read_owner(reader, owners)?,
        id: read_id(reader)?,
        len: reader.u32()?,
        frames: reader.u32()?,
        live: reader.u32()?,
        pins: reader.u32()?,
        born: reader.u64()?,
    };
    (number < crate::leaf::ROWS_MAX).then_some((number, row))
}

/// What an attachment has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The number of the last segment.
    pub(crate) head_number: u64,
    /// The root's epoch and number.
    pub(crate) root: (u32, u64),
}

impl Claim {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut body = Vec::new();
        body.put_u32(CLAIM_MAGIC);
        body.put_u64(self.head_number);
        body.put_u64(self.root.1);
        body.put_u32(self.root.0);
        sealed(body)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = opened(bytes, CLAIM_MAGIC)?;
        let (head_number, number) = (reader.u64()?, reader.u64()?);
        let root = (reader.u32()?, number);
        Some(Self { head_number, root })
    }
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let mut out = crc(&body).to_le_bytes().to_vec();
    out.append(&mut body);
    out
}

fn opened(bytes: &[u8], magic: u32) -> Option<Reader<'_>> {
    let mut reader = Reader::new(bytes);
    let sum = reader.u32()?;
    let whole = sum == crc(bytes.get(4..)?) && reader.u32()? == magic;
    whole.then_some(reader)
}

#[cfg(test)]
#[path = "root_test.rs"]
mod tests;
