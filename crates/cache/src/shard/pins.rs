//! Holds on large values: their bytes stay where they are until the last reader lets go.

use std::time::Duration;

use base::Timestamp;
use base::kv::Pin;

use super::{Found, Shard};
use crate::item::Header;

/// A hold, or a value that arrives, without progress for this long has ended.
pub(super) const STALL_MAX: Duration = Duration::from_secs(5);

/// Segments that holds and arrivals leave to the queues: an open one each, one that is emptied
/// and its successor.
const QUEUE_SEGMENTS: u32 = 4;

/// What keeps one value in place; all pins on the value share it, and values of one body share
/// the bytes of its chunks.
#[derive(Debug)]
pub(super) struct Hold {
    /// Where its item is, or was.
    loc: u32,
    pins: u32,
    /// The chunks that the item has.
    body: Option<u32>,
}

/// One reader's hold.
#[derive(Debug)]
pub(super) struct PinRecord {
    loc: u32,
    progress: Progress,
}

/// When something last went on. Reads and fills are not told the time: that it went on is noted
/// by them, and since when it has not by the next look, so that nothing ends early.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    still_since: Option<Timestamp>,
}

impl Progress {
    /// It went on.
    pub(super) fn note(&mut self) {
        self.still_since = None;
    }

    fn look(&mut self, now: Timestamp) {
        self.still_since.get_or_insert(now);
    }

    fn has_stalled(&self, now: Timestamp) -> bool {
        self.still_since
            .is_some_and(|since| now.since(since) >= STALL_MAX)
    }
}

impl Shard {
    /// Holds a value in place for a reader; `None` if too much is held already.
    pub(super) fn pin(&mut self, found: &Found) -> Option<Pin> {
        let loc = found.loc;
        if !self.hold(found) {
            return None;
        }
        let progress = Progress::default();
        let Some(token) = self.pins.insert(PinRecord { loc, progress }) else {
            self.let_go(loc);
            return None;
        };
        Some(Pin {
            token: self.token_mark | token,
            len: found.header.value_len,
        })
    }

    /// Holds an item's bytes in place, as one more that does; false if too much is held already.
    pub(super) fn hold(&mut self, found: &Found) -> bool {
        let loc = found.loc;
        let at = match self.hold_place(loc) {
            Ok(at) => {
                self.holds[at].pins += 1;
                return true;
            }
            Err(at) => at,
        };
        let extent = found.header.extent(self.segs.at(loc));
        let body = extent.map(|extent| extent.body);
        let chunks = body.map_or(0, |body| self.bytes_to_hold(body));
        let segment_len = u64::from(self.segs.geometry.segment_len);
        if !self.may_hold(chunks + segment_len) || self.holds.try_reserve(1).is_err() {
            return false;
        }
        let chunks = body.map_or(0, |body| self.hold_body(body));
        self.client_bytes += chunks + segment_len;
        self.segs.around(loc).pins += 1;
        self.holds.insert(at, Hold { loc, pins: 1, body });
        true
    }

    /// One less holds the item's bytes.
    pub(super) fn let_go(&mut self, loc: u32) {
        let Ok(place) = self.hold_place(loc) else {
            return;
        };
        self.holds[place].pins -= 1;
        if self.holds[place].pins > 0 {
            return;
        }
        let Hold { body, .. } = self.holds.remove(place);
        let chunks = body.map_or(0, |body| self.let_body_go(body));
        self.client_bytes -= chunks + u64::from(self.segs.geometry.segment_len);
        self.segs.around(loc).pins -= 1;
        self.free_if_empty(self.segs.segment_of(loc));
    }

    /// Whether a reader, or what is to join it, holds the item here.
    pub(super) fn is_held(&self, loc: u32) -> bool {
        self.hold_place(loc).is_ok()
    }

    /// Where that hold is in the list, or belongs.
    fn hold_place(&self, loc: u32) -> Result<usize, usize> {
        self.holds.binary_search_by_key(&loc, |hold| hold.loc)
    }

    /// Whether readers may hold `more` bytes: three quarters of the quota, or one value alone, and
    /// no more than arrivals leave.
    fn may_hold(&self, more: u64) -> bool {
        let held = self.client_bytes - self.arriving_bytes;
        self.client_bytes == 0
            || (held == 0 || held + more <= self.quota_bytes / 4 * 3) && self.may_keep(more)
    }

    /// Whether an arrival that has `own` bytes may take `more`: arrivals have three quarters of the
    /// quota, or are one value alone, and no more than holds leave.
    pub(super) fn may_arrive(&self, more: u64, own: u64) -> bool {
        let arrived = self.arriving_bytes;
        self.client_bytes == own
            || (arrived == own || arrived + more <= self.quota_bytes / 4 * 3) && self.may_keep(more)
    }

    /// Whether holds and arrivals together leave the queues what these need to go on.
    fn may_keep(&self, more: u64) -> bool {
        let segments = self.segment_limit().saturating_sub(QUEUE_SEGMENTS);
        let geometry = self.segs.geometry;
        let slots = u64::from(segments) * u64::from(geometry.slots);
        self.client_bytes + more <= slots * u64::from(geometry.chunk_len)
    }

    /// Appends up to `max` bytes of a held value from `offset` on; `None` if the hold has ended.
    pub(crate) fn read_pinned(
        &mut self,
        token: u64,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let record = self.pins.get_mut(token)?;
        record.progress.note();
        let loc = record.loc;
        let header = Header::read(self.segs.at(loc));
        self.copy_value(loc, &header, offset, max, out)
    }

    /// Ends one reader's hold.
    pub(crate) fn unpin(&mut self, token: u64) {
        if let Some(PinRecord { loc, .. }) = self.pins.remove(token) {
            self.let_go(loc);
        }
    }

    #[cfg(test)]
    pub(super) fn held_bodies(&self) -> impl Iterator<Item = u32> {
        self.holds.iter().filter_map(|hold| hold.body)
    }

    #[cfg(test)]
    pub(super) fn hold_bytes(&self) -> u64 {
        let segments = self.holds.len() as u64 * u64::from(self.segs.geometry.segment_len);
        segments + self.bodies.held_bytes()
    }

    /// Ends holds and arrivals that have stalled.
    pub(super) fn end_stalled(&mut self) {
        let now = self.now;
        self.pins
            .things_mut()
            .for_each(|record| record.progress.look(now));
        self.arriving
            .things_mut()
            .for_each(|arriving| arriving.progress.look(now));
        for token in self.pins.tokens(|record| record.progress.has_stalled(now)) {
            self.unpin(token);
        }
        for token in self
            .arriving
            .tokens(|arriving| arriving.progress.has_stalled(now))
        {
            self.fail_arriving(token);
        }
    }

    /// Ends all holds and arrivals, as if they had stalled.
    pub(super) fn end_all_clients(&mut self) {
        for token in self.pins.tokens(|_| true) {
            self.unpin(token);
        }
        for token in self.arriving.tokens(|_| true) {
            self.fail_arriving(token);
        }
    }
}

#[cfg(test)]
#[path = "pins_test.rs"]
mod tests;
