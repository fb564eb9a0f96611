//! Large values that arrive piece by piece, into chunks of their own, and are stored at the end.

use crate::STORED_KEY_LEN_MAX;
use base::kv::{Expiry, Outcome, Store, StoreMode};

use super::Shard;
use super::bodies::End;
use super::judge::{Known, Terms, Verdict};
use super::pins::Progress;
use crate::hash::KeyHash;
use crate::item::Draft;

/// A value that is arriving, with all that was asked for it.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) key: Vec<u8>,
    pub(super) hash: KeyHash,
    flags: u32,
    expiry: Expiry,
    pub(super) mode: StoreMode,
    pub(super) compare_cas: Option<u64>,
    new_cas: Option<u64>,
    invalidate: bool,
    vivify: Option<Expiry>,
    pub(super) len: u32,
    /// Bytes of the first chunk that are left before it, so that it joins a value in place.
    pub(super) start: u32,
    filled: u32,
    pub(super) body: u32,
    pub(super) progress: Progress,
    /// Our own work within one operation, which no client can stall.
    own: bool,
    /// The item that it is to join is held in place here.
    pub(super) target: Option<u32>,
    /// The item that it may replace was evicted, and nobody was told so.
    pub(super) gone: Option<Known>,
}

impl Arriving {
    pub(super) fn new(hash: KeyHash, op: &Store<'_>, len: u32, start: u32, own: bool) -> Self {
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
            start,
            filled: 0,
            body: 0,
            progress: Progress::default(),
            own,
            target: None,
            gone: None,
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

    /// Chunks that it takes in all.
    fn chunks(&self, chunk_len: u32) -> u32 {
        (self.start + self.len).div_ceil(chunk_len)
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
        let joins = self.refuse_early(hash, op, len)?;
        let (start, target) = self.prepare_join(op, joins, len);
        let mut arriving = Arriving::new(hash, op, len, start, false);
        arriving.target = target;
        match self.begin(op.key, arriving) {
            Some(token) => {
                self.watch(token);
                Ok(self.token_mark | token)
            }
            None => {
                if let Some(loc) = target {
                    self.let_go(loc);
                }
                self.stats.store_no_memory += 1;
                Err(self.drop_unless_stored(hash, op, Outcome::OutOfMemory))
            }
        }
    }

    pub(super) fn begin(&mut self, key: &[u8], mut arriving: Arriving) -> Option<u64> {
        arriving.key.try_reserve_exact(key.len()).ok()?;
        arriving.key.extend_from_slice(key);
        let body = self.begin_body()?;
        arriving.body = body;
        let token = self.arriving.insert(arriving);
        if token.is_none() {
            self.release_body(body);
        }
        token
    }

    /// Adds bytes; false if there is no such value (any more), or it has more bytes than said.
    pub(crate) fn fill(&mut self, token: u64, bytes: &[u8]) -> bool {
        self.carry_with(bytes.len());
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
            let Some(taken) = self.fill_chunk(token, bytes) else {
                self.fail_arriving(token);
                return false;
            };
            bytes = &bytes[taken..];
        }
        true
    }

    /// Fills the chunk that is begun, or the next one, and says how many bytes went in.
    fn fill_chunk(&mut self, token: u64, bytes: &[u8]) -> Option<usize> {
        let chunk_len = self.chunk_len();
        let arriving = self.arriving.get_mut(token)?;
        let at = arriving.start + arriving.filled;
        let body = arriving.body;
        if at / chunk_len >= self.bodies.chunks(body) {
            self.add_arriving_chunk(token)?;
        }
        let taken = bytes.len().min((chunk_len - at % chunk_len) as usize);
        self.write_chunks(body, at, &bytes[..taken]);
        self.arriving.get_mut(token)?.filled += taken as u32;
        Some(taken)
    }

    fn add_arriving_chunk(&mut self, token: u64) -> Option<()> {
        let chunk_len = self.chunk_len();
        let arriving = self.arriving.get_mut(token)?;
        let (body, client, total) = (arriving.body, !arriving.own, arriving.chunks(chunk_len));
        let own = u64::from(self.bodies.chunks(body)) * u64::from(chunk_len);
        if client && !self.may_arrive(u64::from(chunk_len), own) {
            return None;
        }
        if client {
            self.evict_replaced(token);
        }
        self.add_chunk(body, End::Back, total)?;
        if client {
            self.client_bytes += u64::from(chunk_len);
            self.arriving_bytes += u64::from(chunk_len);
        }
        self.keep_pace(chunk_len);
        Some(())
    }

    #[cfg(test)]
    pub(super) fn counted_arriving_bytes(&self) -> u64 {
        let chunks = |token| {
            let arriving = self.arriving.get(token);
            arriving.map_or(0, |arriving| u64::from(self.bodies.chunks(arriving.body)))
        };
        let tokens = self.arriving.tokens(|arriving| !arriving.own);
        tokens.into_iter().map(chunks).sum::<u64>() * u64::from(self.chunk_len())
    }

