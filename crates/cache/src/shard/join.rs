//! Appending and prepending. What lies with its item is written anew; a value in chunks keeps them
//! and gets more at one end, so that the work is by what is added and not by what is there.

use base::kv::{Outcome, Store, StoreMode};

use super::bodies::End;
use super::judge::Terms;
use super::reservations::Arriving;
use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::Header;

/// The most bytes that are copied where a value arrived for another place than it now joins at,
/// because what it joins was changed meanwhile.
const REALIGNED_MAX: u32 = 8 << 20;

/// A value in chunks, of which this is one user, and the bytes behind them.
struct Joined {
    body: u32,
    skip: u32,
    tail: Vec<u8>,
}

impl Shard {
    /// Appends or prepends a value that is at hand.
    pub(super) fn join(&mut self, hash: KeyHash, op: &Store<'_>, found: Found) -> Outcome {
        let header = found.header;
        let len = u64::from(header.value_len) + op.value.len() as u64;
        let flags = header.flags(self.segs.at(found.loc));
        if self.is_too_large(op.key.len(), flags, len) {
            return Outcome::NotStored;
        }
        let terms = Terms {
            flags,
            expiry: header.expiry,
            state: 0,
        };
        if header.is_in_chunks() {
            return self.joined(hash, op, found, terms, len as u32, |shard, tail| {
                shard.extend(op, &found, tail)
            });
        }
        if len > u64::from(self.chunk_len()) {
            return self.join_in_chunks(hash, op, found, terms);
        }
        let mut joined = std::mem::take(&mut self.scratch);
        joined.clear();
        if joined.try_reserve(len as usize).is_err() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        let old = header.tail(self.segs.at(found.loc), self.chunk_len());
        let (first, second) = in_order(op.mode, old, op.value);
        joined.extend_from_slice(first);
        joined.extend_from_slice(second);
        let outcome = self.write_value(hash, op, Some(found), terms, &joined);
        self.scratch = joined;
        outcome
    }

    /// Appends or prepends where the sum no longer lies with its item, as the old value did.
    fn join_in_chunks(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        found: Found,
        terms: Terms,
    ) -> Outcome {
        let len = found.header.value_len + op.value.len() as u32;
        let old = self.tail_of(found.loc, &found.header);
        let arriving = Arriving::new(hash, op, len, 0, true);
        let Some((old, joined)) = old.zip(self.begin(op.key, arriving)) else {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        };
        let (first, second) = in_order(op.mode, &old, op.value);
        if !self.fill(joined, first) || !self.fill(joined, second) {
            return Outcome::OutOfMemory;
        }
        self.write_arrived(hash, op, joined, terms)
    }

    /// Makes `len` bytes of the item's value, which `add` changes and gives the new form of, while
    /// the item stays in place; it stays as it was if there is no room.
    fn joined(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        found: Found,
        terms: Terms,
        len: u32,
        add: impl FnOnce(&mut Self, Vec<u8>) -> Option<Joined>,
    ) -> Outcome {
        let body = found.header.extent(self.segs.at(found.loc));
        let body = body.map(|extent| (extent.body, self.bodies.chunks(extent.body)));
        if let Some((body, _)) = body {
            self.share_body(body);
        }
        self.segs.around(found.loc).pins += 1;
        let tail = self.tail_of(found.loc, &found.header);
        let joined = tail.and_then(|tail| add(self, tail));
        self.segs.around(found.loc).pins -= 1;
        let cas = self.fresh_cas(op.new_cas);
        let stored = joined.and_then(|Joined { body, skip, tail }| {
            let in_chunks = (body, skip, len);
            let stored = self.write_over_chunks(hash, op, terms, cas, in_chunks, &tail);
            self.release_body(body);
            stored
        });
        if let Some((body, chunks)) = body {
            if stored.is_none() {
                let end = end_of(op.mode);
                self.drop_chunks(body, end, self.bodies.chunks(body) - chunks);
            }
            self.release_body(body);
        }
        if stored.is_none() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        let value_len = len;
        Outcome::Stored { cas, value_len }
    }

