//! WRITEs as their data comes: in parts through the journal, or in large pieces into objects.

use std::sync::{Arc, MutexGuard};

use base::Timestamp;

use super::attached::Attached;
use super::bulk::{BULK_LEN_MAX, BULK_LEN_MIN, BulkWrite};
use super::connection::Connection;
use super::core::Core;
use super::request::{PartKind, WRITE_LEN_MAX, Whole, part_len, parts_of};

const BLOCK: u64 = volume::BLOCK_LEN as u64;

/// A WRITE of which some data has come.
pub(super) struct Write {
    cookie: u64,
    /// Where the next part begins, and how much of the request is left from there.
    offset: u64,
    left: u64,
    fua: bool,
    pub(super) begun: Timestamp,
    whole: Option<Arc<Whole>>,
    way: Way,
}

/// How the next of a WRITE's data goes.
enum Way {
    /// A piece begins here, which may become an object.
    Open,
    /// Through the journal, as far as this. What has come of the next part, if that is not all of it.
    Journal { until: u64, gathered: Vec<u8> },
    /// Into an object, as far as this.
    Bulk { until: u64, bulk: Box<BulkWrite> },
}

impl Connection {
    pub(super) fn begin_write(&mut self, (cookie, offset, len, fua): (u64, u64, u32, bool)) {
        let len = u64::from(len);
        let is_large = len >= BULK_LEN_MIN && (offset | len).is_multiple_of(BLOCK);
        let (way, parts) = if is_large {
            (Way::Open, parts_of(offset, len, BULK_LEN_MAX))
        } else {
            let (until, gathered) = (offset + len, Vec::new());
            let parts = parts_of(offset, len, WRITE_LEN_MAX);
            (Way::Journal { until, gathered }, parts)
        };
        self.outbox.begins(0, self.now);
        let is_cut = parts > 1 || matches!(way, Way::Open);
        self.write = Some(Write {
            cookie,
            offset,
            left: len,
            fua,
            begun: self.now,
            whole: is_cut.then(|| Whole::change(offset, parts)),
            way,
        });
    }

    /// Hands in what has come of a WRITE, as far as whole parts go.
    pub(super) fn piece<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        mut data: &[u8],
        last: bool,
    ) -> MutexGuard<'a, Core> {
        let Some(mut write) = self.write.take() else {
            return core;
        };
        loop {
            if matches!(write.way, Way::Open) {
                core = write.choose(volume, core, data);
            }
            let (taken, guard) = self.give(volume, core, &mut write, data);
            core = guard;
            data = data.get(taken..).unwrap_or_default();
            if write.left == 0 || data.is_empty() {
                break;
            }
        }
        if !last {
            self.write = Some(write);
        }
        core
    }

    /// Takes as much of `data` as the next part has; says how much.
    fn give<'a>(
        &self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        write: &mut Write,
        data: &[u8],
    ) -> (usize, MutexGuard<'a, Core>) {
        match std::mem::replace(&mut write.way, Way::Open) {
            Way::Bulk { until, bulk } => self.give_bulk(volume, core, write, (until, bulk, data)),
            Way::Journal { until, gathered } => {
                self.give_journal(volume, core, write, (until, gathered, data))
            }
            Way::Open => (0, core),
        }
    }

    fn give_bulk<'a>(
        &self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        write: &mut Write,
        (until, mut bulk, data): (u64, Box<BulkWrite>, &[u8]),
    ) -> (usize, MutexGuard<'a, Core>) {
        drop(core);
        let missing = until - (write.offset + bulk.len());
        let taken = usize::try_from(missing).map_or(data.len(), |len| len.min(data.len()));
        bulk.add(data.get(..taken).unwrap_or_default());
        if taken as u64 != missing {
            write.way = Way::Bulk { until, bulk };
            return (taken, volume.lock());
        }
        let range = (write.offset, until - write.offset);
        let what = (write.cookie, PartKind::Write);
        let mut part = self.part(what, range, write.fua, write.whole.clone());
        part.begun = write.begun;
        write.advance(range.1);
        bulk.end(part);
        (taken, volume.lock())
    }

    fn give_journal<'a>(
        &self,
        volume: &'a Arc<Attached>,
        core: MutexGuard<'a, Core>,
        write: &mut Write,
        (until, mut gathered, data): (u64, Vec<u8>, &[u8]),
    ) -> (usize, MutexGuard<'a, Core>) {
        let part_len = part_len(write.offset, until - write.offset, WRITE_LEN_MAX);
        let missing = usize::try_from(part_len).unwrap_or(usize::MAX) - gathered.len();
        let Some(head) = data.get(..missing) else {
            gathered.extend_from_slice(data);
            write.way = Way::Journal { until, gathered };
            return (data.len(), core);
        };
        let what = (write.cookie, PartKind::Write);
        let range = (write.offset, part_len);
        let mut part = self.part(what, range, write.fua, write.whole.clone());
        part.begun = write.begun;
        let core = match gathered.is_empty() {
            true => volume.submit(core, part, head),
            false => {
                gathered.extend_from_slice(head);
                volume.submit(core, part, &gathered)
            }
        };
        gathered.clear();
        write.advance(part_len);
        if write.offset < until {
            write.way = Way::Journal { until, gathered };
        }
        (missing, core)
    }
}

impl Write {
    fn advance(&mut self, len: u64) {
        self.offset += len;
        self.left -= len;
    }

    /// A piece begins: if it is long enough and does not shrink, it becomes an object.
    fn choose<'a>(
        &mut self,
        volume: &'a Arc<Attached>,
        mut core: MutexGuard<'a, Core>,
        data: &[u8],
    ) -> MutexGuard<'a, Core> {
        let len = part_len(self.offset, self.left, BULK_LEN_MAX);
        let sample = data.get(..volume::BLOCK_LEN);
        let until = self.offset + len;
        if len >= BULK_LEN_MIN && !sample.is_some_and(volume::shrinks) {
            let (guard, bulk) = BulkWrite::begin(volume, core, (self.offset, len));
            core = guard;
            if let Some(bulk) = bulk {
                let bulk = Box::new(bulk);
                self.way = Way::Bulk { until, bulk };
                return core;
            }
        }
        if let Some(whole) = &self.whole {
            whole.add_parts(parts_of(self.offset, len, WRITE_LEN_MAX) - 1);
        }
        let gathered = Vec::new();
        self.way = Way::Journal { until, gathered };
        core
    }
}
