//! Large values that arrive piece by piece, into chunks of their own, and are stored at the end.

use base::kv::{Expiry, KEY_LEN_MAX, Outcome, Store, StoreMode};

use super::Shard;
use super::log::Queue;
use super::pins::Progress;
use super::store::{Terms, Verdict};
use crate::hash::KeyHash;
use crate::item::{self, Draft, FREQUENCY};

/// A value that is arriving, with all that was asked for it.
#[derive(Debug)]
pub(super) struct Arriving {
    key: Vec<u8>,
    hash: KeyHash,
    flags: u32,
    expiry: Expiry,
    mode: StoreMode,
    compare_cas: Option<u64>,
    new_cas: Option<u64>,
    invalidate: bool,
    vivify: Option<Expiry>,
    pub(super) len: u32,
    filled: u32,
    pub(super) slots: Vec<u32>,
    pub(super) progress: Progress,
    /// Our own work within one operation, which no client can stall.
    own: bool,
}

impl Arriving {
    pub(super) fn new(hash: KeyHash, op: &Store<'_>, len: u32, own: bool) -> Self {
        Self {
            key: Vec::new(),
            hash,
            flags: op.flags,
            expiry: op.expiry,
            mode: op.mode,
            compare_cas: op.compare_cas,
            new_cas: op.new_cas,
            invalidate: op.invalidate,
            vivify: op.vivify,
            len,
            filled: 0,
            slots: Vec::new(),
            progress: Progress::default(),
            own,
        }
    }

    /// What was asked, with the key kept elsewhere.
    fn op<'a>(&self, key: &'a [u8]) -> Store<'a> {
        Store {
            key,
            value: &[],
            flags: self.flags,
            expiry: self.expiry,
            mode: self.mode,
            compare_cas: self.compare_cas,
            new_cas: self.new_cas,
            invalidate: self.invalidate,
            vivify: self.vivify,
        }
    }
}

impl Shard {
    /// Announces a value of `len` bytes; its memory is taken as it arrives.
    pub(crate) fn reserve(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        len: u32,
    ) -> Result<u64, Outcome> {
        if self.is_too_large(op.key.len(), op.flags, u64::from(len)) {
            return Err(self.refuse_too_large(hash, op));
        }
        let arriving = Arriving::new(hash, op, len, false);
        match self.begin(op.key, arriving) {
            Some(token) => Ok(self.token_mark | token),
            None => {
                self.stats.store_no_memory += 1;
                Err(self.drop_unless_stored(hash, op, Outcome::OutOfMemory))
            }
        }
    }

    pub(super) fn begin(&mut self, key: &[u8], mut arriving: Arriving) -> Option<u64> {
        arriving.key.try_reserve_exact(key.len()).ok()?;
        arriving.key.extend_from_slice(key);
        let chunks = arriving.len.div_ceil(self.chunk_len()) as usize;
        arriving.slots.try_reserve_exact(chunks).ok()?;
        self.arriving.insert(arriving)
    }

