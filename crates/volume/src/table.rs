//! The segments that the map points into, and how much of each is still wanted.

use std::collections::{BTreeSet, HashMap};

use crate::bulk::{BulkRef, FRAME_UNITS};
use crate::leaf::{Place, ROWS_MAX};
use crate::map::Map;
use crate::name::{ObjectName, SegmentId, VolumeId};
use crate::segment::{Change, FRAMES_MAX, Summary};

/// How finely segments are sorted by the part of them that is live.
const SHARES: u32 = 64;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Whose it is: a clone has segments of its parent, which it neither moves nor deletes.
    pub(crate) volume: VolumeId,
    pub(crate) id: SegmentId,
    /// The object's length.
    pub(crate) len: u32,
    /// Blocks in it.
    pub(crate) frames: u32,
    /// Blocks in it that the map points to.
    pub(crate) live: u32,
    /// Snapshots that need it.
    pub(crate) pins: u32,
    /// The number of the segment in which its blocks were first.
    pub(crate) born: u64,
}

impl Row {
    /// The object.
    pub(crate) fn name(&self) -> ObjectName {
        ObjectName::segment(self.volume, self.id)
    }

    /// Neither the volume nor a snapshot needs it.
    pub(crate) fn is_dead(&self) -> bool {
        self.live == 0 && self.pins == 0
    }

    /// The number from which on the map can point into it.
    pub(crate) fn since(&self) -> u64 {
        match self.id.is_bulk() {
            true => self.born,
            false => self.id.number,
        }
    }

    fn share(&self) -> u32 {
        let share = u64::from(self.live) * u64::from(SHARES) / u64::from(self.frames.max(1));
        u32::try_from(share).unwrap_or(SHARES)
    }
}

/// What is stored in segments that collection may move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) frames: u64,
    pub(crate) live: u64,
    /// The lengths of their objects.
    pub(crate) len: u64,
    /// Blocks that the map has anywhere.
    pub(crate) mapped: u64,
}

/// Segments by the row number that places in the map carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    own: VolumeId,
    rows: Vec<Option<Row>>,
    by_id: HashMap<SegmentId, u32>,
    free: Vec<u32>,
    usage: Usage,
    /// Rows that collection may move: share of live blocks, age, row.
    movable: BTreeSet<(u32, u64, u32)>,
    dead: BTreeSet<u32>,
}

impl Table {
    /// No segments of a volume.
    pub(crate) fn new(own: VolumeId) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// Takes a row up as a checkpoint has it.
    pub(crate) fn load(&mut self, number: u32, row: Row) {
        let index = index(number);
        if self.rows.len() <= index {
            self.rows.resize(index + 1, None);
        }
        self.put(number, row);
    }

    /// Lets rows be used again that no loaded one has.
    pub(crate) fn loaded(&mut self) {
        let rows = (0..).zip(&self.rows);
        let free = rows.filter(|(_, row)| row.is_none());
        self.free = free.map(|(number, _)| number).collect();
    }

