//! Syncs of the journal: begun when they are asked for or later, and ended later still.

use super::planted::Planted;
use super::world::World;
use crate::Engine;
use crate::command::Command;

impl World {
    /// Begins a sync that has not begun, or ends one that has.
    pub(super) fn go_on_with_sync(&mut self, engine: &mut Engine, token: u64) {
        let Some(begun) = self.syncs.remove(&token) else {
            engine.sync_begins(token);
            self.syncs.insert(token, self.disk.begin_sync());
            return self.pending.push(Command::JournalSync { token });
        };
        if self.planted == Planted::LateSync {
            engine.sync_begins(token);
        }
        self.disk.end_sync(begun);
        engine.handle_completion(self.now, token, Ok(Vec::new()));
    }
}
