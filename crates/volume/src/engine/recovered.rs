//! What recovery hands to the engine.

use std::collections::VecDeque;

use super::{Bulks, Named};
use crate::command::Config;
use crate::freeze::{Frozen, Standing};
use crate::journal::Journal;
use crate::map::Map;
use crate::name::{ObjectName, SegmentId};
use crate::overlay::Layers;
use crate::replay::Replay;
use crate::root::Root;
use crate::snapshot::Parent;
use crate::table::Table;

/// What recovery has found, from which service goes on.
pub(crate) struct Recovered {
    pub(crate) config: Config,
    pub(crate) epoch: u32,
    pub(crate) size_blocks: u64,
    pub(crate) journal: Journal,
    pub(crate) packed_size_blocks: u64,
    pub(crate) parent: Option<Parent>,
    pub(crate) label: String,
    pub(crate) layers: Layers,
    pub(crate) map: Map,
    pub(crate) table: Table,
    pub(crate) head: SegmentId,
    pub(crate) through_seq: u64,
    /// Whether nothing that the journal has belongs to what the segments have.
    pub(crate) whole: bool,
    pub(crate) root: ObjectName,
    /// The attachment of whose history the root is a state.
    pub(crate) root_epoch: u32,
    /// The last segment that the root knows of.
    pub(crate) root_head: u64,
    pub(crate) named: Named,
    /// Bulks that the journal names and no segment.
    pub(crate) bulks: Bulks,
    /// Snapshots that were taken and not stored.
    pub(crate) frozen: VecDeque<Frozen>,
    pub(crate) garbage: Vec<ObjectName>,
}

impl Recovered {
    pub(crate) fn new(
        config: Config,
        replay: Replay,
        journal: Journal,
        (name, root): (ObjectName, Root),
    ) -> Self {
        Self {
            config,
            epoch: replay.epoch,
            size_blocks: replay.size_blocks,
            packed_size_blocks: replay.packed_size_blocks,
            parent: root.parent,
            label: root.label,
            layers: replay.layers,
            journal,
            map: replay.map,
            table: replay.table,
            head: replay.head,
            through_seq: replay.through_seq,
            whole: replay.is_whole,
            root: name,
            root_epoch: root.epoch,
            root_head: root.head.number,
            bulks: replay.bulks,
            named: Named {
                parts: root.parts,
                held: root.held,
                snapshots: root.snapshots,
            },
            frozen: replay.frozen,
            garbage: Vec::new(),
        }
    }

    /// Puts the state of a snapshot in place of all that there is.
    pub(crate) fn go_back(&mut self, kept: Root, map: Map) {
        self.table.go_back(&kept.rows);
        self.map = map;
        self.named.parts = kept.parts;
        self.layers = Layers::default();
        self.bulks = Bulks::default();
        self.size_blocks = kept.size_blocks;
        self.packed_size_blocks = kept.size_blocks;
        self.through_seq = self.journal.last_seq();
        self.root_head = self.head.number;
        self.whole = true;
    }

    /// The root that says what there is.
    pub(crate) fn root_of(&mut self) -> Root {
        let standing = Standing {
            volume: self.config.volume,
            epoch: self.epoch,
            head: self.head,
            through_seq: self.through_seq,
            size_blocks: self.size_blocks,
            parent: self.parent,
            label: &self.label,
        };
        let state = (&mut self.map, &mut self.table);
        let mut root = Frozen::take(standing, state, None, Vec::new()).root;
        root.parts.clone_from(&self.named.parts);
        root.held.clone_from(&self.named.held);
        root.snapshots.clone_from(&self.named.snapshots);
        root
    }
}
