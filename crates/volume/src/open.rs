//! Attaching: the newest root, the segments after it, the journal after those.

use std::collections::BTreeSet;

use crate::command::{Config, IoError};
use crate::create::format_journal;
use crate::engine::{Engine, Recovered};
use crate::history::History;
use crate::journal::{Journal, Start};
use crate::name::{ObjectKind, ObjectName};
use crate::record::{HEADERS_LEN, Header, Kind};
use crate::replay::{Replay, load_map};
use crate::root::{Claim, Root};
use crate::scan::{Scanned, scan};
use crate::segment::{SUMMARY_LEN_MAX, Summary};
use crate::snapshot::SnapshotId;
use crate::{BLOCK_LEN, SECTOR_LEN};

/// The shortest lap that goes round without a standstill.
const LAP_LEN_MIN: u64 = 256 << 10;

/// How many segments may have been on their way to the store when an attachment ended, whatever its
/// configuration was: packed ones, and one of moved blocks.
const IN_FLIGHT_MAX: usize = PUTS_MAX + 1;

/// The most that [`Config::puts_max`] may be.
const PUTS_MAX: usize = 8;

/// The store and the journal of one volume, done at once; only used while a volume is attached.
pub trait Backing {
    /// The volume's objects and their lengths, those of puts that were never answered included.
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError>;
    /// A range of an object; fewer bytes where it ends before.
    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError>;
    /// Makes durable an object that is there, though maybe not for good.
    fn settle(&mut self, name: ObjectName) -> Result<(), IoError> {
        let bytes = self.get(name, 0, u64::MAX)?;
        self.put(name, &bytes)
    }
    /// Stores an object durably.
    fn put(&mut self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError>;
    /// Reads from the journal's file.
    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError>;
    /// Writes to the journal's file.
    fn journal_write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError>;
    /// Makes the journal's file durable.
    fn journal_sync(&mut self) -> Result<(), IoError>;
}

/// Why a volume cannot be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// I/O failed; try again.
    Io(IoError),
    /// There is no volume of this number in the store.
    NoVolume,
    /// An object that is needed is damaged or gone.
    Damaged(ObjectName),
    /// The journal has no whole header of this volume.
    NoJournal,
    /// Between the segments and the journal, records are missing: the first of them.
    Gap(u64),
    /// The journal is too short for what is in it.
    Journal,
    /// A record that was durable has been damaged, in such a way that nobody knows what was in it.
    Rotten(u64),
    /// What the configuration says cannot be.
    Config,
    /// There is no such snapshot in the store.
    NoSnapshot,
    /// Snapshots are not stored yet: attach, [`Engine::settle`], and try again.
    Unsettled,
}

impl From<IoError> for OpenError {
    fn from(error: IoError) -> Self {
        Self::Io(error)
    }
}

/// How a volume is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attach {
    /// Back to this snapshot: whatever was written since is gone, but for what other snapshots have.
    pub restore: Option<SnapshotId>,
    /// The journal is lost, and what its file holds is not to be looked at: the volume is then what it was
    /// at some moment between the last checkpoint and the end of what segments have.
    pub without_journal: bool,
}

/// Attaches a volume: everything that was flushed is there, and of the rest a prefix of each run of
/// overlapping writes, which from now on does not change any more.
pub fn open(config: &Config, backing: &mut dyn Backing) -> Result<Engine, OpenError> {
    open_with(config, Attach::default(), backing)
}

