//! How an attached volume stands: what there is to tell of it, and how it comes to rest.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use base::Timestamp;
use volume::{Figures, ObjectName};

use super::attached::Attached;
use super::meters::Meters;
use super::stages::Stages;

impl Attached {
    /// Which of some bytes may hold something; lengths in bytes.
    pub(super) fn status(&self, offset: u64, len: u64) -> Vec<(u64, bool)> {
        let block = volume::BLOCK_LEN as u64;
        let end = offset + len;
        let first = offset / block;
        let blocks = end.div_ceil(block) - first;
        let stretches = self.lock().device.engine.status(first, blocks);
        let mut at = first * block;
        let cut = stretches.into_iter().map(|(blocks, data)| {
            let from = at.max(offset);
            at += blocks * block;
            (at.min(end).saturating_sub(from), data)
        });
        cut.collect()
    }

    /// Where the volume stands.
    pub fn figures(&self) -> Figures {
        self.lock().device.engine.figures()
    }

    /// The stages' figures.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// What clients have asked of it.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Why the volume has stopped, if it has.
    pub fn stopped(&self) -> Option<volume::Stage> {
        self.lock().stopped
    }

    /// Objects that were found damaged since it was attached.
    pub fn damaged(&self) -> Vec<ObjectName> {
        self.lock().damaged.clone()
    }

    /// The attachment's epoch.
    pub fn epoch(&self) -> u32 {
        self.lock().device.engine.epoch()
    }

    /// Packs what the journal holds and waits until nothing is under way any more, so that the next
    /// attachment is quick; says whether that was so by `deadline`.
    pub(super) fn settle(self: &Arc<Self>, deadline: Timestamp) -> bool {
        self.lock().settling += 1;
        let settled = self.await_packed(deadline);
        self.lock().settling -= 1;
        settled
    }

    fn await_packed(self: &Arc<Self>, deadline: Timestamp) -> bool {
        loop {
            let mut core = self.lock();
            core.device.engine.settle();
            self.pump(core, None);
            self.press();
            let core = self.lock();
            let done = core.handed_out == 0 && core.parts.is_empty();
            let packed = core.device.engine.figures().overlay_extents == 0;
            if done && (packed || core.stopped.is_some()) {
                return true;
            }
            if self.now() >= deadline {
                return false;
            }
            // Whoever completes something gives no signal for that: it is looked for.
            let waited = self.room.wait_timeout(core, Duration::from_millis(5));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }
}
