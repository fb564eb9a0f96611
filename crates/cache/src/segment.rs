//! A shard's memory: segments of one length, each described by its own header.

use crate::geometry::{Geometry, SEGMENT_HEADER_LEN};
use crate::item;
use crate::memory;

const MAGIC: u32 = 0x4346_5347;
const FORMAT: u16 = 2;

/// What a segment serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number without memory.
    Vacant = 0,
    /// Memory without content.
    Free = 1,
    /// Items in the queue for new ones.
    Small = 2,
    /// Items in the queue for those that were used.
    Main = 3,
    /// Slots for the chunks of large values.
    Chunk = 4,
}

/// One segment's memory and figures.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) bytes: Box<[u8]>,
    /// Counts openings; what a flush compares with.
    pub(crate) seq: u64,
    /// Bytes of live items' chunks that lie elsewhere.
    pub(crate) chunk_bytes: u64,
    /// Bytes from the start that are written.
    pub(crate) used: u32,
    /// Bytes of live items.
    pub(crate) live_bytes: u32,
    /// Live items, or taken slots.
    pub(crate) live: u32,
    /// Live items with chunks.
    pub(crate) live_large: u32,
    /// No live item ends before this Unix second.
    pub(crate) expiry_min: u32,
    /// When its ends were last looked at, or its memory freed.
    pub(crate) looked_s: u32,
    /// When it was opened.
    pub(crate) opened_s: u32,
    /// Holds that keep its bytes in place; at most one for each item in it, and one more.
    pub(crate) pins: u16,
    pub(crate) kind: Kind,
}

impl Segment {
    fn vacant() -> Self {
        Self {
            bytes: Box::default(),
            seq: 0,
            chunk_bytes: 0,
            used: 0,
            live_bytes: 0,
            live: 0,
            live_large: 0,
            expiry_min: u32::MAX,
            looked_s: 0,
            opened_s: 0,
            pins: 0,
            kind: Kind::Vacant,
        }
    }

    /// Lowers the bound on expiries for an item that ends at `expiry`, 0 for never.
    pub(crate) fn note_expiry(&mut self, expiry: u32) {
        if expiry != 0 && expiry < self.expiry_min {
            self.expiry_min = expiry;
        }
    }

    /// Writes what tells, without any table, what the segment is: of which kind and age, under
    /// which number its chunks are named by others, and since when items count as flushed.
    fn write_header(&mut self, kind: Kind, number: u32, flush_seq: u64) {
        let len = self.bytes.len() as u32;
        let header = &mut self.bytes[..SEGMENT_HEADER_LEN as usize];
        header.fill(0);
        header[..4].copy_from_slice(&MAGIC.to_le_bytes());
        header[4..6].copy_from_slice(&FORMAT.to_le_bytes());
        header[6] = kind as u8;
        header[8..16].copy_from_slice(&self.seq.to_le_bytes());
        header[32..36].copy_from_slice(&number.to_le_bytes());
        header[36..40].copy_from_slice(&len.to_le_bytes());
        header[40..48].copy_from_slice(&flush_seq.to_le_bytes());
    }

    /// Notes in the segment itself how far it is written, and when it was.
    pub(crate) fn write_sealed(&mut self, now_s: u32, cas: u64) {
        self.bytes[16..20].copy_from_slice(&self.used.to_le_bytes());
        self.bytes[20..24].copy_from_slice(&now_s.to_le_bytes());
        self.bytes[24..32].copy_from_slice(&cas.to_le_bytes());
    }
}

/// All segments of a shard, by number.
#[derive(Debug)]
pub(crate) struct Segments {
    pub(crate) geometry: Geometry,
    pub(crate) list: Vec<Segment>,
    /// Numbers of segments with memory and without content, the latest freed last.
    pub(crate) free: Vec<u32>,
    vacant: Vec<u32>,
    /// Segments with memory.
    pub(crate) held: u32,
    next_seq: u64,
    /// Items in segments opened before this one are flushed.
    pub(crate) flush_seq: u64,
    unit_bits: u32,
    unit_mask: u32,
}

