//! The past of a volume, gone through again: from a root over segments and records to the present.

use std::collections::VecDeque;

use crate::bulk::BulkRef;
use crate::command::IoError;
use crate::engine::Bulks;
use crate::freeze::{Frozen, Standing};
use crate::map::Map;
use crate::name::SegmentId;
use crate::open::{Backing, OpenError};
use crate::overlay::{Content, Fresh, Layers};
use crate::record::{Found, Kind, data_offset};
use crate::root::Root;
use crate::scan::snapshot_of;
use crate::segment::Summary;
use crate::snapshot::{Parent, Snapshot};
use crate::table::{Table, apply};

/// A volume at some moment of its past.
pub(crate) struct Replay {
    parent: Option<Parent>,
    label: String,
    pub(crate) epoch: u32,
    pub(crate) map: Map,
    pub(crate) table: Table,
    pub(crate) layers: Layers,
    pub(crate) bulks: Bulks,
    pub(crate) head: SegmentId,
    pub(crate) through_seq: u64,
    pub(crate) is_whole: bool,
    pub(crate) size_blocks: u64,
    pub(crate) packed_size_blocks: u64,
    /// Snapshots that were taken and are not in the root.
    pub(crate) frozen: VecDeque<Frozen>,
}

/// The map and the segments that a root names.
pub(crate) fn load_map(root: &Root, backing: &mut dyn Backing) -> Result<(Map, Table), OpenError> {
    let (mut map, mut table) = (Map::default(), Table::new(root.volume));
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

impl Replay {
    pub(crate) fn begin(root: &Root, epoch: u32, (map, table): (Map, Table)) -> Self {
        Self {
            parent: root.parent,
            label: root.label.clone(),
            epoch,
            map,
            table,
            layers: Layers::default(),
            bulks: Bulks::default(),
            head: root.head,
            through_seq: root.through_seq,
            is_whole: true,
            size_blocks: root.size_blocks,
            packed_size_blocks: root.size_blocks,
            frozen: VecDeque::new(),
        }
    }

    /// A segment takes effect; where it ends with a snapshot that no root has, that is taken.
    pub(crate) fn segment(&mut self, summary: &Summary, len: u32, cuts: &[Snapshot]) {
        apply(&mut self.map, &mut self.table, summary, len);
        let came_past = summary.through_seq > self.through_seq;
        self.head = summary.id;
        self.through_seq = summary.through_seq;
        self.is_whole = summary.whole;
        self.size_blocks = summary.size_blocks;
        self.packed_size_blocks = summary.size_blocks;
        let cut = cuts.iter().find(|cut| cut.id.seq == summary.through_seq);
        if let Some(cut) = cut.filter(|_| came_past && summary.whole) {
            let standing = Standing {
                volume: summary.volume,
                // Who goes on from there looks for segments of this attachment and of later ones.
                epoch: summary.id.epoch,
                head: self.head,
                through_seq: self.through_seq,
                size_blocks: self.size_blocks,
                parent: self.parent,
                label: &self.label,
            };
            let size_blocks = self.size_blocks;
            let snapshot = Snapshot {
                size_blocks,
                ..cut.clone()
            };
            let state = (&mut self.map, &mut self.table);
            let frozen = Frozen::take(standing, state, Some(snapshot), Vec::new());
            self.frozen.push_back(frozen);
        }
    }

    /// The first record that is still needed.
    pub(crate) fn keeps_from(&self) -> u64 {
        let snapshots = self
            .frozen
            .iter()
            .filter_map(|frozen| frozen.snapshot.as_ref());
        let first = snapshots.map(|snapshot| snapshot.id.seq).min();
        first.map_or(self.through_seq + 1, |seq| seq.min(self.through_seq + 1))
    }

    /// The journal's records, in order; those that segments have are passed over.
    pub(crate) fn journal(&mut self, records: Vec<(u64, Found)>) {
        let kept = self.keeps_from();
        for (pos, found) in records {
            if found.record.seq > self.through_seq {
                self.record(pos, found);
            } else if let Some((object, _)) = BulkRef::of(&found.record, &found.note)
                && found.record.seq >= kept
            {
                let is_adopted = self.table.number_of(object.id).is_some();
                let seq = found.record.seq;
                self.bulks.recovered(object, seq, Some(is_adopted));
            }
        }
    }

    fn record(&mut self, pos: u64, found: Found) {
        let record = found.record;
        match record.kind {
            Kind::Open | Kind::Wrap => {}
            Kind::Size => self.size_blocks = record.block,
            Kind::Snapshot => {
                if let Some(snapshot) = snapshot_of(&found) {
                    let size_blocks = self.size_blocks;
                    let snapshot = Snapshot {
                        size_blocks,
                        ..snapshot
                    };
                    self.layers.cut(record.seq, size_blocks, Some(snapshot));
                }
            }
            Kind::Bulk => {
                if let Some((object, stretch)) = BulkRef::of(&record, &found.note) {
                    let unit = stretch.unit;
                    self.bulks.recovered(object, record.seq, None);
                    let content = Content::Bulk { object, unit };
                    self.insert(record.block, record.blocks, record.seq, content);
                }
            }
            Kind::Zero => self.insert(record.block, record.blocks, record.seq, Content::Zero),
            Kind::Data => {
                let content = Content::Data {
                    pos: pos + data_offset(record.blocks),
                    crcs: found.crcs.into(),
                    skip: 0,
                };
                self.insert(record.block, record.blocks, record.seq, content);
                for index in found.damaged {
                    let block = record.block.saturating_add(u64::from(index));
                    self.insert(block, 1, record.seq, Content::Lost);
                }
            }
        }
    }

    fn insert(&mut self, block: u64, blocks: u32, seq: u64, content: Content) {
        let blocks = u64::from(blocks);
        if blocks > 0 && block.checked_add(blocks).is_some() {
            let fresh = Fresh {
                block,
                blocks,
                seq,
                content,
            };
            // The records that are kept do not say what is hidden of them, since the layers know.
            self.layers.insert(fresh, &mut |_, _| {});
        }
    }
}
