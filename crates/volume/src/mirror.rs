//! Two copies of a volume: each command goes to both, and is answered when both have done it.
//!
//! Either copy alone has everything that was flushed, since a sync or a put that failed on one of them has
//! failed. What is read comes from the first copy, and from the second if the first cannot give it.
//! Whoever loses a copy attaches the other one alone, and makes a new second one of it while nobody is
//! attached; a copy that was left out is not to be used again.

use std::collections::BTreeMap;

use crate::command::{Command, IoError};
use crate::name::ObjectName;
use crate::open::Backing;

/// One of the two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Twin {
    /// The one that is read.
    First,
    /// The other one, on another disk.
    Second,
}

/// Commands on their way to two copies, between an [`crate::Engine`] and whoever does its I/O.
///
/// [`Command::Seal`] is not I/O and does not come here.
#[derive(Debug, Default)]
pub struct Mirror {
    under_way: BTreeMap<u64, UnderWay>,
}

#[derive(Debug)]
enum UnderWay {
    /// What one of them answered, once one has.
    Change(Option<Result<Vec<u8>, IoError>>),
    Read(Command),
}

/// What is to be done after an answer of one copy.
#[derive(Debug)]
pub enum Mirrored {
    /// Nothing: the other one has not answered.
    Waits,
    /// Ask this of the second copy.
    Ask(Command),
    /// Answer the engine with this.
    Ended(u64, Result<Vec<u8>, IoError>),
}

impl Mirror {
    /// Nothing under way.
    pub fn new() -> Self {
        Self::default()
    }

    /// The copies to which a command goes. A read goes to the first alone.
    pub fn begin(&mut self, command: &Command) -> &'static [Twin] {
        match command {
            Command::JournalRead { token, .. } | Command::Get { token, .. } => {
                let read = UnderWay::Read(command.clone());
                self.under_way.insert(*token, read);
                &[Twin::First]
            }
            Command::JournalWrite { token, .. }
            | Command::JournalHeader { token, .. }
            | Command::JournalSync { token }
            | Command::BulkSync { token, .. }
            | Command::Put { token, .. }
            | Command::Delete { token, .. } => {
                self.under_way.insert(*token, UnderWay::Change(None));
                &[Twin::First, Twin::Second]
            }
            Command::Seal { .. } => &[],
        }
    }

    /// A copy has answered.
    pub fn ended(&mut self, copy: Twin, token: u64, result: Result<Vec<u8>, IoError>) -> Mirrored {
        match self.under_way.remove(&token) {
            Some(UnderWay::Read(command)) if copy == Twin::First && result.is_err() => {
                let read = UnderWay::Read(command.clone());
                self.under_way.insert(token, read);
                Mirrored::Ask(command)
            }
            Some(UnderWay::Change(None)) => {
                let change = UnderWay::Change(Some(result));
                self.under_way.insert(token, change);
                Mirrored::Waits
            }
            Some(UnderWay::Change(Some(other))) => Mirrored::Ended(token, other.and(result)),
            Some(UnderWay::Read(_)) | None => Mirrored::Ended(token, result),
        }
    }
}

/// Two copies to attach, both of which have to be as they were left: what changes is changed in both.
pub struct MirrorBacking<'a> {
    first: &'a mut dyn Backing,
    second: &'a mut dyn Backing,
}

impl<'a> MirrorBacking<'a> {
    /// Of the two, the first is read.
    pub fn new(first: &'a mut dyn Backing, second: &'a mut dyn Backing) -> Self {
        Self { first, second }
    }
}

impl Backing for MirrorBacking<'_> {
    fn list(&mut self) -> Result<Vec<(ObjectName, u64)>, IoError> {
        self.first.list()
    }

    fn get(&mut self, name: ObjectName, offset: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let first = self.first.get(name, offset, len);
        first.or_else(|_| self.second.get(name, offset, len))
    }

    fn put(&mut self, name: ObjectName, bytes: &[u8]) -> Result<(), IoError> {
        self.first.put(name, bytes)?;
        self.second.put(name, bytes)
    }

    fn settle(&mut self, name: ObjectName) -> Result<(), IoError> {
        let bytes = self.get(name, 0, u64::MAX)?;
        self.put(name, &bytes)
    }

    fn journal_read(&mut self, at: u64, len: u64) -> Result<Vec<u8>, IoError> {
        let first = self.first.journal_read(at, len);
        first.or_else(|_| self.second.journal_read(at, len))
    }

    fn journal_write(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.first.journal_write(at, bytes)?;
        self.second.journal_write(at, bytes)
    }

    fn journal_sync(&mut self) -> Result<(), IoError> {
        self.first.journal_sync()?;
        self.second.journal_sync()
    }
}

#[cfg(test)]
#[path = "mirror_test.rs"]
mod tests;