    /// Adds the bytes at hand to a value in chunks.
    fn extend(&mut self, op: &Store<'_>, found: &Found, tail: Vec<u8>) -> Option<Joined> {
        let extent = found.header.extent(self.segs.at(found.loc))?;
        let (body, chunk_len) = (extent.body, self.chunk_len() as usize);
        let (had, skip) = (self.bodies.chunks(body), extent.skip as usize);
        if op.mode == StoreMode::Append {
            let mut bytes = tail;
            bytes.try_reserve_exact(op.value.len()).ok()?;
            bytes.extend_from_slice(op.value);
            let more = bytes.len() / chunk_len;
            for (number, chunk) in (had..).zip(bytes.chunks_exact(chunk_len)) {
                self.add_chunk(body, End::Back, had + more as u32)?;
                self.write_chunks(body, number * chunk_len as u32, chunk);
            }
            bytes.drain(..more * chunk_len);
            let (skip, tail) = (extent.skip, bytes);
            return Some(self.joined_of(body, skip, tail));
        }
        let more = op.value.len().saturating_sub(skip).div_ceil(chunk_len);
        for _ in 0..more {
            self.add_chunk(body, End::Front, had + more as u32)?;
        }
        let skip = (more * chunk_len + skip - op.value.len()) as u32;
        self.write_chunks(body, skip, op.value);
        Some(self.joined_of(body, skip, tail))
    }

    fn joined_of(&mut self, body: u32, skip: u32, tail: Vec<u8>) -> Joined {
        self.share_body(body);
        Joined { body, skip, tail }
    }

    /// For a value that is to join another one: with which place in its first chunk it must begin
    /// for that, and the other's item, held in place if that may be.
    pub(super) fn prepare_join(
        &mut self,
        op: &Store<'_>,
        found: Option<Found>,
        len: u32,
    ) -> (u32, Option<u32>) {
        let Some(found) = found else {
            return (0, None);
        };
        let target = self.hold(&found).then_some(found.loc);
        let start = self.start_of(op.mode, &found.header, len);
        (start.unwrap_or(0), target)
    }

    /// With which place in its first chunk a value must begin to join another one; `None` if it
    /// does not matter.
    fn start_of(&self, mode: StoreMode, header: &Header, len: u32) -> Option<u32> {
        let chunk_len = self.chunk_len();
        let in_chunks = header.is_in_chunks();
        match mode {
            StoreMode::Append => Some(header.tail_len(chunk_len) % chunk_len),
            _ if in_chunks => Some((header.skip + chunk_len - len % chunk_len) % chunk_len),
            _ => None,
        }
    }

    /// Appends or prepends a value that has arrived.
    pub(super) fn join_arrived(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        found: Found,
    ) -> Outcome {
        let Some(len) = self.arriving.get_mut(token).map(|arriving| arriving.len) else {
            return Outcome::OutOfMemory;
        };
        let header = found.header;
        if len + header.value_len <= self.chunk_len() || len == 0 {
            return self.join_few_arrived(hash, op, token, found);
        }
        let terms = Terms {
            flags: header.flags(self.segs.at(found.loc)),
            expiry: header.expiry,
            state: 0,
        };
        let sum = u64::from(len) + u64::from(header.value_len);
        if self.is_too_large(op.key.len(), terms.flags, sum) {
            return Outcome::NotStored;
        }
        self.joined(hash, op, found, terms, sum as u32, |shard, tail| {
            let start = shard.start_of(op.mode, &header, len);
            let aligned = shard.realigned(hash, op, token, start)?;
            let joined = if header.is_in_chunks() {
                shard.join_bodies(op.mode, aligned, &found, tail)
            } else {
                shard.join_to_body(op.mode, aligned, &tail)
            };
            if aligned != token {
                shard.abort(aligned);
            }
            joined
        })
    }

    /// Appends or prepends what has arrived where all of it lies with the item.
    fn join_few_arrived(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        found: Found,
    ) -> Outcome {
        let mut value = Vec::new();
        let Some(arriving) = self.arriving.get_mut(token) else {
            return Outcome::OutOfMemory;
        };
        let (body, start, len) = (arriving.body, arriving.start, arriving.len as usize);
        if value.try_reserve_exact(len).is_err() {
            self.stats.store_no_memory += 1;
            return Outcome::OutOfMemory;
        }
        self.copy_chunks(self.bodies.extent(body, start), start, len, &mut value);
        let value = &value;
        self.join(
            hash,
            &Store {
                value,
                ..op.clone()
            },
            found,
        )
    }

