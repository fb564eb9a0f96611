//! What an operator does with a volume: answered like a client's operations.

use base::Timestamp;

use super::{Device, Owner};
use crate::SnapshotId;
use crate::command::Refused;

impl Device {
    /// Takes a snapshot, see [`crate::Engine::snapshot`].
    pub fn snapshot(&mut self, id: u64, name: &str, now: Timestamp) -> Result<SnapshotId, Refused> {
        let inner = self.begin(Owner::Single(id));
        let taken = self.engine.snapshot(inner, name, now);
        self.begun(inner, taken)
    }

    /// Deletes a snapshot, see [`crate::Engine::delete_snapshot`].
    pub fn delete_snapshot(&mut self, id: u64, snapshot: SnapshotId) -> Result<(), Refused> {
        let inner = self.begin(Owner::Single(id));
        let begun = self.engine.delete_snapshot(inner, snapshot);
        self.begun(inner, begun)
    }

    /// Gives the volume another length, see [`crate::Engine::resize`].
    pub fn resize(&mut self, id: u64, size_blocks: u64, force: bool) -> Result<(), Refused> {
        let inner = self.begin(Owner::Single(id));
        let begun = self.engine.resize(inner, size_blocks, force);
        self.begun(inner, begun)
    }
}