    /// Adds bytes; false if there is no such value (any more), or it has more bytes than said.
    pub(crate) fn fill(&mut self, token: u64, bytes: &[u8]) -> bool {
        let Some(arriving) = self.arriving.get_mut(token) else {
            return false;
        };
        arriving.progress.note();
        if bytes.len() > (arriving.len - arriving.filled) as usize {
            self.abort(token);
            return false;
        }
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let Some(taken) = self.fill_slot(token, bytes) else {
                self.fail_arriving(token);
                return false;
            };
            bytes = &bytes[taken..];
        }
        true
    }

    /// Fills the slot that is begun, or the next one, and says how many bytes went in.
    fn fill_slot(&mut self, token: u64, bytes: &[u8]) -> Option<usize> {
        let chunk_len = self.chunk_len();
        let arriving = self.arriving.get_mut(token)?;
        let (number, within) = (arriving.filled / chunk_len, arriving.filled % chunk_len);
        let begun = (number as usize) < arriving.slots.len();
        let slot = if begun {
            arriving.slots[number as usize]
        } else {
            self.add_slot(token, number)?
        };
        let taken = bytes.len().min((chunk_len - within) as usize);
        let from = within as usize;
        self.slot_bytes_mut(slot)[from..from + taken].copy_from_slice(&bytes[..taken]);
        self.arriving.get_mut(token)?.filled += taken as u32;
        Some(taken)
    }

    fn add_slot(&mut self, token: u64, number: u32) -> Option<u32> {
        let chunk_len = self.chunk_len();
        let arriving = self.arriving.get_mut(token)?;
        let (own, client) = (
            arriving.slots.len() as u64 * u64::from(chunk_len),
            !arriving.own,
        );
        if client && !self.may_arrive(u64::from(chunk_len), own) {
            return None;
        }
        let slot = self.make_slot()?;
        self.set_slot_arriving(slot, token as u32, number);
        self.arriving.get_mut(token)?.slots.push(slot);
        if client {
            self.client_bytes += u64::from(chunk_len);
            self.arriving_bytes += u64::from(chunk_len);
        }
        self.keep_pace(chunk_len);
        // Keeping pace may have moved it.
        self.arriving.get_mut(token)?.slots.last().copied()
    }

    #[cfg(test)]
    pub(super) fn counted_arriving_bytes(&self) -> u64 {
        let bytes = |token| {
            let arriving = self.arriving.get(token);
            arriving.map_or(0, |arriving| arriving.slots.len() as u64)
        };
        let tokens = self.arriving.tokens(|arriving| !arriving.own);
        tokens.into_iter().map(bytes).sum::<u64>() * u64::from(self.chunk_len())
    }

    /// Gives back what has arrived.
    pub(crate) fn abort(&mut self, token: u64) {
        self.end_arriving(token);
    }

    fn end_arriving(&mut self, token: u64) -> Option<Arriving> {
        let mut arriving = self.take_arriving(token)?;
        for slot in arriving.slots.drain(..) {
            self.free_slot(slot);
        }
        Some(arriving)
    }

    /// Takes it out of the list, with its slots.
    fn take_arriving(&mut self, token: u64) -> Option<Arriving> {
        let arriving = self.arriving.remove(token)?;
        if !arriving.own {
            let bytes = arriving.slots.len() as u64 * u64::from(self.chunk_len());
            self.client_bytes -= bytes;
            self.arriving_bytes -= bytes;
        }
        Some(arriving)
    }

    /// Gives back what has arrived of a value that cannot be stored, and what it was to replace.
    pub(super) fn fail_arriving(&mut self, token: u64) {
        if let Some(arriving) = self.end_arriving(token) {
            self.stats.store_no_memory += 1;
            let op = arriving.op(&arriving.key);
            self.drop_unless_stored(arriving.hash, &op, Outcome::OutOfMemory);
        }
    }

    /// Stores a value that has arrived, if its conditions hold now.
    pub(crate) fn commit(&mut self, token: u64) -> Outcome {
        let Some(arriving) = self.arriving.get_mut(token) else {
            return Outcome::OutOfMemory;
        };
        if arriving.filled != arriving.len {
            self.fail_arriving(token);
            return Outcome::OutOfMemory;
        }
        let hash = arriving.hash;
        let mut key = [0; KEY_LEN_MAX];
        let key = &mut key[..arriving.key.len()];
        key.copy_from_slice(&arriving.key);
        let op = arriving.op(key);
        self.stats.cmd_set += 1;
        let old = self.look_up(hash, op.key);
        match self.judge(&op, old.as_ref()) {
            Verdict::Refuse(outcome) => {
                self.abort(token);
                outcome
            }
            Verdict::Write(terms) => {
                let outcome = self.write_arrived(hash, &op, token, terms);
                self.drop_unless_stored(hash, &op, outcome)
            }
            Verdict::Join(found) => {
                let outcome = self.join_arrived(hash, &op, token, found);
                self.abort(token);
                outcome
            }
        }
    }

    /// Stores a value, given whole and found admissible, that is too large to lie with its item.
    pub(super) fn store_in_chunks(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        terms: Terms,
    ) -> Outcome {
        let len = op.value.len() as u32;
        let Some(token) = self.begin(op.key, Arriving::new(hash, op, len, true)) else {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        };
        if !self.fill(token, op.value) {
            return Outcome::OutOfMemory;
        }
        self.write_arrived(hash, op, token, terms)
    }

    /// Makes what has arrived the value of its key.
    pub(super) fn write_arrived(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        terms: Terms,
    ) -> Outcome {
        let cas = self.fresh_cas(op.new_cas);
        let stored = self.write_head(hash, op, token, terms, cas);
        self.abort(token);
        match stored {
            Some(value_len) => Outcome::Stored { cas, value_len },
            None => {
                self.stats.store_no_memory += 1;
                Outcome::OutOfMemory
            }
        }
    }

    fn write_head(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        terms: Terms,
        cas: u64,
    ) -> Option<u32> {
        let chunk_len = self.chunk_len();
        let arriving = self.arriving.get_mut(token)?;
        let len = arriving.len;
        let chunks = if len > chunk_len { len / chunk_len } else { 0 };
        let mut tail = Vec::new();
        tail.try_reserve_exact(chunk_len as usize).ok()?;
        if let Some(slot) = arriving.slots.get(chunks as usize).copied() {
            tail.extend_from_slice(&self.slot_bytes(slot)[..(len - chunks * chunk_len) as usize]);
        }
        let draft = Draft {
            key: op.key,
            flags: terms.flags,
            expiry: terms.expiry,
            cas,
            state: terms.state,
            value_len: len,
            slots: &[],
            tail: &tail,
            now_s: self.now_s(),
        };
        if chunks == 0 {
            let old = self.look_up(hash, op.key);
            return self.write(hash, old, &draft).map(|_| len);
        }
        let queue = match self.look_up(hash, op.key) {
            Some(found) => Queue::of(self.kind_of(found.loc)).unwrap_or(Queue::Small),
            None if self.ghost.take(hash.ghost_bits()) => Queue::Main,
            None => Queue::Small,
        };
        let footprint = draft.footprint() + (4 * chunks).next_multiple_of(8);
        if !self.open_with(queue, footprint) && !self.make_room(queue, footprint) {
            return None;
        }
        let old = self.look_up(hash, op.key);
        let mut arriving = self.take_arriving(token)?;
        let rest = arriving.slots.split_off(chunks as usize);
        let kept = old.map_or(0, |found| item::counted(found.header.state) & FREQUENCY);
        let draft = Draft {
            slots: &arriving.slots,
            state: terms.state | kept,
            ..draft
        };
        let stored = self.append(queue, hash, &draft, old.map(|found| found.loc));
        if let Some(found) = old.filter(|_| stored.is_some()) {
            self.mark_dead(found.loc, &found.header);
        }
        let unused = if stored.is_some() {
            &[][..]
        } else {
            &arriving.slots[..]
        };
        for slot in rest.iter().chain(unused) {
            self.free_slot(*slot);
        }
        stored?;
        self.stats.total_items += 1;
        self.keep_pace(footprint);
        Some(len)
    }
}
