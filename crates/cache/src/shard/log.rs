//! The two queues as logs: open segments that items are appended to.

use super::Shard;
use crate::hash::KeyHash;
use crate::item::{self, Draft};
use crate::segment::Kind;

/// A queue of S3-FIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// Where new items prove themselves.
    Small = 0,
    /// Where those go that were used, or come back soon.
    Main = 1,
}

impl Queue {
    pub(super) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Small => Some(Self::Small),
            Kind::Main => Some(Self::Main),
            Kind::Vacant | Kind::Free | Kind::Chunk => None,
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Small => Kind::Small,
            Self::Main => Kind::Main,
        }
    }
}

impl Shard {
    /// Seconds since the queue's oldest segment was opened, 0 if the queue is empty.
    pub(super) fn queue_age_s(&self, queue: Queue) -> u64 {
        let sealed = self.sealed[queue as usize].front().copied();
        let oldest = sealed.or(self.open[queue as usize]);
        let opened_s = oldest.map_or(self.now_s(), |number| self.segs.get(number).opened_s);
        u64::from(self.now_s().saturating_sub(opened_s))
    }

    /// Whether the queue's open segment has this many bytes left.
    pub(super) fn open_has(&self, queue: Queue, len: u32) -> bool {
        self.open[queue as usize].is_some_and(|number| {
            self.segs.get(number).used + len <= self.segs.geometry.segment_len
        })
    }

    /// Makes the open segment of the queue have `len` bytes left, from free memory only.
    pub(super) fn open_with(&mut self, queue: Queue, len: u32) -> bool {
        if self.open_has(queue, len) {
            return true;
        }
        if !self.have_free_segment() {
            return false;
        }
        self.seal(queue);
        self.open[queue as usize] = self.segs.open(queue.kind(), self.now.unix_secs());
        self.open_has(queue, len)
    }

    /// Ends writing to the queue's open segment.
    pub(super) fn seal(&mut self, queue: Queue) {
        let Some(number) = self.open[queue as usize].take() else {
            return;
        };
        let (now_s, cas) = (self.now_s(), self.cas_last);
        self.segs.get_mut(number).write_sealed(now_s, cas);
        self.sealed[queue as usize].push_back(number);
        self.free_if_empty(number);
    }

    /// Takes `len` bytes of the open segment, which has them.
    pub(super) fn bump(&mut self, queue: Queue, len: u32) -> Option<u32> {
        let number = self.open[queue as usize]?;
        let segment_len = self.segs.geometry.segment_len;
        let segment = self.segs.get_mut(number);
        let at = segment.used;
        if at + len > segment_len {
            return None;
        }
        segment.used += len;
        segment.live += 1;
        segment.live_bytes += len;
        self.live_bytes += u64::from(len);
        Some(self.segs.loc(number, at))
    }

    /// Appends an item to a queue and puts it in the index, in the place of `old` if that is
    /// given; `None` if the open segment lacks the room.
    pub(super) fn append(
        &mut self,
        queue: Queue,
        hash: KeyHash,
        draft: &Draft<'_>,
        old: Option<u32>,
    ) -> Option<u32> {
        let loc = self.bump(queue, draft.footprint())?;
        draft.write(self.segs.at_mut(loc));
        let segment = self.segs.around(loc);
        segment.note_expiry(draft.expiry);
        if let Some(extent) = draft.extent {
            let chunk_bytes = self.chunk_bytes_of(&item::Header::read(self.segs.at(loc)));
            let segment = self.segs.around(loc);
            segment.live_large += 1;
            segment.chunk_bytes += chunk_bytes;
            self.queue_chunk_bytes[queue as usize] += chunk_bytes;
            self.live_bytes += chunk_bytes;
            self.share_body(extent.body);
        }
        match old {
            Some(old) => {
                self.index.replace(&mut self.segs, hash, old, loc);
            }
            None => self.index.insert(&mut self.segs, hash, loc),
        }
        Some(loc)
    }

    /// Moves a live item to the open segment of a queue; false if that lacks the room.
    pub(super) fn move_item(&mut self, queue: Queue, hash: KeyHash, from: u32, state: u8) -> bool {
        let header = item::Header::read(self.segs.at(from));
        let len = header.footprint(self.chunk_len());
        if !self.open_with(queue, len) {
            return false;
        }
        let Some(to) = self.bump(queue, len) else {
            return false;
        };
        let (source, target) = (self.segs.place(from), self.segs.place(to));
        self.segs.copy(source, target, len as usize);
        self.stats.copied_bytes += u64::from(len);
        item::set_state(self.segs.at_mut(to), state);
        self.segs.around(to).note_expiry(header.expiry);
        self.index.replace(&mut self.segs, hash, from, to);
        self.live_bytes -= u64::from(len);
        let chunk_bytes = self.chunk_bytes_of(&header);
        let left = Queue::of(self.kind_of(from));
        let segment = self.segs.around(from);
        segment.live -= 1;
        segment.live_bytes -= len;
        segment.chunk_bytes -= chunk_bytes;
        if header.is_in_chunks() {
            segment.live_large -= 1;
            if let Some(left) = left {
                self.queue_chunk_bytes[left as usize] -= chunk_bytes;
            }
            self.queue_chunk_bytes[queue as usize] += chunk_bytes;
            let segment = self.segs.around(to);
            segment.live_large += 1;
            segment.chunk_bytes += chunk_bytes;
        }
        item::set_state(self.segs.at_mut(from), header.state | item::DEAD);
        true
    }
}
