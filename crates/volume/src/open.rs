//! Creating and attaching: the newest root, the segments after it, the journal after those.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::command::{Config, IoError};
use crate::engine::{Engine, Recovered};
use crate::journal::{Journal, Start, file_offset};
use crate::map::Map;
use crate::name::{ObjectKind, ObjectName, SegmentId};
use crate::record::{HEADERS_LEN, Header, Kind};
use crate::root::{Claim, Root};
use crate::scan::scan;
use crate::segment::{SUMMARY_LEN_MAX, Summary};
use crate::table::{Table, apply};
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
    /// The journal is too short, or wrongly set up.
    Journal,
}

impl From<IoError> for OpenError {
    fn from(error: IoError) -> Self {
        Self::Io(error)
    }
}

/// Makes a new volume of zeroes, over whatever the journal's file holds.
pub fn create(
    config: &Config,
    size_blocks: u64,
    backing: &mut dyn Backing,
) -> Result<(), OpenError> {
    lap_len(config)?;
    let header = Header {
        volume: config.volume,
        generation: 1,
        tail: 0,
        tail_seq: 1,
        epoch: 0,
    };
    // The first record of an older volume must not pass for one of ours.
    backing.journal_write(
        file_offset(0, config.journal_len),
        &[0; SECTOR_LEN as usize],
    )?;
    for generation in [0, 1] {
        let header = Header {
            generation,
            ..header
        };
        backing.journal_write(header.slot(), &header.encode())?;
    }
    backing.journal_sync()?;
    let root = Root {
        volume: config.volume,
        epoch: 0,
        head: SegmentId::default(),
        through_seq: 0,
        size_blocks,
        rows: Vec::new(),
        parts: BTreeMap::new(),
    };
    let name = name(config, ObjectKind::Root, 0, 0);
    Ok(backing.put(name, &root.encode())?)
}

/// Attaches a volume: everything that was flushed is there, and of the rest a prefix of each run of
/// overlapping writes, which from now on does not change any more.
pub fn open(config: &Config, backing: &mut dyn Backing) -> Result<Engine, OpenError> {
    let lap_len = lap_len(config)?;
    let objects: BTreeMap<ObjectName, u64> = backing.list()?.into_iter().collect();
    let claims = read_claims(&objects, backing)?;
    let (root_name, root) = newest_root(&objects, &claims, backing)?;
    let (mut map, mut table) = load(&root, backing)?;
    // It may be seen without ever having been answered; older ones are deleted soon.
    backing.put(root_name, &root.encode())?;
    let chain = chain(&objects, &claims, &root);
    let (mut head, mut through_seq) = (root.head, root.through_seq);
    let mut epoch = claims
        .keys()
        .copied()
        .max()
        .unwrap_or_default()
        .max(root.epoch);
    epoch = objects.keys().map(|name| name.epoch).fold(epoch, u32::max);
    let mut applied = BTreeSet::new();
    let mut doubtful = None;
    for (index, (name, len)) in chain.iter().enumerate() {
        // Of the last ones nobody knows whether they were ever answered.
        let proven = index + IN_FLIGHT_MAX < chain.len();
        let Some(summary) = read_segment(*name, *len, proven, backing)? else {
            doubtful = Some(*name);
            break;
        };
        apply(
            &mut map,
            &mut table,
            &summary,
            u32::try_from(*len).unwrap_or(u32::MAX),
        );
        head = summary.id;
        through_seq = summary.through_seq;
        applied.insert(*name);
    }
    let headers = backing.journal_read(0, HEADERS_LEN)?;
    let header = Header::newest(&headers, config.volume).ok_or(OpenError::NoJournal)?;
    if header.tail % SECTOR_LEN != 0 || header.tail > u64::MAX / 2 {
        return Err(OpenError::Journal);
    }
    if header.tail_seq > through_seq + 1 {
        return Err(doubtful.map_or(OpenError::Gap(through_seq + 1), OpenError::Damaged));
    }
    let found = scan(backing, config.volume, header, lap_len, through_seq)?;
    epoch = epoch.max(header.epoch).max(found.epoch);
    let epoch = epoch.checked_add(1).ok_or(OpenError::Journal)?;
    let next_seq = found.last_seq.max(through_seq) + 1;
    let tail = found.kept.front().map_or(found.end, |kept| kept.pos);
    let mut journal = Journal::new(Start {
        volume: config.volume,
        epoch,
        lap_len,
        head: found.end,
        tail,
        next_seq,
        kept: found.kept,
        generation: header.generation,
    });
    let claim = name(config, ObjectKind::Claim, 0, epoch);
    let found_here = Claim {
        head_number: head.number,
        root: (root_name.epoch, root_name.number),
    };
    backing.put(claim, &found_here.encode())?;
    begin(&mut journal, backing)?;
    let live = |name: &ObjectName| match name.kind {
        ObjectKind::Segment => {
            applied.contains(name) || table.number_of(name.segment_id()).is_some()
        }
        ObjectKind::Part => root.parts.values().any(|part| part == name),
        ObjectKind::Root => *name == root_name,
        ObjectKind::Claim => name.epoch > root.epoch,
    };
    let garbage = objects.keys().filter(|name| !live(name)).copied().collect();
    Ok(Engine::new(Recovered {
        config: config.clone(),
        epoch,
        size_blocks: root.size_blocks,
        journal,
        overlay: found.overlay,
        map,
        table,
        head,
        through_seq,
        root: root_name,
        parts: root.parts,
        garbage,
    }))
}