    fn add(&mut self, row: Row) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            u32::try_from(self.rows.len() - 1).unwrap_or(ROWS_MAX)
        });
        self.put(number, row);
        number
    }

    /// Whether another segment, and the bulks that it takes up, would find rows.
    pub(crate) fn has_room(&self) -> bool {
        self.free.len() + index(ROWS_MAX) >= self.rows.len() + FRAMES_MAX
    }

    /// Whether there are rows to spare for segments that are shorter than they might be.
    pub(crate) fn takes_bulks(&self) -> bool {
        self.rows.len() - self.free.len() < index(ROWS_MAX) / 2
    }

    fn put(&mut self, number: u32, row: Row) {
        if row.volume == self.own {
            self.by_id.insert(row.id, number);
        }
        self.usage.mapped += u64::from(row.live);
        if let Some(place) = self.rows.get_mut(index(number)) {
            *place = Some(row);
        }
        self.file(number, row);
    }

    /// Counts a row where it belongs.
    fn file(&mut self, number: u32, row: Row) {
        if row.is_dead() {
            self.dead.insert(number);
        } else if self.is_movable(&row) {
            self.usage.frames += u64::from(row.frames);
            self.usage.live += u64::from(row.live);
            self.usage.len += u64::from(row.len);
            self.movable.insert((row.share(), row.born, number));
        }
    }

    fn unfile(&mut self, number: u32, row: Row) {
        if row.is_dead() {
            self.dead.remove(&number);
        } else if self.is_movable(&row) {
            self.usage.frames -= u64::from(row.frames);
            self.usage.live -= u64::from(row.live);
            self.usage.len -= u64::from(row.len);
            self.movable.remove(&(row.share(), row.born, number));
        }
    }

    fn is_movable(&self, row: &Row) -> bool {
        row.volume == self.own && row.pins == 0 && row.live > 0
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        self.rows.get(index(number))?.as_ref()
    }

    /// The row of a segment of this volume.
    pub(crate) fn number_of(&self, id: SegmentId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, Row)> {
        (0..)
            .zip(&self.rows)
            .filter_map(|(number, row)| Some((number, (*row)?)))
    }

    /// The rows that nothing needs any more.
    pub(crate) fn dead(&self) -> impl Iterator<Item = (u32, Row)> {
        let dead = self.dead.iter();
        dead.filter_map(|number| Some((*number, *self.get(*number)?)))
    }

    /// Of each share of live blocks the segment whose blocks are oldest.
    pub(crate) fn victims(&self) -> impl Iterator<Item = Row> {
        let first = |share| {
            self.movable
                .range((share, 0, 0)..(share + 1, 0, 0))
                .find_map(|(_, _, number)| self.get(*number))
        };
        (0..SHARES).filter_map(first).copied()
    }

    /// Forgets a segment that is deleted.
    pub(crate) fn remove(&mut self, number: u32) {
        let Some(row) = self.rows.get_mut(index(number)).and_then(Option::take) else {
            return;
        };
        self.unfile(number, row);
        self.usage.mapped -= u64::from(row.live);
        if row.volume == self.own {
            self.by_id.remove(&row.id);
        }
        self.free.push(number);
    }

    /// A snapshot needs every segment that the map points into.
    pub(crate) fn pin_live(&mut self) {
        for number in 0..u32::try_from(self.rows.len()).unwrap_or(ROWS_MAX) {
            self.change(number, |row| row.pins += u32::from(row.live > 0));
        }
    }

    /// A snapshot does not need this segment any more.
    pub(crate) fn unpin(&mut self, number: u32) {
        self.change(number, |row| row.pins = row.pins.saturating_sub(1));
    }

    /// The map points into segments as these rows say, and into no others.
    pub(crate) fn go_back(&mut self, rows: &[(u32, Row)]) {
        let live: HashMap<u32, u32> = rows.iter().map(|(row, data)| (*row, data.live)).collect();
        for number in 0..u32::try_from(self.rows.len()).unwrap_or(ROWS_MAX) {
            let live = live.get(&number).copied().unwrap_or_default();
            self.change(number, |row| row.live = live);
        }
        self.usage.mapped = live.values().map(|live| u64::from(*live)).sum();
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Row)) {
        let Some(old) = self.get(number).copied() else {
            return;
        };
        let mut row = old;
        change(&mut row);
        self.unfile(number, old);
        self.file(number, row);
        if let Some(place) = self.rows.get_mut(index(number)) {
            *place = Some(row);
        }
    }

    fn count(&mut self, number: u32, more: bool) {
        let own = self.own;
        let Some(Some(row)) = self.rows.get_mut(index(number)) else {
            return;
        };
        let old = *row;
        row.live = match more {
            true => row.live + 1,
            false => row.live.saturating_sub(1),
        };
        let new = *row;
        self.usage.mapped = self.usage.mapped + u64::from(new.live) - u64::from(old.live);
        let movable = |row: &Row| row.volume == own && row.pins == 0 && row.live > 0;
        // Sorted anew only where that changes its place, since this is done for every block.
        if movable(&old) && movable(&new) && old.share() == new.share() {
            self.usage.live = self.usage.live + u64::from(new.live) - u64::from(old.live);
        } else {
            self.unfile(number, old);
            self.file(number, new);
        }
    }

    /// How many segments collection may move.
    pub(crate) fn movable_count(&self) -> u64 {
        self.movable.len() as u64
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Lets a segment take effect on the map. The same on recovery as in service, in the same order.
pub(crate) fn apply(map: &mut Map, table: &mut Table, summary: &Summary, object_len: u32) {
    let number = table.add(Row {
        volume: summary.volume,
        id: summary.id,
        len: object_len,
        frames: summary.frames(),
        live: 0,
        pins: 0,
        born: summary.born,
    });
    for entry in &summary.entries {
        let unit = match entry.change {
            Change::Zero { blocks } => {
                map.clear(entry.block, u64::from(blocks), &mut |old| {
                    table.count(old.row, false);
                });
                continue;
            }
            Change::Written { unit } => unit,
            Change::Moved {
                unit,
                from,
                from_unit,
            } => {
                let old = table.number_of(from).map(|row| Place {
                    row,
                    unit: from_unit,
                });
                if old.is_none() || map.get(entry.block) != old {
                    continue;
                }
                unit
            }
            Change::Adopted {
                unit,
                blocks,
                object,
            } => {
                adopt(map, table, summary, (entry.block, blocks, unit, object));
                continue;
            }
        };
        let new = Place { row: number, unit };
        if let Some(old) = map.set(entry.block, new) {
            table.count(old.row, false);
        }
        table.count(number, true);
    }
}

/// Points the map at blocks of a bulk, which has a row from then on.
fn adopt(
    map: &mut Map,
    table: &mut Table,
    summary: &Summary,
    (block, blocks, unit, object): (u64, u32, u32, BulkRef),
) {
    let number = table.number_of(object.id).unwrap_or_else(|| {
        table.add(Row {
            volume: summary.volume,
            id: object.id,
            len: object.len,
            frames: object.frames,
            live: 0,
            pins: 0,
            born: summary.id.number,
        })
    });
    for index in 0..blocks {
        let unit = unit + index * FRAME_UNITS;
        let new = Place { row: number, unit };
        if let Some(old) = map.set(block + u64::from(index), new) {
            table.count(old.row, false);
        }
        table.count(number, true);
    }
}

#[cfg(test)]
#[path = "table_test.rs"]
mod tests;
