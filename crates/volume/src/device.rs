//! A volume by bytes: what does not begin or end with a block is read, changed and written back.
//!
//! Changes that are whole blocks go straight on. One that is not reads the blocks at its ends first, and
//! until they are there the changes behind it wait, so that none is lost between reading and writing.
//! Reads and flushes never wait: nothing that waits has been answered.

mod large;
mod operate;

use std::collections::{BTreeMap, VecDeque};

use crate::bytes::usize_of;
use crate::command::{Refused, Reply};
use crate::{BLOCK_LEN, BulkDraft, Engine, WRITE_BLOCKS_MAX};

const BLOCK: u64 = BLOCK_LEN as u64;

/// How many bytes of changes may wait before more are refused.
const WAITING_LEN_MAX: usize = 4 << 20;

/// An attached volume whose operations have offsets and lengths in bytes.
///
/// Its answers are those of [`Engine`], with [`Reply::Refused`] for changes that had to wait.
#[derive(Debug)]
pub struct Device {
    /// For everything that is not an operation: commands, completions, timeouts, figures.
    pub engine: Engine,
    waiting: VecDeque<Change>,
    waiting_len: usize,
    refused: bool,
    owners: BTreeMap<u64, Owner>,
    next: u64,
    /// By operation, how many of its parts are not answered.
    parts: BTreeMap<u64, Progress>,
    replies: VecDeque<Reply>,
}

/// Whose an operation of the engine is.
#[derive(Debug)]
enum Owner {
    /// A flush, or a change that is one operation of the engine.
    Single(u64),
    /// The operation, and what it wants of the blocks read.
    Read {
        id: u64,
        skip: usize,
        len: usize,
    },
    /// The block that the first change that waits needs.
    Edge(u64),
    Part(u64),
}

#[derive(Debug, Default)]
struct Progress {
    missing: u32,
    /// All parts have been given to the engine.
    complete: bool,
    failed: Option<Reply>,
}

/// A write, or zeroes if there is no data.
#[derive(Debug)]
struct Change {
    id: u64,
    offset: u64,
    len: u64,
    data: Option<Vec<u8>>,
    /// A write that is stored already.
    bulk: Option<BulkDraft>,
    fua: bool,
    /// Blocks at its ends that are needed: `None` until read.
    edges: BTreeMap<u64, Option<Vec<u8>>>,
    asked: bool,
}