/// Attaches a volume in an unusual way.
pub fn open_with(
    config: &Config,
    how: Attach,
    backing: &mut dyn Backing,
) -> Result<Engine, OpenError> {
    let lap_len = lap_len(config)?;
    let objects = backing.list()?;
    let get = &mut |name, offset, len| backing.get(name, offset, len);
    let history = History::read(config.volume, objects, get)?;
    let (root_name, root) = history.newest_root(get)?;
    // It may be seen without ever having been answered; older ones are deleted soon.
    backing.put(root_name, &root.encode())?;
    let (mut segments, doubtful) = read_chain(&history, &root, backing)?;
    // Of a layer that is not all there, the journal has all.
    let whole = segments.iter().rposition(|(_, summary, _)| summary.whole);
    segments.truncate(whole.map_or(0, |last| last + 1));
    let through = segments
        .last()
        .map_or(root.through_seq, |last| last.1.through_seq);
    let (header, found) = if how.without_journal {
        let header = format_journal(config, history.epoch(), through + 1, backing)?;
        (header, Scanned::nothing(header))
    } else {
        let headers = backing.journal_read(0, HEADERS_LEN)?;
        let header = Header::newest(&headers, config.volume).ok_or(OpenError::NoJournal)?;
        if header.tail % SECTOR_LEN != 0 || header.tail > u64::MAX / 2 {
            return Err(OpenError::Journal);
        }
        if header.tail_seq > through + 1 {
            return Err(doubtful.map_or(OpenError::Gap(through + 1), OpenError::Damaged));
        }
        (header, scan(backing, config.volume, header, lap_len)?)
    };
    let epoch = history.epoch().max(header.epoch).max(found.epoch);
    let epoch = epoch.checked_add(1).ok_or(OpenError::Journal)?;
    let mut replay = Replay::begin(&root, epoch, load_map(&root, backing)?);
    let cuts = found.cuts();
    for (_, summary, len) in &segments {
        replay.segment(summary, *len, &cuts);
    }
    let through_seq = replay.through_seq;
    let kept = found.keep(replay.keeps_from());
    let next_seq = found.last_seq.max(through_seq) + 1;
    let mut journal = Journal::new(Start {
        volume: config.volume,
        epoch,
        lap_len,
        head: found.end,
        tail: kept.front().map_or(found.end, |kept| kept.pos),
        next_seq,
        kept,
        generation: header.generation,
        durable_seq: header.durable_seq,
    });
    for name in &found.bulks {
        backing.settle(*name)?;
    }
    replay.journal(found.records);
    let claim = named(config, ObjectKind::Claim, epoch);
    let found_here = Claim {
        head_number: replay.head.number,
        root: (root_name.epoch, root_name.number),
    };
    backing.put(claim, &found_here.encode())?;
    begin(&mut journal, backing)?;
    let mut state = Recovered::new(config.clone(), replay, journal, (root_name, root));
    if let Some(snapshot) = how.restore {
        restore(&mut state, snapshot, backing)?;
    }
    let applied = segments.iter().map(|(name, ..)| *name).collect();
    state.garbage = garbage(&history, &state, &applied);
    Ok(Engine::new(state))
}

/// The journal's length without its headers.
pub(crate) fn lap_len(config: &Config) -> Result<u64, OpenError> {
    let len = config.journal_len.saturating_sub(HEADERS_LEN);
    let len = len - len % SECTOR_LEN;
    let segments =
        (1..=4 << 20).contains(&config.segment_len) && (1..=PUTS_MAX).contains(&config.puts_max);
    match len >= LAP_LEN_MIN && segments {
        true => Ok(len),
        false => Err(OpenError::Config),
    }
}

fn named(config: &Config, kind: ObjectKind, epoch: u32) -> ObjectName {
    ObjectName {
        volume: config.volume,
        kind,
        number: 0,
        epoch,
    }
}

/// Segments after the root with their summaries and lengths, and the one that is torn, if one is.
type Chain = (Vec<(ObjectName, Summary, u32)>, Option<ObjectName>);

fn read_chain(
    history: &History,
    root: &Root,
    backing: &mut dyn Backing,
) -> Result<Chain, OpenError> {
    let chain = history.chain(root);
    let mut segments = Vec::with_capacity(chain.len());
    for (index, (name, len)) in chain.iter().enumerate() {
        // Of the last ones nobody knows whether they were ever answered.
        let proven = index + IN_FLIGHT_MAX < chain.len();
        let Some(summary) = read_segment(*name, *len, proven, backing)? else {
            return Ok((segments, Some(*name)));
        };
        segments.push((*name, summary, u32::try_from(*len).unwrap_or(u32::MAX)));
    }
    Ok((segments, None))
}

