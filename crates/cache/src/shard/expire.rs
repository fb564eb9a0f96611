//! Taking back items whose end has come, without anybody asking for them.

use super::Shard;
use super::log::Queue;
use crate::item::{self, Header};

/// A segment's ends are looked at no more often than this.
const LOOK_AGAIN_S: u32 = 15;

/// Segments passed over in one call in search of one to look at.
const PASSED_MAX: usize = 4096;

/// A segment that is being looked at.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) segment: u32,
    cursor: u32,
}

impl Shard {
    /// Looks at about `budget` bytes of segments in which an end may have come; whether there is
    /// more to look at.
    pub(super) fn expire(&mut self, budget: usize) -> bool {
        let mut left = budget;
        while left > 0 {
            if self.expiring.is_none() && !self.begin_walk() {
                return false;
            }
            left = left.saturating_sub(self.step_walk().max(8));
        }
        true
    }

    fn begin_walk(&mut self) -> bool {
        let count = self.segs.list.len();
        for _ in 0..count.min(PASSED_MAX) {
            let number = self.expire_next % count as u32;
            self.expire_next = number + 1;
            if self.is_due(number) {
                let now_s = self.now_s();
                let cursor = self.segs.geometry.log_start();
                let segment = self.segs.get_mut(number);
                segment.looked_s = now_s;
                // Whoever stays says so again, as does whoever comes meanwhile.
                segment.expiry_min = u32::MAX;
                self.expiring = Some(Walk {
                    segment: number,
                    cursor,
                });
                return true;
            }
        }
        false
    }

    fn is_due(&self, number: u32) -> bool {
        let segment = self.segs.get(number);
        Queue::of(segment.kind).is_some()
            && segment.seq >= self.segs.flush_seq
            && segment.expiry_min <= self.now_s()
            && segment.looked_s.saturating_add(LOOK_AGAIN_S) <= self.now_s()
    }

    /// Looks at one item; how many bytes were passed.
    fn step_walk(&mut self) -> usize {
        let Some(walk) = &mut self.expiring else {
            return 0;
        };
        let (number, at) = (walk.segment, walk.cursor);
        if at >= self.segs.get(number).used {
            self.expiring = None;
            return 0;
        }
        let loc = self.segs.loc(number, at);
        let bytes = self.segs.at(loc);
        let header = Header::read(bytes);
        let len = header.footprint(self.segs.geometry.chunk_len);
        walk.cursor += len;
        if header.has(item::DEAD) || header.expiry == 0 {
            return len as usize;
        }
        if header.expiry > self.now_s() {
            self.segs.get_mut(number).note_expiry(header.expiry);
        } else {
            let hash = self.hasher.hash(header.key(bytes));
            self.bury_expired(hash, loc, &header);
        }
        len as usize
    }
}