    /// What has arrived, or a copy that begins where it must.
    fn realigned(
        &mut self,
        hash: KeyHash,
        op: &Store<'_>,
        token: u64,
        start: Option<u32>,
    ) -> Option<u64> {
        let arriving = self.arriving.get_mut(token)?;
        let (body, at, len) = (arriving.body, arriving.start, arriving.len);
        if start.is_none_or(|start| start == at) {
            return Some(token);
        }
        if len > REALIGNED_MAX {
            return None;
        }
        let copy = Arriving::new(hash, op, len, start?, true);
        let copy = self.begin(op.key, copy)?;
        let mut piece = Vec::new();
        let mut offset = 0;
        while offset < len {
            let more = self.chunk_len().min(len - offset);
            piece.clear();
            if piece.try_reserve(more as usize).is_err() {
                self.abort(copy);
                return None;
            }
            let extent = self.bodies.extent(body, at);
            self.copy_chunks(extent, at + offset, more as usize, &mut piece);
            if !self.fill(copy, &piece) {
                return None;
            }
            offset += more;
        }
        Some(copy)
    }

    /// Adds what has arrived to a value in chunks, by handing its chunks over.
    fn join_bodies(
        &mut self,
        mode: StoreMode,
        token: u64,
        found: &Found,
        tail: Vec<u8>,
    ) -> Option<Joined> {
        let extent = found.header.extent(self.segs.at(found.loc))?;
        let arriving = self.arriving.get_mut(token)?;
        let (from, start, len) = (arriving.body, arriving.start, arriving.len);
        let (body, chunk_len) = (extent.body, self.chunk_len());
        if mode == StoreMode::Append {
            let all = extent.skip + found.header.value_len + len;
            self.write_chunks(from, 0, &tail);
            let handed = self.hand_chunks_over(from, body, End::Back);
            let tail = handed.then(|| self.cut_tail(body, all)).flatten()?;
            let skip = extent.skip;
            return Some(self.joined_of(body, skip, tail));
        }
        if extent.skip > 0 {
            // The last bytes belong into the chunk that the value begins in.
            let last = self.bodies.chunks(from) - 1;
            let at = if last == 0 { start } else { 0 };
            let mut piece = Vec::new();
            let piece_len = (extent.skip - at) as usize;
            piece.try_reserve_exact(piece_len).ok()?;
            let whole = self.bodies.extent(from, 0);
            self.copy_chunks(whole, last * chunk_len + at, piece_len, &mut piece);
            self.write_chunks(body, at, &piece);
            self.drop_chunks(from, End::Back, 1);
        }
        let handed = self.hand_chunks_over(from, body, End::Front);
        let skip = start;
        handed.then(|| self.joined_of(body, skip, tail))
    }

    /// Adds a value that lies with its item to what has arrived.
    fn join_to_body(&mut self, mode: StoreMode, token: u64, old: &[u8]) -> Option<Joined> {
        let arriving = self.arriving.get_mut(token)?;
        let (body, start, len) = (arriving.body, arriving.start, arriving.len);
        let (old_len, chunk_len) = (old.len() as u32, self.chunk_len());
        let (skip, at) = if mode == StoreMode::Append {
            if old_len == chunk_len {
                let total = self.bodies.chunks(body) + 1;
                self.add_chunk(body, End::Front, total)?;
            }
            (0, 0)
        } else {
            let total = (start + len + old_len).div_ceil(chunk_len);
            while self.bodies.chunks(body) < total {
                self.add_chunk(body, End::Back, total)?;
            }
            (start, start + len)
        };
        self.write_chunks(body, at, old);
        let tail = self.cut_tail(body, skip + len + old_len)?;
        Some(self.joined_of(body, skip, tail))
    }
}

fn in_order<'a>(mode: StoreMode, old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    if mode == StoreMode::Prepend {
        (new, old)
    } else {
        (old, new)
    }
}

fn end_of(mode: StoreMode) -> End {
    if mode == StoreMode::Prepend {
        End::Front
    } else {
        End::Back
    }
}

#[cfg(test)]
#[path = "join_test.rs"]
mod tests;
