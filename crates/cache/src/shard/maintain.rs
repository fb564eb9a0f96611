//! Work in the background, in slices.

use std::time::Duration;

use base::Timestamp;

use super::Shard;

/// Stalled holds are looked for this often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Free memory is given back to the system after this long.
const FREE_KEPT_S: u32 = 10;

/// Quarters of a segment that must be dead for it to be emptied even without need.
const COMPACTED_FROM: u32 = 3;

impl Shard {
    /// Does about `budget` bytes' worth of background work; whether there is more to do.
    pub(crate) fn maintain(&mut self, now: Timestamp, budget: usize) -> bool {
        self.tick(now);
        if self.now.since(self.swept) >= SWEEP_EVERY {
            self.swept = self.now;
            self.end_stalled();
        }
        let bytes = u32::try_from(budget).unwrap_or(u32::MAX).max(1);
        let segments = budget / self.segs.geometry.segment_len as usize + 1;
        let mut more = self.return_memory(segments);
        self.follow_items();
        self.index
            .advance(&mut self.segs, self.hasher, bytes / 256 + 1);
        more |= self.index.is_moving();
        // Only what is held too much must go now; the reserve is the stores' own affair.
        let excess = self.segs.held > self.segment_limit();
        more |= excess && self.reclaim(bytes, 1);
        more |= !self.formers.is_empty() && self.carry(bytes);
        more |= self.expire(budget);
        self.give_up_dead_victim();
        more |= self.tidy(bytes);
        more
    }

    /// Gives memory back that nothing needs, up to `segments` segments of each sort.
    fn return_memory(&mut self, segments: usize) -> bool {
        let unburied = (0..segments).all(|_| self.shed_graveyard());
        let reaped = (0..segments).all(|_| self.reap_flushed());
        let shed = (0..segments).all(|_| self.shed_dying());
        if !reaped {
            self.shed_given_up();
        }
        let released = (0..segments).all(|_| self.release_idle_segment());
        unburied || reaped || shed || released || !self.given_up.is_empty()
    }

    fn release_idle_segment(&mut self) -> bool {
        let needed = if self.has_evicted {
            self.reserve_segments().unsigned_abs() as usize
        } else {
            0
        };
        let Some(oldest) = self.segs.free.first().copied() else {
            return false;
        };
        let freed_s = self.segs.get(oldest).looked_s;
        let idle = freed_s.saturating_add(FREE_KEPT_S) <= self.now_s();
        let excess = self.segs.held > self.segment_limit() && self.segments_to_spare() > 0;
        (excess || idle && self.segs.free.len() > needed) && self.segs.release()
    }

    /// Moves what lives in mostly dead segments together.
    fn tidy(&mut self, budget: u32) -> bool {
        if self.slots_empty >= 2 * self.segs.geometry.slots && self.move_one_chunk() {
            return true;
        }
        let quarter = self.segs.geometry.segment_len / 4;
        if !self.begin_compaction(COMPACTED_FROM * quarter) {
            return false;
        }
        self.scan(budget, false, 0);
        true
    }
}