    /// Gives back what has arrived.
    pub(crate) fn abort(&mut self, token: u64) {
        self.end_arriving(token);
    }

    fn end_arriving(&mut self, token: u64) -> Option<Arriving> {
        self.make_own(token);
        let arriving = self.arriving.remove(token)?;
        self.watch_no_more(&arriving, token);
        self.release_body(arriving.body);
        if let Some(loc) = arriving.target {
            self.let_go(loc);
        }
        Some(arriving)
    }

    /// What has arrived whole is no longer in a client's hands.
    pub(super) fn make_own(&mut self, token: u64) {
        let chunk_len = u64::from(self.chunk_len());
        let Some(arriving) = self.arriving.get_mut(token) else {
            return;
        };
        if !std::mem::replace(&mut arriving.own, true) {
            let bytes = u64::from(self.bodies.chunks(arriving.body)) * chunk_len;
            self.client_bytes -= bytes;
            self.arriving_bytes -= bytes;
        }
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
        let mut key = [0; STORED_KEY_LEN_MAX];
        let key = &mut key[..arriving.key.len()];
        key.copy_from_slice(&arriving.key);
        let op = arriving.op(key);
        self.stats.cmd_set += 1;
        self.make_own(token);
        let known = match self.take_gone(token) {
            Some(gone) => gone.unless_past(self.now),
            None => self.look_up(hash, op.key).map(|found| self.known(&found)),
        };
        match self.judge(&op, known.as_ref()) {
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
        let Some(token) = self.begin(op.key, Arriving::new(hash, op, len, 0, true)) else {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        };
        if !self.fill(token, op.value) {
            return Outcome::OutOfMemory;
        }
        self.write_arrived(hash, op, token, terms)
    }

    /// Makes what has arrived, and is our own, the value of its key.
    pub(super) fn write_arrived(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        terms: Terms,
    ) -> Outcome {
        let Some(arriving) = self.arriving.get_mut(token) else {
            return Outcome::OutOfMemory;
        };
        let (body, start, len) = (arriving.body, arriving.start, arriving.len);
        let cas = self.fresh_cas(op.new_cas);
        let stored = if len > self.chunk_len() {
            let tail = self.cut_tail(body, start + len);
            tail.and_then(|tail| {
                self.write_over_chunks(hash, op, terms, cas, (body, start, len), &tail)
            })
        } else {
            self.write_few(hash, op, terms, cas, (body, start, len))
        };
        self.abort(token);
        if stored.is_none() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        let value_len = len;
        Outcome::Stored { cas, value_len }
    }

    /// Takes the bytes behind the last whole chunk, up to `end`, out of a body's chunks.
    pub(super) fn cut_tail(&mut self, body: u32, end: u32) -> Option<Vec<u8>> {
        let chunk_len = self.chunk_len();
        let (chunks, len) = (end / chunk_len, end % chunk_len);
        let mut tail = Vec::new();
        tail.try_reserve_exact(len as usize).ok()?;
        let whole = self.bodies.extent(body, 0);
        self.copy_chunks(whole, end - len, len as usize, &mut tail);
        self.drop_chunks(body, End::Back, self.bodies.chunks(body) - chunks);
        Some(tail)
    }

    /// Writes an item whose value is in chunks: `len` bytes of a body, of all of its chunks, from
    /// `start` on, with the last of them in `tail`.
    pub(super) fn write_over_chunks(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        terms: Terms,
        cas: u64,
        (body, start, len): (u32, u32, u32),
        tail: &[u8],
    ) -> Option<u32> {
        let draft = Draft {
            key: op.key,
            flags: terms.flags,
            expiry: terms.expiry,
            cas,
            state: terms.state,
            value_len: len,
            extent: Some(self.bodies.extent(body, start)),
            tail,
            now_s: self.now_s(),
        };
        let old = self.look_up(hash, op.key);
        self.write(hash, old, &draft)
    }

    /// Writes an item whose value, few bytes of a body, comes to lie with it.
    fn write_few(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        terms: Terms,
        cas: u64,
        (body, start, len): (u32, u32, u32),
    ) -> Option<u32> {
        let mut value = Vec::new();
        value.try_reserve_exact(len as usize).ok()?;
        let whole = self.bodies.extent(body, start);
        self.copy_chunks(whole, start, len as usize, &mut value);
        let draft = Draft {
            key: op.key,
            flags: terms.flags,
            expiry: terms.expiry,
            cas,
            state: terms.state,
            value_len: len,
            extent: None,
            tail: &value,
            now_s: self.now_s(),
        };
        let old = self.look_up(hash, op.key);
        self.write(hash, old, &draft)
    }
}
