//! The world at rest: I/O that ends while nothing is begun, and I/O done at once while a volume is attached.

use super::planted::Planted;
use super::world::World;
use crate::Engine;
use crate::command::{Command, IoError, Reply};
use crate::name::ObjectName;
use crate::open::Backing;

impl World {
    /// One piece of I/O ends, and nothing new is begun.
    pub(super) fn idle(&mut self, engine: &mut Engine) {
        self.now = self.now + std::time::Duration::from_millis(1);
        engine.handle_timeout(self.now);
        self.take_commands(engine);
        if !self.pending.is_empty() {
            let index = self.rng.below(self.pending.len() as u64);
            self.complete(engine, index as usize);
        }
        while engine.poll_reply().is_some() {}
    }

    /// All I/O ends, with nothing going wrong; gives the answers.
    pub(crate) fn idle_until_done(&mut self, engine: &mut Engine) -> Vec<Reply> {
        let mut replies = Vec::new();
        loop {
            self.take_commands(engine);
            replies.extend(std::iter::from_fn(|| engine.poll_reply()));
            if self.pending.is_empty() {
                return replies;
            }
            match self.pending.remove(0) {
                Command::Put { token, name, bytes } => {
                    self.store.put(name, &bytes);
                    engine.handle_completion(self.now, token, Ok(Vec::new()));
                }
                other => {
                    self.pending.push(other);
                    self.complete(engine, self.pending.len() - 1);
                }
            }
        }
    }
}

impl Backing for World {
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        let mut objects = self.store.list();
        objects.retain(|(name, _)| name.volume == self.config.volume);
        Ok(objects)
    }

    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.burn()?;
        match self.originals.get(&name) {
            Some(bytes) if self.planted == Planted::TornBulk => Ok(bytes.clone()),
            _ => self.store.get(name, offset, len),
        }
    }

    fn put(&mut self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
        if self.burn().is_err() {
            self.store.put_unanswered(name, bytes, &mut self.rng);
            return Err(IoError::Failed);
        }
        self.store.put(name, bytes);
        Ok(())
    }

    fn settle(&mut self, name: ObjectName) -> Result<(), IoError> {
        self.burn()?;
        self.store.sync(name);
        Ok(())
    }

    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError> {
        self.burn()?;
        let mut bytes = self.disk.read(at, len);
        if self.planted == Planted::TornRecord {
            super::mend_records(&mut bytes);
        }
        Ok(bytes)
    }

    fn journal_write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        if self.burn().is_err() {
            self.disk.write_torn(at, bytes, &mut self.rng);
            return Err(IoError::Failed);
        }
        self.disk.write(at, bytes);
        Ok(())
    }

    fn journal_sync(&mut self) -> Result<(), IoError> {
        self.burn()?;
        let begun = self.disk.begin_sync();
        self.disk.end_sync(begun);
        Ok(())
    }
}
