//! The store in etcd, through its JSON gateway.
//!
//! Reads are linearizable: a majority of etcd's members stands behind each answer, so that it is
//! not older than the question. All keys have a prefix of the fleet's, which callers never see.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::transport::{EtcdConfig, Transport};
use super::wire::{self, LeaseReply, RangeReply, Streamed, TxnReply, WatchReply};
use super::{Change, Commit, Detail, LeaseId, Revision, Snapshot, Store, StoreError, Write};

/// A fleet's part of an etcd cluster.
#[derive(Debug)]
pub struct EtcdStore {
    transport: Transport,
    prefix: String,
}

/// The store of the fleet `fleet` in etcd; nothing is asked yet, and etcd need not be there.
pub fn connect(config: &EtcdConfig, fleet: &str) -> Result<Arc<EtcdStore>, StoreError> {
    Ok(Arc::new(EtcdStore {
        transport: Transport::start(config)?,
        prefix: format!("/cofferdam/{fleet}/"),
    }))
}

impl EtcdStore {
    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn placed(&self, change: &Change) -> Change {
        let compares = change.compares.iter();
        let writes = change.writes.iter().map(|write| match write {
            Write::Put { key, value, lease } => Write::Put {
                key: self.full(key),
                value: value.clone(),
                lease: *lease,
            },
            Write::Delete { key } => Write::Delete {
                key: self.full(key),
            },
        });
        Change {
            compares: compares
                .map(|(key, revision)| (self.full(key), *revision))
                .collect(),
            writes: writes.collect(),
        }
    }
}

impl Store for EtcdStore {
    fn range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StoreError> {
        let body = wire::range(&self.full(prefix), detail);
        let reply: RangeReply = parse(&self.transport.ask("v3/kv/range", body)?)?;
        let mut snapshot = reply.into_snapshot()?;
        for entry in &mut snapshot.entries {
            let own = entry.key.strip_prefix(&self.prefix);
            entry.key = own.unwrap_or_default().to_owned();
        }
        Ok(snapshot)
    }

    fn commit(&self, change: &Change) -> Result<Commit, StoreError> {
        let body = wire::txn(&self.placed(change));
        let reply: TxnReply = parse(&self.transport.ask("v3/kv/txn", body)?)?;
        Ok(match reply.succeeded {
            true => Commit::Made(Revision(reply.header.revision)),
            false => Commit::Lost,
        })
    }

    fn wait(&self, prefix: &str, after: Revision, patience: Duration) -> Result<bool, StoreError> {
        let body = wire::watch(&self.full(prefix), Revision(after.0 + 1));
        let stop = |line: &[u8]| match serde_json::from_slice::<Streamed<WatchReply>>(line) {
            // Compacted: what happened since is not known any more, so something may have.
            Ok(Streamed { result: Some(said) }) => said.canceled || !said.events.is_empty(),
            Ok(Streamed { result: None }) | Err(_) => true,
        };
        let heard = self.transport.listen("v3/watch", body, stop, patience)?;
        Ok(heard.is_some())
    }

    fn grant(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        let ttl_s = ttl.as_millis().div_ceil(1000).max(1) as u64;
        let answer = self.transport.ask("v3/lease/grant", wire::grant(ttl_s))?;
        let reply: LeaseReply = parse(&answer)?;
        Ok(LeaseId(reply.id))
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<bool, StoreError> {
        let answer = self
            .transport
            .ask("v3/lease/keepalive", wire::lease(lease))?;
        let reply: Streamed<LeaseReply> = parse(&answer)?;
        Ok(reply.result.is_some_and(|lease| lease.ttl_s > 0))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        match self.transport.ask("v3/lease/revoke", wire::lease(lease)) {
            Err(StoreError::Refused(why)) if why.contains("lease not found") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(answer).map_err(|e| StoreError::Nonsense(e.to_string()))
}

#[cfg(test)]
#[path = "etcd_test.rs"]
mod tests;