fn lap_len(config: &Config) -> Result<u64, OpenError> {
    let len = config.journal_len.saturating_sub(HEADERS_LEN);
    let len = len - len % SECTOR_LEN;
    let segments =
        (1..=4 << 20).contains(&config.segment_len) && (1..=PUTS_MAX).contains(&config.puts_max);
    match len >= LAP_LEN_MIN && segments {
        true => Ok(len),
        false => Err(OpenError::Journal),
    }
}

fn name(config: &Config, kind: ObjectKind, number: u64, epoch: u32) -> ObjectName {
    let volume = config.volume;
    ObjectName {
        volume,
        kind,
        number,
        epoch,
    }
}

/// By epoch, what each attachment found.
type Claims = BTreeMap<u32, Claim>;

type Objects = BTreeMap<ObjectName, u64>;

fn read_claims(objects: &Objects, backing: &mut dyn Backing) -> Result<Claims, OpenError> {
    let mut claims = Claims::new();
    for (name, len) in objects
        .iter()
        .filter(|(name, _)| name.kind == ObjectKind::Claim)
    {
        // A torn one was never answered, so that its attachment never began.
        if let Some(claim) = Claim::decode(&backing.get(*name, 0, *len)?) {
            claims.insert(name.epoch, claim);
        }
    }
    Ok(claims)
}

/// Whether no later attachment began without this segment.
fn has_won(claims: &Claims, id: SegmentId) -> bool {
    later_than(claims, id.epoch).all(|claim| id.number <= claim.head_number)
}

/// Whether no later attachment began from an older root; what this one names is deleted then.
fn root_has_won(claims: &Claims, name: ObjectName) -> bool {
    later_than(claims, name.epoch).all(|claim| (name.epoch, name.number) <= claim.root)
}

fn later_than(claims: &Claims, epoch: u32) -> impl Iterator<Item = &Claim> {
    let later = epoch.checked_add(1).map(|epoch| claims.range(epoch..));
    later.into_iter().flatten().map(|(_, claim)| claim)
}

fn newest_root(
    objects: &Objects,
    claims: &Claims,
    backing: &mut dyn Backing,
) -> Result<(ObjectName, Root), OpenError> {
    let roots = objects
        .iter()
        .filter(|(name, _)| name.kind == ObjectKind::Root);
    let mut roots: Vec<_> = roots.map(|(name, len)| (*name, *len)).collect();
    roots.sort_by_key(|(name, _)| (name.epoch, name.number));
    let damaged = roots.last().map(|(name, _)| *name);
    for (name, len) in roots.into_iter().rev() {
        let root = Root::decode(&backing.get(name, 0, len)?);
        let ours = root.filter(|root| root.volume == name.volume && root_has_won(claims, name));
        if let Some(root) = ours {
            return Ok((name, root));
        }
    }
    Err(damaged.map_or(OpenError::NoVolume, OpenError::Damaged))
}

fn load(root: &Root, backing: &mut dyn Backing) -> Result<(Map, Table), OpenError> {
    let (mut map, mut table) = (Map::default(), Table::default());
    for (number, row) in &root.rows {
        table.load(*number, *row);
    }
    table.loaded();
    for (part, name) in &root.parts {
        let bytes = match backing.get(*name, 0, u64::MAX) {
            Err(IoError::NotFound) => Vec::new(),
            other => other?,
        };
        if !map.load_part(*part, &bytes) {
            return Err(OpenError::Damaged(*name));
        }
    }
    Ok((map, table))
}

/// The segments after the root, one for each number, as far as there are any.
fn chain(objects: &Objects, claims: &Claims, root: &Root) -> VecDeque<(ObjectName, u64)> {
    let mut chain = VecDeque::new();
    let mut last = SegmentId {
        number: root.head.number,
        epoch: root.epoch,
    };
    loop {
        let number = last.number + 1;
        let named = |epoch| ObjectName::segment(root.volume, SegmentId { number, epoch });
        let mut candidates = objects.range(named(last.epoch)..=named(u32::MAX)).rev();
        let next = candidates.find(|(name, _)| has_won(claims, name.segment_id()));
        let Some((name, len)) = next else {
            return chain;
        };
        last = name.segment_id();
        chain.push_back((*name, *len));
    }
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
    let bytes = backing.get(name, len - tail_len, tail_len)?;
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
    backing.journal_write(header.slot(), &header.encode())?;
    // The record may go where the old header still has its tail.
    backing.journal_sync()?;
    journal.append(Kind::Open, 0, 0, &[]);
    let mut token = 0;
    while let Some((at, bytes)) = journal.take_run(token) {
        backing.journal_write(at, &bytes)?;
        journal.run_written(token);
        token += 1;
    }
    Ok(backing.journal_sync()?)
}

/// What fits a frame fits a block's place: units count to the end of the longest segment.
const _: () = assert!((4 << 20) / crate::segment::UNIT_LEN <= 1 << 16 && BLOCK_LEN == 4096);
