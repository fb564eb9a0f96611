//! Looks at all that a volume needs, byte by byte, and names what is not as it should be.
//!
//! Nothing is changed, so that it may be done while the volume is attached. What is deleted or written over
//! meanwhile can then look like a defect: one is real if it is found twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::bulk::BulkRef;
use crate::bytes::usize_of;
use crate::command::{Config, IoError};
use crate::frame::open_frame;
use crate::history::History;
use crate::leaf::Place;
use crate::map::Map;
use crate::name::ObjectName;
use crate::open::{Backing, OpenError, lap_len};
use crate::record::{HEADERS_LEN, Header};
use crate::replay::load_map;
use crate::root::Root;
use crate::scan::scan;
use crate::segment::{Change, Summary, UNIT_LEN};
use crate::table::apply;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// There is no checkpoint of the volume.
    NoVolume,
    /// An object that is needed is not there.
    Missing(ObjectName),
    /// An object is not what was stored.
    Damaged(ObjectName),
    /// A block of an object is not what was stored.
    Block {
        /// The object.
        object: ObjectName,
        /// The block of the volume.
        block: u64,
    },
    /// A checkpoint or a snapshot has blocks in an object that does not have them.
    Map {
        /// The checkpoint or snapshot.
        state: ObjectName,
        /// The object.
        object: ObjectName,
        /// Blocks that should be there.
        mapped: u64,
        /// How many of them are.
        found: u64,
    },
    /// Neither of the journal's headers is whole.
    JournalHeader,
    /// Records are missing between the objects and the journal, from this one on.
    JournalGap(u64),
    /// A durable record of the journal, that with this sequence, is damaged.
    JournalRecord(u64),
    /// A block in a durable record of the journal is damaged.
    JournalBlock {
        /// The record's sequence.
        seq: u64,
        /// The block of the volume.
        block: u64,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVolume => write!(f, "no checkpoint"),
            Self::Missing(object) => write!(f, "{object}: missing"),
            Self::Damaged(object) => write!(f, "{object}: damaged"),
            Self::Block { object, block } => write!(f, "{object}: block {block} damaged"),
            Self::Map {
                state,
                object,
                mapped,
                found,
            } => write!(
                f,
                "{state}: of {mapped} blocks that it has in {object}, {found} are there"
            ),
            Self::JournalHeader => write!(f, "journal: no whole header"),
            Self::JournalGap(seq) => write!(f, "journal: records missing from {seq} on"),
            Self::JournalRecord(seq) => write!(f, "journal: record {seq} damaged"),
            Self::JournalBlock { seq, block } => {
                write!(f, "journal: block {block} damaged in record {seq}")
            }
        }
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects that are needed.
    pub objects: u64,
    /// Bytes of them.
    pub object_bytes: u64,
    /// Records of the journal.
    pub records: u64,
    /// What is wrong, in order.
    pub defects: BTreeSet<Defect>,
}

/// Checks every object that a volume or one of its snapshots needs, and its journal; fails where something
/// cannot be read at all.
pub fn check(config: &Config, backing: &mut dyn Backing) -> Result<Checked, IoError> {
    let objects = backing.list()?;
    let mut get = |name, offset, len| match backing.get(name, offset, len) {
        Err(IoError::NotFound) => Ok(Vec::new()),
        other => other,
    };
    let history = History::read(config.volume, objects, &mut get)?;
    let newest = history.newest_root(&mut get);
    let mut look = Look {
        backing,
        checked: Checked::default(),
        whole: BTreeMap::new(),
        gone: BTreeSet::new(),
    };
    match newest {
        Ok((name, root)) => look.volume(config, &history, name, &root)?,
        Err(OpenError::Io(error)) => return Err(error),
        Err(OpenError::Damaged(name)) => look.found(Defect::Damaged(name)),
        Err(_) => look.found(Defect::NoVolume),
    }
    Ok(look.checked)
}

