//! Names of objects: each has the volume and the epoch of its writer in it, and none is used twice.

use std::fmt;

/// A volume, by the number that its objects and its journal carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeId(pub u64);

/// A segment; ordered by number, then by epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// Its place in the order in which segments take effect; or that of a bulk, see [`BULK`].
    pub number: u64,
    /// The attachment that wrote it.
    pub epoch: u32,
}

/// Numbers from here on are those of bulks: segments that large writes are stored in before they are in
/// the journal. They have no place in the order: a segment of the order takes them up.
const BULK: u64 = 1 << 63;

impl SegmentId {
    /// A bulk, by the writer's count.
    pub(crate) const fn bulk(count: u64, epoch: u32) -> Self {
        let number = BULK | count;
        Self { number, epoch }
    }

    /// Whether this is a bulk.
    pub(crate) const fn is_bulk(self) -> bool {
        self.number >= BULK
    }
}

/// An object in the store.
///
/// As text, `volume/<id>/<kind>/<number>-<epoch>`, all in hexadecimal of fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The volume that wrote it, and that alone may delete it.
    pub volume: VolumeId,
    /// What it is.
    pub kind: ObjectKind,
    /// The number of a segment; of a part or root, the writer's count; of a claim, zero.
    pub number: u64,
    /// The attachment that wrote it.
    pub epoch: u32,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Blocks and a summary of them, see `segment`.
    Segment,
    /// A stretch of the extent map, see `map`.
    Part,
    /// A checkpoint: which parts and segments there are, see `root`.
    Root,
    /// That an attachment began, and where the segments before it ended.
    Claim,
    /// A checkpoint that is kept: what a snapshot needs, see `root`.
    Snapshot,
}

impl ObjectKind {
    const ALL: [Self; 5] = [
        Self::Segment,
        Self::Part,
        Self::Root,
        Self::Claim,
        Self::Snapshot,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Part => "part",
            Self::Root => "root",
            Self::Claim => "claim",
            Self::Snapshot => "snapshot",
        }
    }
}

impl ObjectName {
    /// The name of a segment.
    pub const fn segment(volume: VolumeId, id: SegmentId) -> Self {
        Self {
            volume,
            kind: ObjectKind::Segment,
            number: id.number,
            epoch: id.epoch,
        }
    }

    /// Whether it is the object of a large write, mostly shorter than other segments.
    pub fn is_bulk(self) -> bool {
        self.kind == ObjectKind::Segment && self.segment_id().is_bulk()
    }

    /// The segment that this name stands for, whatever its kind says.
    pub const fn segment_id(self) -> SegmentId {
        SegmentId {
            number: self.number,
            epoch: self.epoch,
        }
    }

    /// The name that this text is; `None` if it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('/');
        let (first, volume) = (fields.next()?, fields.next()?);
        let (kind, rest) = (fields.next()?, fields.next()?);
        let (number, epoch) = rest.split_once('-')?;
        let name = Self {
            volume: VolumeId(u64::from_str_radix(volume, 16).ok()?),
            kind: ObjectKind::ALL.into_iter().find(|one| one.word() == kind)?,
            number: u64::from_str_radix(number, 16).ok()?,
            epoch: u32::from_str_radix(epoch, 16).ok()?,
        };
        (first == "volume" && name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            volume,
            number,
            epoch,
            ..
        } = self;
        let kind = self.kind.word();
        write!(
            f,
            "volume/{:016x}/{kind}/{number:016x}-{epoch:08x}",
            volume.0
        )
    }
}

#[cfg(test)]
#[path = "name_test.rs"]
mod tests;
