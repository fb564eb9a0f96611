//! Large writes in the crash model: stored without a sync, journalled later, or never.

use super::planted::Planted;
use super::world::{Op, World};
use crate::checker::{Content, stamped};
use crate::command::IoError;
use crate::name::ObjectName;
use crate::{BLOCK_LEN, BulkDraft, Engine};

/// A bulk on its way to the store.
pub(super) struct BulkUnderWay {
    pub(super) draft: BulkDraft,
    pub(super) bytes: Vec<u8>,
    writes: Vec<Write>,
}

struct Write {
    op: u64,
    block: u64,
    blocks: u64,
    fua: bool,
}

impl World {
    /// Up to three writes that share a bulk.
    pub(super) fn begin_bulk(&mut self, engine: &mut Engine) {
        let size = self.sizes.now;
        let writes: Vec<Write> = (0..1 + self.rng.below(3))
            .map(|_| {
                let hot = if self.rng.below(2) == 0 { 20 } else { size };
                let block = self.rng.below(hot.min(size));
                let blocks = (1 + self.rng.below(20)).min(size - block);
                let op = self.next_op;
                self.next_op += 1;
                let fua = self.rng.below(10) == 0;
                Write {
                    op,
                    block,
                    blocks,
                    fua,
                }
            })
            .collect();
        let blocks: u64 = writes.iter().map(|write| write.blocks).sum();
        let Ok(mut draft) = engine.begin_bulk(blocks as u32) else {
            return;
        };
        let mut bytes = Vec::new();
        for Write {
            op, block, blocks, ..
        } in &writes
        {
            let content = Content::Stamp(*op);
            self.checker.write_begins(*op, *block, *blocks, content);
            draft.begin(*block);
            for block in *block..block + blocks {
                let data = stamped(*op, block);
                assert_eq!(data.len(), BLOCK_LEN);
                bytes.extend(draft.push(&data));
                bytes.extend(data);
            }
        }
        bytes.extend(draft.end());
        self.bulks.push(BulkUnderWay {
            draft,
            bytes,
            writes,
        });
    }

    /// One of the bulks is in the store, or could not be put there.
    pub(super) fn end_bulk(&mut self, engine: &mut Engine) {
        if self.bulks.is_empty() {
            return;
        }
        let index = self.rng.below(self.bulks.len() as u64) as usize;
        let BulkUnderWay {
            draft,
            bytes,
            writes,
        } = self.bulks.swap_remove(index);
        let refused = if self.is_full || self.rng.below(20) == 0 {
            self.store
                .put_unanswered(draft.name(), &bytes, &mut self.rng);
            engine.abandon_bulk(&draft);
            true
        } else {
            self.store.put_unsynced(draft.name(), &bytes);
            if self.planted == Planted::TornBulk {
                self.originals.insert(draft.name(), bytes);
            }
            let ops: Vec<_> = writes.iter().map(|write| (write.op, write.fua)).collect();
            engine.write_bulk(draft, &ops).is_err()
        };
        for Write {
            op,
            block,
            blocks,
            fua,
        } in writes
        {
            if refused {
                self.checker.write_refused(op);
                continue;
            }
            let (from, content) = (block as usize, Content::Stamp(op));
            self.model[from..from + blocks as usize].fill(content);
            self.past.happened(from, blocks as usize, content);
            self.ops.insert(op, Op::Write { fua });
            self.bulks_written += 1;
        }
    }

    pub(super) fn sync_bulks(&mut self, names: Vec<ObjectName>) {
        let real = self.planted != Planted::UnsyncedBulk;
        let names = names.into_iter().filter(|_| real);
        names.for_each(|name| self.store.sync(name));
    }

    /// Stores an object, or does not.
    pub(super) fn put_maybe(&mut self, name: ObjectName, bytes: &[u8]) -> Result<Vec<u8>, IoError> {
        if self.is_full {
            return Err(IoError::NoSpace);
        }
        match self.rng.below(20) {
            0 => Err(IoError::NoSpace),
            1 => {
                self.store.put_unanswered(name, bytes, &mut self.rng);
                Err(IoError::Failed)
            }
            _ => {
                self.store.put(name, bytes);
                Ok(Vec::new())
            }
        }
    }
}