struct Look<'a> {
    backing: &'a mut dyn Backing,
    checked: Checked,
    /// Segments that were looked at, and whether their summaries are whole.
    whole: BTreeMap<ObjectName, bool>,
    /// Segments that the newest checkpoint names, that nothing has needed since, and that are deleted.
    gone: BTreeSet<ObjectName>,
}

impl Look<'_> {
    fn found(&mut self, defect: Defect) {
        self.checked.defects.insert(defect);
    }

    /// The bytes of an object; `None` if it is not there.
    fn get(&mut self, name: ObjectName) -> Result<Option<Vec<u8>>, IoError> {
        match self.backing.get(name, 0, u64::MAX) {
            Ok(bytes) => {
                self.checked.objects += 1;
                self.checked.object_bytes += bytes.len() as u64;
                Ok(Some(bytes))
            }
            Err(IoError::NotFound) => {
                self.found(Defect::Missing(name));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn volume(
        &mut self,
        config: &Config,
        history: &History,
        name: ObjectName,
        root: &Root,
    ) -> Result<(), IoError> {
        self.gone = self.gone_since(history, root)?;
        self.state(name, root)?;
        for (_, object) in &root.snapshots {
            let Some(bytes) = self.get(*object)? else {
                continue;
            };
            match Root::decode(&bytes) {
                Some(kept) => self.state(*object, &kept)?,
                None => self.found(Defect::Damaged(*object)),
            }
        }
        let mut through = root.through_seq;
        for (segment, _) in history.chain(root) {
            // One that was never answered may be torn; it is packed again then.
            let Some(summary) = self.summary(segment)? else {
                break;
            };
            for object in summary.bulks() {
                let name = ObjectName::segment(segment.volume, object.id);
                if !self.gone.contains(&name) {
                    self.segment(name)?;
                }
            }
            if summary.whole {
                through = summary.through_seq;
                self.segment(segment)?;
            }
        }
        self.journal(config, through)
    }

    /// What was dead after the segments behind the newest checkpoint, and deleted since.
    fn gone_since(
        &mut self,
        history: &History,
        root: &Root,
    ) -> Result<BTreeSet<ObjectName>, IoError> {
        let (mut map, mut table) = match load_map(root, self.backing) {
            Ok(state) => state,
            Err(OpenError::Io(error)) => return Err(error),
            // It is named where the state is looked at.
            Err(_) => return Ok(BTreeSet::new()),
        };
        let mut layer = Vec::new();
        let mut gone = BTreeSet::new();
        for (segment, len) in history.chain(root) {
            let Some(summary) = self.summary(segment)? else {
                break;
            };
            let whole = summary.whole;
            layer.push((summary, u32::try_from(len).unwrap_or(u32::MAX)));
            if whole {
                for (summary, len) in layer.drain(..) {
                    apply(&mut map, &mut table, &summary, len);
                }
                gone.extend(table.dead().map(|(_, row)| row.name()));
            }
        }
        gone.retain(|name| !history.objects.contains_key(name));
        Ok(gone)
    }

    /// A checkpoint or snapshot: its parts, its segments, and that these have what the parts say.
    fn state(&mut self, name: ObjectName, root: &Root) -> Result<(), IoError> {
        let mut map = Map::default();
        let mut is_whole = true;
        for (part, object) in &root.parts {
            let Some(bytes) = self.get(*object)? else {
                is_whole = false;
                continue;
            };
            if !map.load_part(*part, &bytes) {
                is_whole = false;
                self.found(Defect::Damaged(*object));
            }
        }
        let mut mapped: BTreeMap<u32, u64> = BTreeMap::new();
        for place in map.places() {
            *mapped.entry(place.row).or_default() += 1;
        }
        for (number, row) in &root.rows {
            let object = row.name();
            if self.gone.contains(&object) {
                mapped.remove(number);
                continue;
            }
            let summary = match self.segment(object)? {
                true => self.summary(object)?,
                false => None,
            };
            let mapped = mapped.remove(number).unwrap_or_default();
            let Some(summary) = summary.filter(|_| is_whole) else {
                continue;
            };
            let here = |unit| Place { row: *number, unit };
            let units = summary.frame_units();
            let found = units.filter(|(block, unit)| map.get(*block) == Some(here(*unit)));
            let found = found.count() as u64;
            if found != mapped || (row.volume == name.volume && u64::from(row.live) != mapped) {
                let state = name;
                self.found(Defect::Map {
                    state,
                    object,
                    mapped: mapped.max(u64::from(row.live)),
                    found,
                });
            }
        }
        if !mapped.is_empty() {
            // Places in rows that there are not.
            self.found(Defect::Damaged(name));
        }
        Ok(())
    }

    /// Every byte of a segment, once; says whether its summary is whole.
    fn segment(&mut self, name: ObjectName) -> Result<bool, IoError> {
        if let Some(whole) = self.whole.get(&name) {
            return Ok(*whole);
        }
        let bytes = self.get(name)?;
        let summary = bytes.as_ref().and_then(|bytes| Summary::parse(bytes));
        let ours =
            |summary: &Summary| summary.id == name.segment_id() && summary.volume == name.volume;
        let summary = summary.filter(ours);
        if bytes.is_some() && summary.is_none() {
            self.found(Defect::Damaged(name));
        }
        if let (Some(bytes), Some(summary)) = (&bytes, &summary) {
            let broken = !summary.vouches_for(bytes);
            let mut named = false;
            for (block, unit) in summary.frame_units() {
                let frame = bytes.get(usize_of(u64::from(unit)) * UNIT_LEN..);
                if frame.and_then(|frame| open_frame(frame, block)).is_none() {
                    named = true;
                    let object = name;
                    self.found(Defect::Block { object, block });
                }
            }
            // Between the frames there is nothing to lose, but it was not like that.
            if broken && !named {
                self.found(Defect::Damaged(name));
            }
        }
        self.whole.insert(name, summary.is_some());
        Ok(summary.is_some())
    }

    fn summary(&mut self, name: ObjectName) -> Result<Option<Summary>, IoError> {
        match self.backing.get(name, 0, u64::MAX) {
            Ok(bytes) => Ok(Summary::parse(&bytes)),
            Err(IoError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn journal(&mut self, config: &Config, through: u64) -> Result<(), IoError> {
        let headers = self.backing.journal_read(0, HEADERS_LEN)?;
        let (Some(header), Ok(lap_len)) =
            (Header::newest(&headers, config.volume), lap_len(config))
        else {
            self.found(Defect::JournalHeader);
            return Ok(());
        };
        if header.tail_seq > through + 1 {
            self.found(Defect::JournalGap(through + 1));
        }
        match scan(self.backing, config.volume, header, lap_len) {
            Ok(scanned) => {
                self.checked.records = scanned.records.len() as u64;
                for (_, found) in &scanned.records {
                    let record = found.record;
                    for index in found.damaged.iter().filter(|_| record.seq > through) {
                        let (seq, block) = (record.seq, record.block + u64::from(*index));
                        self.found(Defect::JournalBlock { seq, block });
                    }
                    let bulk = BulkRef::of(&record, &found.note);
                    if let Some((object, _)) = bulk.filter(|_| record.seq > through) {
                        self.segment(ObjectName::segment(config.volume, object.id))?;
                    }
                }
            }
            Err(OpenError::Rotten(seq)) => self.found(Defect::JournalRecord(seq)),
            Err(OpenError::Io(error)) => return Err(error),
            Err(_) => self.found(Defect::JournalHeader),
        }
        Ok(())
    }
}

impl Summary {
    /// The blocks that have a frame, and where.
    fn frame_units(&self) -> impl Iterator<Item = (u64, u32)> {
        self.entries.iter().filter_map(|entry| match entry.change {
            Change::Written { unit } | Change::Moved { unit, .. } => Some((entry.block, unit)),
            Change::Zero { .. } | Change::Adopted { .. } => None,
        })
    }
}

#[cfg(test)]
#[path = "check_test.rs"]
mod tests;