/// Puts the state of a snapshot in place of what is there, with a root of its own.
fn restore(
    state: &mut Recovered,
    snapshot: SnapshotId,
    backing: &mut dyn Backing,
) -> Result<(), OpenError> {
    if !state.frozen.is_empty() || state.layers.cuts().any(|layer| layer.snapshot.is_some()) {
        return Err(OpenError::Unsettled);
    }
    let mut stored = state.named.snapshots.iter();
    let found = stored.find(|(other, _)| other.id == snapshot);
    let (_, object) = found.ok_or(OpenError::NoSnapshot)?;
    let kept = Root::decode(&backing.get(*object, 0, u64::MAX)?);
    let kept = kept.ok_or(OpenError::Damaged(*object))?;
    let (map, _) = load_map(&kept, backing)?;
    state.go_back(kept, map);
    let name = named(&state.config, ObjectKind::Root, state.epoch);
    backing.put(name, &state.root_of().encode())?;
    (state.root, state.root_epoch) = (name, state.epoch);
    Ok(())
}

/// The objects that nothing needs.
fn garbage(
    history: &History,
    state: &Recovered,
    applied: &BTreeSet<ObjectName>,
) -> Vec<ObjectName> {
    let named = &state.named;
    let parts = named.parts.values().chain(named.held.keys());
    let parts: BTreeSet<&ObjectName> = parts.collect();
    let snapshots: BTreeSet<&ObjectName> = named.snapshots.iter().map(|(_, name)| name).collect();
    let live = |name: &ObjectName| match name.kind {
        ObjectKind::Segment => {
            let id = name.segment_id();
            applied.contains(name) || state.table.number_of(id).is_some() || state.bulks.has(id)
        }
        ObjectKind::Part => parts.contains(name),
        ObjectKind::Snapshot => snapshots.contains(name),
        ObjectKind::Root => *name == state.root,
        ObjectKind::Claim => name.epoch > state.root_epoch,
    };
    let objects = history.objects.keys();
    objects.filter(|name| !live(name)).copied().collect()
}

/// A segment's summary; `None` if it is torn. One that may never have been answered is read whole and
/// stored again, since what a list shows may still be lost with the power.
fn read_segment(
    name: ObjectName,
    len: u64,
    proven: bool,
    backing: &mut dyn Backing,
) -> Result<Option<Summary>, OpenError> {
    let tail_len = if proven {
        len.min(SUMMARY_LEN_MAX)
    } else {
        len
    };
    let mut bytes = backing.get(name, len - tail_len, tail_len)?;
    if tail_len < len && Summary::parse(&bytes).is_none() {
        // Zeroes that others have cut in many pieces make a summary longer than it mostly is.
        bytes = backing.get(name, 0, len)?;
    }
    let ours = |summary: &Summary| summary.id == name.segment_id() && summary.volume == name.volume;
    let Some(summary) = Summary::parse(&bytes).filter(ours) else {
        return Ok(None);
    };
    if !proven {
        if !summary.vouches_for(&bytes) {
            return Ok(None);
        }
        backing.put(name, &bytes)?;
    }
    Ok(Some(summary))
}

/// Writes the header and the record with which an attachment begins, and makes them and all that the
/// scan has found durable.
fn begin(journal: &mut Journal, backing: &mut dyn Backing) -> Result<(), OpenError> {
    if !journal.has_room_to_open() {
        return Err(OpenError::Journal);
    }
    let seq = journal
        .after(0)
        .next()
        .map_or(journal.last_seq() + 1, |kept| kept.seq);
    let header = journal.header(journal.tail(), seq);
    let last = journal.last_seq();
    backing.journal_write(0, &header.encode())?;
    // The record may go where the old header still has its tail.
    backing.journal_sync()?;
    journal.note_durable(last);
    journal.append(Kind::Open, 0, 0, &[]);
    let mut token = 0;
    while let Some((at, bytes)) = journal.take_run(token) {
        backing.journal_write(at, &bytes)?;
        journal.run_written(token);
        token += 1;
    }
    backing.journal_sync()?;
    journal.note_durable(journal.last_seq());
    Ok(())
}

/// What fits a frame fits a block's place: units count to the end of the longest segment.
const _: () = assert!((4 << 20) / crate::segment::UNIT_LEN <= 1 << 18 && BLOCK_LEN == 4096);

#[cfg(test)]
#[path = "open_test.rs"]
mod tests;
