//! What passes between the engine and whoever does its I/O.

use std::sync::Arc;

use crate::buffers::Buffer;
use crate::cache::ReadCache;
use crate::draft::Draft;
use crate::name::{ObjectName, VolumeId};

/// How a volume is to be kept.
#[derive(Clone, Debug)]
pub struct Config {
    /// The volume.
    pub volume: VolumeId,
    /// The length of the journal's file: 8 KiB of headers and at least 256 KiB of records. It is
    /// prewritten by whoever makes it.
    pub journal_len: u64,
    /// How long a segment's blocks may get together, at most 4 MiB.
    pub segment_len: u64,
    /// How many segments may be on their way to the store at once, 1 to 8; collection adds one.
    pub puts_max: usize,
    /// How much is written to segments between two checkpoints at least.
    pub checkpoint_len: u64,
    /// Collect when less than this part of the blocks that are stored is live, in thousandths.
    pub live_min_permille: u64,
    /// Where blocks of objects are kept that are read again and again, if anywhere.
    pub read_cache: Option<Arc<ReadCache>>,
}

impl Config {
    /// What suits a volume of ordinary use.
    pub const fn new(volume: VolumeId) -> Self {
        Self {
            volume,
            journal_len: 1 << 30,
            segment_len: 4 << 20,
            puts_max: 2,
            checkpoint_len: 256 << 20,
            // What else is stored takes the rest to seven tenths.
            live_min_permille: 708,
            read_cache: None,
        }
    }
}

/// I/O to be done. Commands may be done at once and in any order, and each is answered by its token.
#[derive(Clone, Debug)]
pub enum Command {
    /// Write to the journal's file; answered when a sync begun from then on would cover it.
    JournalWrite {
        /// To answer with.
        token: u64,
        /// Where in the file.
        at: u64,
        /// What.
        bytes: Arc<Vec<u8>>,
    },
    /// Write to the start of the journal's file; answered once that is durable. The rest of the journal
    /// need not be.
    JournalHeader {
        /// To answer with.
        token: u64,
        /// What.
        bytes: Arc<Vec<u8>>,
    },
    /// Make durable what has been answered as written to the journal, as fdatasync does. When it begins,
    /// [`crate::Engine::sync_begins`] may be told, so that it covers more.
    JournalSync {
        /// To answer with.
        token: u64,
    },
    /// Make durable these objects, which have been handed in by [`crate::Engine::write_bulk`].
    BulkSync {
        /// To answer with.
        token: u64,
        /// Which.
        names: Vec<ObjectName>,
    },
    /// Read from the journal's file.
    JournalRead {
        /// To answer with.
        token: u64,
        /// Where in the file.
        at: u64,
        /// How much.
        len: u64,
    },
    /// Call [`Draft::seal`], on a thread that may be busy for some tens of milliseconds, and answer
    /// with [`crate::Engine::handle_sealed`].
    Seal {
        /// To answer with.
        token: u64,
        /// What to seal.
        draft: Box<Draft>,
    },
    /// Store an object durably, over whatever is there under its name.
    Put {
        /// To answer with.
        token: u64,
        /// Its name.
        name: ObjectName,
        /// Its bytes.
        bytes: Arc<Buffer>,
    },
    /// Read a range of an object; fewer bytes where it ends before.
    Get {
        /// To answer with.
        token: u64,
        /// Its name.
        name: ObjectName,
        /// Where in it.
        offset: u64,
        /// How much.
        len: u64,
    },
    /// Delete an object; one that is not there is deleted already.
    Delete {
        /// To answer with.
        token: u64,
        /// Its name.
        name: ObjectName,
    },
}

/// Why I/O failed, or might have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoError {
    /// It failed, or nobody knows.
    Failed,
    /// There is no space left.
    NoSpace,
    /// There is no such object.
    NotFound,
}

/// Where I/O has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Writing to the journal.
    JournalWrite,
    /// Making the journal durable. What is in the page cache is not to be trusted afterwards.
    JournalSync,
    /// Reading the journal, or what was read is not what was written.
    JournalRead,
    /// Storing an object.
    Put,
    /// Reading an object, or what was read is not what was stored.
    Get,
}

/// What the engine has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A write, a zeroing or a flush is done.
    Done(u64),
    /// A read is done.
    Read(u64, Vec<u8>),
    /// An operation failed.
    Failed(u64, Stage),
    /// A change that had to wait is refused after all; only [`crate::Device`] says so.
    Refused(u64, Refused),
    /// There is room in the journal again.
    Room,
    /// An object is damaged or gone; whatever reads it fails.
    Damaged(ObjectName),
    /// The journal was damaged where it had this block; reading it fails until it is written again.
    Lost(u64),
    /// The volume has stopped: attach it again.
    Stopped(Stage),
}

/// Why an operation is not even begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The journal is full: try again after [`Reply::Room`].
    Full,
    /// The journal is full and the store says that it is too.
    NoSpace,
    /// The range is beyond the end, or not whole blocks, or longer than 16 blocks of data; or a name is
    /// too long.
    Range,
    /// There is a snapshot of this name, or it is being deleted already.
    Exists,
    /// There is no such snapshot.
    Unknown,
    /// There is data in what would be cut off.
    Data,
    /// The volume has stopped.
    Stopped(Stage),
}