impl Segments {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            list: Vec::new(),
            free: Vec::new(),
            vacant: Vec::new(),
            held: 0,
            next_seq: 1,
            flush_seq: 0,
            unit_bits: geometry.unit_bits(),
            unit_mask: (1 << geometry.unit_bits()) - 1,
        }
    }

    /// Lets all items written so far count as flushed.
    pub(crate) fn flush(&mut self) {
        self.flush_seq = self.next_seq;
    }

    /// Bytes of the table that describes the segments.
    pub(crate) fn table_bytes(&self) -> u64 {
        let lists = self.free.capacity() + self.vacant.capacity();
        (self.list.capacity() * size_of::<Segment>() + lists * 4) as u64
    }

    pub(crate) fn loc(&self, segment: u32, at: u32) -> u32 {
        (segment << self.unit_bits) | (at / item::UNIT)
    }

    pub(crate) const fn segment_of(&self, loc: u32) -> u32 {
        loc >> self.unit_bits
    }

    /// Where in its segment a location lies.
    pub(crate) const fn offset_of(&self, loc: u32) -> u32 {
        (loc & self.unit_mask) * item::UNIT
    }

    pub(crate) fn get(&self, segment: u32) -> &Segment {
        &self.list[segment as usize]
    }

    pub(crate) fn get_mut(&mut self, segment: u32) -> &mut Segment {
        &mut self.list[segment as usize]
    }

    /// The segment that holds this location.
    pub(crate) fn around(&mut self, loc: u32) -> &mut Segment {
        &mut self.list[(loc >> self.unit_bits) as usize]
    }

    /// The bytes from this location to the end of its segment.
    #[inline]
    pub(crate) fn at(&self, loc: u32) -> &[u8] {
        let bytes = &self.list[(loc >> self.unit_bits) as usize].bytes;
        &bytes[self.offset_of(loc) as usize..]
    }

    /// The same of a location that may be out of date: `None` if nothing is there any more.
    #[inline]
    pub(crate) fn get_at(&self, loc: u32) -> Option<&[u8]> {
        let segment = self.list.get((loc >> self.unit_bits) as usize)?;
        segment.bytes.get(self.offset_of(loc) as usize..)
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, loc: u32) -> &mut [u8] {
        let from = self.offset_of(loc) as usize;
        &mut self.list[(loc >> self.unit_bits) as usize].bytes[from..]
    }

    /// Takes memory for one more segment and leaves it free; false if the allocator refuses or no
    /// number below `numbers` is left.
    pub(crate) fn grow(&mut self, numbers: u32) -> bool {
        if self.vacant.is_empty() && self.list.len() as u64 >= u64::from(numbers) {
            return false;
        }
        // A freed number goes into `free` or `vacant` later, which must not allocate then.
        let room = self.list.try_reserve(1).is_ok()
            && self.free.try_reserve(self.held as usize + 1).is_ok()
            && self.vacant.try_reserve(self.held as usize + 1).is_ok();
        let Some(bytes) = memory::zeroed(self.geometry.segment_len as usize).filter(|_| room)
        else {
            return false;
        };
        let number = match self.vacant.pop_if(|number| *number < numbers) {
            Some(number) => number,
            None if (self.list.len() as u64) < u64::from(numbers) => {
                self.list.push(Segment::vacant());
                self.list.len() as u32 - 1
            }
            None => return false,
        };
        let segment = &mut self.list[number as usize];
        segment.bytes = bytes;
        segment.kind = Kind::Free;
        self.held += 1;
        self.free.push(number);
        true
    }

    /// Opens a free segment for content of this kind.
    pub(crate) fn open(&mut self, kind: Kind, now_s: u32) -> Option<u32> {
        let number = self.free.pop()?;
        let segment = &mut self.list[number as usize];
        segment.seq = self.next_seq;
        segment.used = self.geometry.log_start();
        segment.live_bytes = 0;
        segment.live = 0;
        segment.live_large = 0;
        segment.chunk_bytes = 0;
        segment.expiry_min = u32::MAX;
        segment.looked_s = now_s;
        segment.opened_s = now_s;
        segment.pins = 0;
        segment.kind = kind;
        segment.write_header(kind, number, self.flush_seq);
        self.next_seq += 1;
        Some(number)
    }

    /// Drops a segment's content and keeps its memory.
    pub(crate) fn free(&mut self, number: u32, now_s: u32) {
        let segment = &mut self.list[number as usize];
        segment.kind = Kind::Free;
        segment.seq = 0;
        segment.looked_s = now_s;
        self.free.push(number);
    }

    /// Gives the memory of a free segment back, the one that has been free for longest.
    pub(crate) fn release(&mut self) -> bool {
        if self.free.is_empty() {
            return false;
        }
        let number = self.free.remove(0);
        self.list[number as usize] = Segment::vacant();
        self.vacant.push(number);
        self.held -= 1;
        true
    }

    /// A location as a segment and a place in it.
    pub(crate) fn place(&self, loc: u32) -> (u32, usize) {
        (self.segment_of(loc), self.offset_of(loc) as usize)
    }

    /// Copies `len` bytes from a place in one segment to a place in another, or the same.
    pub(crate) fn copy(&mut self, from: (u32, usize), to: (u32, usize), len: usize) {
        let ((source, from), (target, to)) = (from, to);
        if source == target {
            let bytes = &mut self.get_mut(source).bytes;
            bytes.copy_within(from..from + len, to);
            return;
        }
        // Two segments of one list: the target's memory is out of the list for the copy.
        let mut bytes = std::mem::take(&mut self.get_mut(target).bytes);
        bytes[to..to + len].copy_from_slice(&self.get(source).bytes[from..from + len]);
        self.get_mut(target).bytes = bytes;
    }

    /// Sets the link of the item at `loc`.
    pub(crate) fn set_next(&mut self, loc: u32, link: u32) {
        item::set_next(self.at_mut(loc), link);
    }
}

#[cfg(test)]
#[path = "segment_test.rs"]
mod tests;