impl Device {
    /// A volume that is attached.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            waiting: VecDeque::new(),
            waiting_len: 0,
            refused: false,
            owners: BTreeMap::new(),
            next: 0,
            parts: BTreeMap::new(),
            replies: VecDeque::new(),
        }
    }

    /// Writes, at most 64 KiB at a time; durable before it is answered with `fua`.
    pub fn write(&mut self, id: u64, offset: u64, data: &[u8], fua: bool) -> Result<(), Refused> {
        if data.len() > usize_of(WRITE_BLOCKS_MAX) * BLOCK_LEN {
            return Err(Refused::Range);
        }
        let len = data.len() as u64;
        if self.waiting.is_empty() && (offset | len).is_multiple_of(BLOCK) {
            let inner = self.begin(Owner::Single(id));
            let begun = self.engine.write(inner, offset / BLOCK, data, fua);
            return self.begun(inner, begun);
        }
        self.change(id, offset, (len, Some(data.to_vec())), fua)
    }

    /// Whether a write of whole blocks would go to the journal at once.
    pub fn takes_now(&self, offset: u64, len: u64) -> bool {
        let is_whole = (offset | len).is_multiple_of(BLOCK);
        is_whole && self.waiting.is_empty() && self.engine.has_room(len / BLOCK)
    }

    /// Makes a range zero.
    pub fn zero(&mut self, id: u64, offset: u64, len: u64, fua: bool) -> Result<(), Refused> {
        self.change(id, offset, (len, None), fua)
    }

    /// Answered once everything that was answered before is durable.
    pub fn flush(&mut self, id: u64) -> Result<(), Refused> {
        let inner = self.begin(Owner::Single(id));
        let begun = self.engine.flush(inner);
        self.begun(inner, begun)
    }

    /// Reads.
    pub fn read(&mut self, id: u64, offset: u64, len: u32) -> Result<(), Refused> {
        let end = self.end_of(offset, u64::from(len))?;
        let first = offset / BLOCK;
        let blocks = end.div_ceil(BLOCK).saturating_sub(first);
        let blocks = u32::try_from(blocks).map_err(|_| Refused::Range)?;
        let skip = usize_of(offset % BLOCK);
        let len = usize_of(u64::from(len));
        let inner = self.begin(Owner::Read { id, skip, len });
        let begun = self.engine.read(inner, first, blocks);
        self.begun(inner, begun)
    }

    /// The next answer.
    pub fn poll_reply(&mut self) -> Option<Reply> {
        while let Some(reply) = self.engine.poll_reply() {
            self.answered(reply);
        }
        self.replies.pop_front()
    }

    fn end_of(&self, offset: u64, len: u64) -> Result<u64, Refused> {
        let size = self.engine.size_blocks().saturating_mul(BLOCK);
        let end = offset.checked_add(len).filter(|end| *end <= size);
        end.ok_or(Refused::Range)
    }

    fn begin(&mut self, owner: Owner) -> u64 {
        self.next += 1;
        self.owners.insert(self.next, owner);
        self.next
    }

    fn begun<T>(&mut self, inner: u64, begun: Result<T, Refused>) -> Result<T, Refused> {
        if begun.is_err() {
            self.owners.remove(&inner);
        }
        begun
    }

    fn change(
        &mut self,
        id: u64,
        offset: u64,
        (len, data): (u64, Option<Vec<u8>>),
        fua: bool,
    ) -> Result<(), Refused> {
        let end = self.end_of(offset, len)?;
        let size = data.as_ref().map_or(0, Vec::len);
        if self.waiting_len + size > WAITING_LEN_MAX {
            self.refused = true;
            return Err(Refused::Full);
        }
        let ends = [offset, end]
            .into_iter()
            .filter(|at| len > 0 && at % BLOCK != 0);
        let change = Change {
            id,
            offset,
            len,
            data,
            bulk: None,
            fua,
            edges: ends.map(|at| (at / BLOCK, None)).collect(),
            asked: false,
        };
        self.waiting_len += size;
        self.waiting.push_back(change);
        // Alone and refused at once: nothing has happened, and whoever asked may do so again.
        if self.waiting.len() == 1
            && let Err(refused) = self.advance_first()
            && self
                .parts
                .get(&id)
                .is_none_or(|progress| progress.missing == 0)
        {
            self.waiting.pop_front();
            self.waiting_len -= size;
            self.parts.remove(&id);
            return Err(refused);
        }
        Ok(())
    }

    /// Gives on what can go on, in order.
    fn advance(&mut self) {
        while !self.waiting.is_empty() {
            match self.advance_first() {
                Ok(true) => {}
                Ok(false) | Err(Refused::Full) => return,
                Err(refused) => self.give_up_first(refused),
            }
        }
        if std::mem::take(&mut self.refused) {
            self.replies.push_back(Reply::Room);
        }
    }

    /// Whether the first change has gone on whole; it is off the queue then.
    fn advance_first(&mut self) -> Result<bool, Refused> {
        let Some(mut change) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let result = self.drive(&mut change);
        match result {
            Ok(true) => {}
            _ => self.waiting.push_front(change),
        }
        result
    }

    fn drive(&mut self, change: &mut Change) -> Result<bool, Refused> {
        if !change.asked {
            for block in change.edges.keys() {
                let inner = self.begin(Owner::Edge(*block));
                let begun = self.engine.read(inner, *block, 1);
                self.begun(inner, begun)?;
            }
            change.asked = true;
        }
        if change.edges.values().any(Option::is_none) {
            return Ok(false);
        }
        let whole = change.data.as_ref().map_or(0, Vec::len);
        self.parts.entry(change.id).or_default();
        if let Some(draft) = change.bulk.take() {
            let inner = self.begin(Owner::Part(change.id));
            let begun = self.engine.write_bulk(draft, &[(inner, change.fua)]);
            self.begun(inner, begun)?;
            self.part_given(change.id);
            return Ok(self.all_given(change.id));
        }
        loop {
            let took = self.give_part(change)?;
            change.offset += took;
            change.len -= took;
            if change.len == 0 {
                break;
            }
        }
        self.waiting_len -= whole;
        Ok(self.all_given(change.id))
    }

    /// Gives the engine as much of a change as one operation takes, and says how much that is.
    fn give_part(&mut self, change: &Change) -> Result<u64, Refused> {
        let (block, skip) = (change.offset / BLOCK, change.offset % BLOCK);
        let inner = self.begin(Owner::Part(change.id));
        let (took, begun) = match (&change.data, change.edges.get(&block)) {
            (_, Some(Some(edge))) => {
                let took = (BLOCK - skip).min(change.len);
                let mut bytes = edge.clone();
                let target = bytes.get_mut(usize_of(skip)..usize_of(skip + took));
                if let Some(target) = target {
                    match change.rest() {
                        Some(rest) => target
                            .iter_mut()
                            .zip(rest)
                            .for_each(|(to, from)| *to = *from),
                        None => target.fill(0),
                    }
                }
                (took, self.engine.write(inner, block, &bytes, change.fua))
            }
            (Some(_), _) => {
                let took = change.len - change.len % BLOCK;
                let rest = change.rest().unwrap_or_default();
                let bytes = rest.get(..usize_of(took)).unwrap_or_default();
                (took, self.engine.write(inner, block, bytes, change.fua))
            }
            (None, _) => {
                let blocks = (change.len / BLOCK).min(u64::from(u32::MAX));
                let count = u32::try_from(blocks).unwrap_or(u32::MAX);
                (
                    blocks * BLOCK,
                    self.engine.zero(inner, block, count, change.fua),
                )
            }
        };
        self.begun(inner, begun)?;
        self.part_given(change.id);
        Ok(took)
    }

    fn give_up_first(&mut self, refused: Refused) {
        if let Some(change) = self.waiting.pop_front() {
            self.waiting_len -= change.data.as_ref().map_or(0, Vec::len);
            self.fail_part(change.id, Reply::Refused(change.id, refused));
            self.all_given(change.id);
        }
    }

    fn fail_part(&mut self, id: u64, reply: Reply) {
        self.parts.entry(id).or_default().failed = Some(reply);
    }

    fn finish(&mut self, id: u64) {
        let ended = |progress: &Progress| progress.complete && progress.missing == 0;
        if self.parts.get(&id).is_some_and(ended) {
            let failed = self.parts.remove(&id).and_then(|progress| progress.failed);
            self.replies.push_back(failed.unwrap_or(Reply::Done(id)));
        }
    }

    fn answered(&mut self, reply: Reply) {
        let inner = match &reply {
            Reply::Done(inner) | Reply::Read(inner, _) | Reply::Failed(inner, _) => *inner,
            Reply::Room => {
                self.refused = true;
                return self.advance();
            }
            _ => return self.replies.push_back(reply),
        };
        match (self.owners.remove(&inner), reply) {
            (Some(Owner::Single(id)), Reply::Failed(_, stage)) => {
                self.replies.push_back(Reply::Failed(id, stage));
            }
            (Some(Owner::Single(id)), _) => self.replies.push_back(Reply::Done(id)),
            (Some(Owner::Read { id, skip, len }), Reply::Read(_, mut data)) => {
                data.drain(..skip.min(data.len()));
                data.truncate(len);
                self.replies.push_back(Reply::Read(id, data));
            }
            (Some(Owner::Read { id, .. }), Reply::Failed(_, stage)) => {
                self.replies.push_back(Reply::Failed(id, stage));
            }
            (Some(Owner::Edge(block)), reply) => self.edge_read(block, reply),
            (Some(Owner::Part(id)), reply) => {
                if let Reply::Failed(_, stage) = reply {
                    self.fail_part(id, Reply::Failed(id, stage));
                }
                if let Some(progress) = self.parts.get_mut(&id) {
                    progress.missing = progress.missing.saturating_sub(1);
                }
                self.finish(id);
            }
            _ => {}
        }
    }

    fn edge_read(&mut self, block: u64, reply: Reply) {
        let Some(change) = self.waiting.front_mut() else {
            return;
        };
        match reply {
            Reply::Read(_, data) => {
                change.edges.insert(block, Some(data));
            }
            Reply::Failed(_, stage) if change.edges.contains_key(&block) => {
                let (id, size) = (change.id, change.data.as_ref().map_or(0, Vec::len));
                self.waiting.pop_front();
                self.waiting_len -= size;
                self.replies.push_back(Reply::Failed(id, stage));
            }
            _ => {}
        }
        self.advance();
    }
}

impl Change {
    /// The data that is still to be given on.
    fn rest(&self) -> Option<&[u8]> {
        let data = self.data.as_ref()?;
        let given = data.len().saturating_sub(usize_of(self.len));
        data.get(given..)
    }
}

#[cfg(test)]
#[path = "device_test.rs"]
mod tests;
