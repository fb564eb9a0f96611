//! A client's way to a volume: which it may see, and its use of one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nbd_proto::{Directory, Export, Refusal};

use super::attached::Attached;
use super::error::VolumeError;
use super::service::{Entry, Shared};
use super::spec::{Identity, VolumeSpec};
use super::tls::NbdTls;

/// A connection and who it is.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
    pub(super) identity: Identity,
    /// What its listener speaks TLS with, if it does.
    pub(super) tls: Option<NbdTls>,
}

/// A client's use of a volume, for as long as it lives.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    number: u64,
    export: String,
    volume: Arc<Attached>,
}

impl Session {
    pub(super) fn volume(&self) -> &Arc<Attached> {
        &self.volume
    }

    /// Whether the server is going.
    pub(super) fn drains(&self) -> bool {
        self.shared.drains.load(Ordering::Acquire)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have been removed.
        let _ = self
            .shared
            .entry(&self.export, |entry| entry.sessions.remove(&self.number));
    }
}

impl Client {
    /// Takes a volume into use, which attaches it.
    pub(super) fn join(&self, export: &str) -> Result<Session, VolumeError> {
        let (number, identity) = (self.number, self.identity);
        self.shared.entry(export, |entry| {
            let holder = holder(entry, identity);
            if holder.is_none() {
                entry.sessions.insert(number, identity);
            }
            holder.map_or(Ok(()), |holder| {
                Err(VolumeError::Held {
                    name: export.to_owned(),
                    holder: holder.to_string(),
                })
            })
        })??;
        let attached = self.shared.attach(export);
        if attached.is_err() {
            // It was there a moment ago.
            let _ = self
                .shared
                .entry(export, |entry| entry.sessions.remove(&number));
        }
        Ok(Session {
            shared: Arc::clone(&self.shared),
            number,
            export: export.to_owned(),
            volume: attached?,
        })
    }

    pub(super) fn leave(&self) {
        self.shared.streams().open.remove(&self.number);
        self.shared.gone.notify_all();
    }

    fn export_of(&self, spec: &VolumeSpec) -> Export {
        Export {
            name: spec.export.clone(),
            description: String::new(),
            size_bytes: spec.size_bytes,
            read_only: false,
            multi_conn: true,
            block_len_min: 1,
        }
    }
}

/// Whoever else has a volume that only one may have.
fn holder(entry: &Entry, identity: Identity) -> Option<Identity> {
    let mut others = entry.sessions.values().filter(|other| **other != identity);
    others.next().filter(|_| !entry.spec.shared).copied()
}

impl Directory for Client {
    fn find(&self, name: &str) -> Result<Export, Refusal> {
        if self.shared.drains.load(Ordering::Acquire) {
            return Err(Refusal::Shutdown);
        }
        let entries = self.shared.entries();
        let mut visible = entries
            .values()
            .filter(|entry| self.identity.may_see(entry.spec.tenant));
        let found = match name {
            // The only one there is needs no name.
            "" => visible.next().filter(|_| visible.next().is_none()),
            _ => visible.find(|entry| entry.spec.export == name),
        };
        let entry = found.ok_or(Refusal::Unknown)?;
        match holder(entry, self.identity) {
            Some(holder) => Err(Refusal::Policy(format!("attached by {holder}"))),
            None => Ok(self.export_of(&entry.spec)),
        }
    }

    fn list(&self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Refusal> {
        for entry in self.shared.entries().values() {
            if self.identity.may_see(entry.spec.tenant) {
                each(&entry.spec.export, "");
            }
        }
        Ok(())
    }
}
