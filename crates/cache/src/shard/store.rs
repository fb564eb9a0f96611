//! Stores of every mode: what is allowed, and where the item goes.

use base::kv::{Outcome, Store, StoreMode};

use super::judge::{Terms, Verdict};
use super::log::Queue;
use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{self, Draft, FREQUENCY, Header};

/// What memcached adds to key and value when it compares with the item size: its header, the CAS,
/// the key's end and the value's line end. Kept, so that the same values fit here and there.
const COUNTED_OVERHEAD: u64 = 59;

impl Shard {
    pub(super) fn store(&mut self, hash: KeyHash, op: &Store<'_>) -> Outcome {
        if self.is_too_large(op.key.len(), op.flags, op.value.len() as u64) {
            return self.refuse_too_large(hash, op);
        }
        self.stats.cmd_set += 1;
        let old = self.look_up(hash, op.key);
        let known = old.map(|found| self.known(&found));
        match self.judge(op, known.as_ref()) {
            Verdict::Refuse(outcome) => outcome,
            Verdict::Write(terms) => {
                let outcome = if op.value.len() > self.chunk_len() as usize {
                    self.store_in_chunks(hash, op, terms)
                } else {
                    self.write_value(hash, op, old, terms, op.value)
                };
                self.drop_unless_stored(hash, op, outcome)
            }
            Verdict::Join(found) => self.join(hash, op, found),
        }
    }

    /// Whether memcached would find the item too large.
    pub(super) fn is_too_large(&self, key_len: usize, flags: u32, value_len: u64) -> bool {
        let flags_len = if flags != 0 { 4 } else { 0 };
        let len = COUNTED_OVERHEAD + key_len as u64 + flags_len + value_len;
        len > u64::from(self.item_size_max)
    }

    pub(super) fn refuse_too_large(&mut self, hash: KeyHash, op: &Store<'_>) -> Outcome {
        self.stats.store_too_large += 1;
        self.drop_unless_stored(hash, op, Outcome::TooLarge)
    }

    /// After a plain `set` that failed the old item must not be read any more.
    pub(super) fn drop_unless_stored(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        outcome: Outcome,
    ) -> Outcome {
        let failed = matches!(outcome, Outcome::TooLarge | Outcome::OutOfMemory);
        let plain = op.mode == StoreMode::Set && op.compare_cas.is_none();
        if failed
            && plain
            && let Some(found) = self.look_up(hash, op.key)
        {
            self.bury(hash, found.loc, &found.header);
        }
        outcome
    }

    /// Stores a value that lies with its item.
    pub(super) fn write_value(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        old: Option<Found>,
        terms: Terms,
        value: &[u8],
    ) -> Outcome {
        let draft = Draft {
            key: op.key,
            flags: terms.flags,
            expiry: terms.expiry,
            cas: self.fresh_cas(op.new_cas),
            state: terms.state,
            value_len: value.len() as u32,
            extent: None,
            tail: value,
            now_s: self.now_s(),
        };
        if self.write(hash, old, &draft).is_none() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        Outcome::Stored {
            cas: draft.cas,
            value_len: draft.value_len,
        }
    }

    /// Writes an item in the place of `old`, or as a new one, and lets the rest keep pace; where
    /// it is, or `None` if no room can be made.
    pub(super) fn write(
        &mut self,
        hash: KeyHash,
        old: Option<Found>,
        draft: &Draft<'_>,
    ) -> Option<u32> {
        if let Some(found) = &old
            && self.overwrite(found, draft)
        {
            self.stats.total_items += 1;
            return Some(found.loc);
        }
        let queue = match &old {
            Some(found) => Queue::of(self.kind_of(found.loc)).unwrap_or(Queue::Small),
            None if self.ghost.take(hash.ghost_bits()) => Queue::Main,
            None => Queue::Small,
        };
        let len = draft.footprint();
        let mut old = old;
        if !self.open_with(queue, len) {
            if !self.make_room(queue, len) {
                return None;
            }
            // Making room moves and drops items.
            old = self.look_up(hash, draft.key);
        }
        let kept = old.map_or(0, |found| item::counted(found.header.state) & FREQUENCY);
        let draft = Draft {
            state: draft.state | kept,
            ..*draft
        };
        let loc = self.append(queue, hash, &draft, old.map(|found| found.loc))?;
        if let Some(found) = old {
            self.mark_dead(found.loc, &found.header);
        }
        self.stats.total_items += 1;
        self.keep_pace(len);
        Some(loc)
    }

    /// Writes over the old item where it is, if both lie whole in their segment and the new one
    /// takes as much room, or so much less that the rest can be stepped over.
    fn overwrite(&mut self, old: &Found, draft: &Draft<'_>) -> bool {
        let was = old.header.footprint(self.chunk_len());
        let is = draft.footprint();
        let fits = was == is || was >= is + item::HEADER_LEN as u32;
        if !fits || old.header.is_in_chunks() || draft.extent.is_some() {
            return false;
        }
        let state = draft.state | item::counted(old.header.state) & FREQUENCY;
        let bytes = self.segs.at_mut(old.loc);
        Draft { state, ..*draft }.write(bytes);
        if was > is {
            item::write_filler(&mut bytes[is as usize..], (was - is) as usize);
        }
        let segment = self.segs.around(old.loc);
        segment.live_bytes -= was - is;
        segment.note_expiry(draft.expiry);
        self.live_bytes -= u64::from(was - is);
        true
    }

    /// Writes an item again in the place of `found`, with a CAS too wide for where it is; `None`
    /// if no room can be made.
    pub(super) fn rewrite_with_cas(
        &mut self,
        hash: KeyHash,
        found: Found,
        cas: u64,
    ) -> Option<u32> {
        let tail = self.tail_of(found.loc, &found.header)?;
        let bytes = self.segs.at(found.loc);
        let key = found.header.key(bytes).to_vec();
        let flags = found.header.flags(bytes);
        let extent = found.header.extent(bytes);
        if let Some(extent) = extent {
            self.share_body(extent.body);
        }
        let draft = Draft {
            key: &key,
            flags,
            expiry: found.header.expiry,
            cas,
            state: found.header.state,
            value_len: found.header.value_len,
            extent,
            tail: &tail,
            now_s: self.now_s().wrapping_sub(found.header.idle_s(self.now_s())),
        };
        let loc = self.write(hash, Some(found), &draft);
        if let Some(extent) = extent {
            self.release_body(extent.body);
        }
        loc
    }
}

/// The header of the item at a location.
pub(super) fn header_at(shard: &Shard, loc: u32) -> Header {
    Header::read(shard.segs.at(loc))
}
