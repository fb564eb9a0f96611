//! Writes that are stored as objects already; behind changes that wait, they wait too.

use std::collections::BTreeMap;

use super::{Change, Device, Owner};
use crate::BulkDraft;
use crate::command::Refused;

impl Device {
    /// Hands in a write that is stored as an object of its own, see [`Engine::write_bulk`]: one stretch.
    pub fn write_bulk(&mut self, id: u64, draft: BulkDraft, fua: bool) -> Result<(), Refused> {
        if self.waiting.is_empty() {
            let inner = self.begin(Owner::Single(id));
            let begun = self.engine.write_bulk(draft, &[(inner, fua)]);
            return self.begun(inner, begun);
        }
        self.waiting.push_back(Change {
            id,
            offset: 0,
            len: 0,
            data: None,
            bulk: Some(draft),
            fua,
            edges: BTreeMap::new(),
            asked: true,
        });
        Ok(())
    }

    /// All parts of a change are given to the engine.
    pub(super) fn all_given(&mut self, id: u64) -> bool {
        if let Some(progress) = self.parts.get_mut(&id) {
            progress.complete = true;
        }
        self.finish(id);
        true
    }

    /// One more part of a change is.
    pub(super) fn part_given(&mut self, id: u64) {
        if let Some(progress) = self.parts.get_mut(&id) {
            progress.missing += 1;
        }
    }
}
