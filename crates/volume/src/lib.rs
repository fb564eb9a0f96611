//! A volume that keeps what it acknowledged: journal, extent map, immutable segments, checkpoints.
//!
//! # How it works
//! A write becomes a record of the **journal** and is answered once that is written. A flush is
//! answered once a sync that *started* after its last covered record was written has completed; all
//! flushes that wait share one. The **overlay** knows what the journal holds. In the background the
//! live part of the oldest records is packed into a **segment**, an immutable object with a summary
//! of itself; when it is stored it takes effect on the **map**, and the journal's tail may move. A
//! **checkpoint** stores the parts of the map that have changed, then a root that names all parts and
//! segments. **Collection** moves what is live out of mostly dead segments. **Recovery** is the newest
//! root, the segments after it in order, and the journal's records after those.
//!
//! The overlay is cut into **layers**, each packed by itself and whole, so that at the end of each the
//! map is the volume as it was at one moment. There checkpoints are made, and there a **snapshot** is: its
//! record in the journal ends a layer, and when the map comes past it, its state is stored as a root that
//! is kept. A **clone** is a volume whose first root names a snapshot's objects.
//!
//! The engine does no I/O: it gives [`Command`]s and takes their completions, at any time and in any
//! order, so that tests can lose, tear and reorder them. Recovery works on a [`Backing`] instead,
//! since nothing else goes on meanwhile.
//!
//! # Invariants, told as absences
//! - No write is answered before every record up to its own is written, no flush before a sync that
//!   began after that. A failed sync is never repeated: the volume stops.
//! - No segment of a layer counts before all of that layer are stored: what is hidden within it is not
//!   packed, and the record that hides it may be lost.
//! - No byte of the journal is written over before a header that disowns it is durable.
//! - No object's name is used twice: it has the epoch of one attachment in it, and an attachment
//!   begins only when both the store and the journal durably know its epoch.
//! - No segment takes effect that an attachment after its own has not seen at its start.
//! - No record of an older epoch is taken up behind one of a newer: what was lost stays lost.
//! - No part or root is deleted before a root that does without it is durable; no segment before a root
//!   and what is stored behind it do without it; nothing that a snapshot needs. A volume deletes
//!   nobody else's objects.
//! - No root is of a state that never was: without the journal, the volume is an older state of itself.
//! - No snapshot's record is disowned before a root names the snapshot.
//! - No damaged record is taken for the journal's end if anything says that it was durable.
//! - No byte is served that does not have its checksum and its block's number.
#![forbid(unsafe_code)]

mod buffers;
mod bulk;
mod bytes;
mod cache;
mod catalogue;
mod check;
pub mod checker;
mod command;
#[cfg(test)]
mod crash;
mod crcs;
mod create;
mod device;
mod draft;
mod engine;
mod frame;
mod freeze;
mod hasher;
mod history;
mod journal;
mod leaf;
mod map;
mod mirror;
mod name;
mod open;
mod overlay;
mod record;
mod regions;
mod replay;
mod root;
mod scan;
mod segment;
mod snapshot;
mod sums;
mod table;

pub use buffers::{Buffer, DISK_BLOCK_LEN, give_back, long_buffer};
pub use bulk::{BULK_BLOCKS_MAX, BulkDraft};
pub use cache::ReadCache;
pub use catalogue::{Catalogue, Listed};
pub use check::{Checked, Defect, check};
pub use command::{Command, Config, IoError, Refused, Reply, Stage};
pub use create::{create, create_clone};
pub use device::Device;
pub use draft::{Draft, Sealed};
pub use engine::{Engine, Figures};
pub use frame::shrinks;
pub use hasher::{BuildNameHasher, NameHasher};
pub use mirror::{Mirror, MirrorBacking, Mirrored, Twin};
pub use name::{ObjectKind, ObjectName, SegmentId, VolumeId};
pub use open::{Attach, Backing, OpenError, open, open_with};
pub use segment::FRAME_HEADER_LEN;
pub use snapshot::{Parent, SNAPSHOT_NAME_MAX, Snapshot, SnapshotId};

/// The bytes of a block: operations are in whole blocks.
pub const BLOCK_LEN: usize = 4096;

/// The bytes that a disk writes whole or not at all.
pub(crate) const SECTOR_LEN: u64 = 512;

/// The most blocks that one write brings; longer ones are given in pieces.
pub const WRITE_BLOCKS_MAX: u64 = record::BLOCKS_MAX as u64;

/// The most blocks that a volume has: 16 TiB.
pub const SIZE_BLOCKS_MAX: u64 = 1 << 32;
