//! What etcd's JSON gateway is sent and answers (etcd API v3, `rpc.proto` and `kv.proto`).
//!
//! Bytes are base64, 64-bit numbers are strings, and what is zero is left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Change, Detail, Entry, LeaseId, Revision, Snapshot, StoreError, Write};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Header {
    #[serde(default, deserialize_with = "number")]
    pub(super) revision: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct RangeReply {
    header: Header,
    #[serde(default)]
    kvs: Vec<KeyValue>,
}

#[derive(Debug, Deserialize)]
struct KeyValue {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(deserialize_with = "number")]
    mod_revision: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct TxnReply {
    pub(super) header: Header,
    #[serde(default)]
    pub(super) succeeded: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct LeaseReply {
    #[serde(rename = "ID", default, deserialize_with = "number")]
    pub(super) id: u64,
    #[serde(rename = "TTL", default, deserialize_with = "number")]
    pub(super) ttl_s: u64,
}

/// One message of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Streamed<T> {
    pub(super) result: Option<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WatchReply {
    /// What it is compacted to, if the revision asked for is no longer known.
    #[serde(default)]
    pub(super) canceled: bool,
    #[serde(default)]
    pub(super) events: Vec<Value>,
}

/// An error in the gateway's words.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) code: u32,
}

impl Fault {
    /// gRPC's codes: what may pass, and what is a refusal.
    pub(super) fn into_error(self) -> StoreError {
        const CANCELLED: u32 = 1;
        const UNKNOWN: u32 = 2;
        const DEADLINE_EXCEEDED: u32 = 4;
        const RESOURCE_EXHAUSTED: u32 = 8;
        const UNAVAILABLE: u32 = 14;
        match self.code {
            CANCELLED | UNKNOWN | DEADLINE_EXCEEDED | RESOURCE_EXHAUSTED | UNAVAILABLE => {
                StoreError::Unavailable(self.error)
            }
            _ => StoreError::Refused(self.error),
        }
    }
}

pub(super) fn range(prefix: &str, detail: Detail) -> Value {
    json!({
        "key": base64(prefix.as_bytes()),
        "range_end": base64(&end_of(prefix)),
        "keys_only": detail == Detail::Keys,
    })
}

pub(super) fn txn(change: &Change) -> Value {
    let compare = change.compares.iter().map(|(key, revision)| {
        json!({
            "key": base64(key.as_bytes()),
            "target": "MOD",
            "result": "EQUAL",
            "mod_revision": revision.0.to_string(),
        })
    });
    let success = change.writes.iter().map(|write| match write {
        Write::Put { key, value, lease } => json!({ "request_put": {
            "key": base64(key.as_bytes()),
            "value": base64(value),
            "lease": lease.map_or(0, |lease| lease.0).to_string(),
        }}),
        Write::Delete { key } => json!({ "request_delete_range": {
            "key": base64(key.as_bytes()),
        }}),
    });
    json!({
        "compare": compare.collect::<Vec<_>>(),
        "success": success.collect::<Vec<_>>(),
    })
}

pub(super) fn watch(prefix: &str, from: Revision) -> Value {
    json!({ "create_request": {
        "key": base64(prefix.as_bytes()),
        "range_end": base64(&end_of(prefix)),
        "start_revision": from.0.to_string(),
    }})
}

pub(super) fn lease(id: LeaseId) -> Value {
    json!({ "ID": id.0.to_string() })
}

pub(super) fn grant(ttl_s: u64) -> Value {
    json!({ "TTL": ttl_s.to_string(), "ID": "0" })
}

impl RangeReply {
    pub(super) fn into_snapshot(self) -> Result<Snapshot, StoreError> {
        let entries = self.kvs.into_iter().map(KeyValue::into_entry);
        let mut entries = entries.collect::<Result<Vec<Entry>, _>>()?;
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(Snapshot {
            revision: Revision(self.header.revision),
            entries,
        })
    }
}

impl KeyValue {
    fn into_entry(self) -> Result<Entry, StoreError> {
        let bytes = |text: &str| {
            let decoded = STANDARD.decode(text);
            decoded.map_err(|e| StoreError::Nonsense(format!("a key or value with {e}")))
        };
        let key = String::from_utf8(bytes(&self.key)?);
        Ok(Entry {
            key: key.map_err(|e| StoreError::Nonsense(format!("a key with {e}")))?,
            value: bytes(&self.value)?,
            revision: Revision(self.mod_revision),
        })
    }
}

/// The first key behind all that begin with `prefix`; a zero byte stands for the end of all.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end;
        }
    }
    vec![0]
}

fn base64(bytes: &[u8]) -> String {
    // Of an empty key etcd thinks that it was forgotten; a zero byte is before all others.
    STANDARD.encode(if bytes.is_empty() { &[0] } else { bytes })
}

fn number<'de, D: Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u64),
    }
    match Either::deserialize(value)? {
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
        Either::Number(number) => Ok(number),
    }
}

#[cfg(test)]
#[path = "wire_test.rs"]
mod tests;
