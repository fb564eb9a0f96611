//! The segments that the map points into, and how much of each is still wanted.

use std::collections::BTreeMap;

use crate::leaf::Place;
use crate::map::Map;
use crate::name::SegmentId;
use crate::segment::{Change, Summary};

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: SegmentId,
    /// The object's length.
    pub(crate) len: u32,
    /// Blocks in it.
    pub(crate) frames: u32,
    /// Blocks in it that the map points to.
    pub(crate) live: u32,
}

/// Segments by the row number that places in the map carry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<u32, Row>,
    by_id: BTreeMap<SegmentId, u32>,
    next_row: u32,
    free: Vec<u32>,
}

impl Table {
    /// Takes a row up as a checkpoint has it.
    pub(crate) fn load(&mut self, number: u32, row: Row) {
        self.next_row = self.next_row.max(number + 1);
        self.rows.insert(number, row);
        self.by_id.insert(row.id, number);
    }

    /// Lets rows be used again that no loaded one has.
    pub(crate) fn loaded(&mut self) {
        let used = &self.rows;
        self.free = (0..self.next_row)
            .filter(|row| !used.contains_key(row))
            .collect();
    }

    fn add(&mut self, row: Row) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.next_row += 1;
            self.next_row - 1
        });
        self.rows.insert(number, row);
        self.by_id.insert(row.id, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        self.rows.get(&number)
    }

    pub(crate) fn number_of(&self, id: SegmentId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, Row)> {
        self.rows.iter().map(|(number, row)| (*number, *row))
    }

    /// Forgets a segment that is deleted.
    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(row) = self.rows.remove(&number) {
            self.by_id.remove(&row.id);
            self.free.push(number);
        }
    }

    fn count(&mut self, number: u32, more: bool) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.live = match more {
                true => row.live + 1,
                false => row.live.saturating_sub(1),
            };
        }
    }

    /// Frames that are stored in segments which are still needed, and how many of them are live.
    pub(crate) fn usage(&self) -> (u64, u64) {
        let needed = self.rows.values().filter(|row| row.live > 0);
        needed.fold((0, 0), |(frames, live), row| {
            (frames + u64::from(row.frames), live + u64::from(row.live))
        })
    }
}

/// Lets a segment take effect on the map. The same on recovery as in service, in the same order.
pub(crate) fn apply(map: &mut Map, table: &mut Table, summary: &Summary, object_len: u32) {
    let number = table.add(Row {
        id: summary.id,
        len: object_len,
        frames: summary.frames(),
        live: 0,
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
        };
        let new = Place { row: number, unit };
        if let Some(old) = map.set(entry.block, new) {
            table.count(old.row, false);
        }
        table.count(number, true);
    }
}

#[cfg(test)]
#[path = "table_test.rs"]
mod tests;
