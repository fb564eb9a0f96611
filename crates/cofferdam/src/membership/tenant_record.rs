//! A tenant as it lies in the store of a fleet: one key each, credentials with it.

use base::{CredentialId, Rights, TenantId, TrafficLimits};
use runtime::secrets::hex;
use runtime::state::{CredentialRecord, NewCredential, TenantRecord};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Revoked credentials whose names are remembered, so that they name nobody else in logs.
const REVOKED_MAX: usize = 64;

/// One tenant. Fields that a later release adds are kept by nobody who does not know them: write
/// only what is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTenant {
    pub(crate) name: String,
    pub(crate) quota_bytes: u64,
    pub(crate) item_size_max: u32,
    #[serde(default)]
    pub(crate) traffic: StoredTraffic,
    #[serde(default)]
    pub(crate) created_unix_s: i64,
    /// The gateways that serve it, in the order in which its clients are told them; none: all.
    #[serde(default)]
    pub(crate) gateways: Vec<u32>,
    /// While it moves: those of them on which it will be alone.
    #[serde(default)]
    pub(crate) moving_to: Vec<u32>,
    /// How often it was emptied by its operators.
    #[serde(default)]
    pub(crate) flushes: u64,
    #[serde(default)]
    pub(crate) credentials: Vec<StoredCredential>,
    /// User names that are revoked.
    #[serde(default)]
    pub(crate) revoked: Vec<String>,
}

/// One credential; the password itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredCredential {
    pub(crate) id: u32,
    pub(crate) username: String,
    salt: String,
    password_sha256: String,
    rights: String,
    pub(crate) primary: bool,
    created_unix_s: i64,
}

/// What it may take beside memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTraffic {
    ops_per_second: Option<u64>,
    bytes_in_per_second: Option<u64>,
    bytes_out_per_second: Option<u64>,
    burst_ms: Option<u64>,
    weight: Option<u32>,
    connections: Option<u32>,
    connects_per_second: Option<u32>,
    inflight_bytes: Option<u64>,
    max_delay_ms: Option<u64>,
    hot_keys_ms: Option<u64>,
}

impl StoredTenant {
    /// As control knows it.
    pub(crate) fn record(&self, id: TenantId) -> TenantRecord {
        TenantRecord {
            id,
            name: self.name.clone(),
            quota_bytes: self.quota_bytes,
            item_size_max: self.item_size_max,
            traffic: self.traffic.limits(),
            created_unix_s: self.created_unix_s,
        }
    }

    /// Its credentials; one that makes no sense opens nothing.
    pub(crate) fn credentials(&self, tenant: TenantId) -> Vec<CredentialRecord> {
        let all = self.credentials.iter();
        all.filter_map(|credential| credential.record(tenant))
            .collect()
    }

    /// One more; a primary one takes that place from the one that had it.
    pub(crate) fn add(&mut self, credential: StoredCredential) {
        if credential.primary {
            self.credentials.iter_mut().for_each(|c| c.primary = false);
        }
        self.credentials.push(credential);
    }

    /// Ends one.
    pub(crate) fn revoke(&mut self, id: CredentialId) {
        let ended = self.credentials.iter().find(|c| c.id == id.0);
        self.revoked.extend(ended.map(|c| c.username.clone()));
        self.credentials.retain(|c| c.id != id.0);
        let over = self.revoked.len().saturating_sub(REVOKED_MAX);
        self.revoked.drain(..over);
    }
}

impl StoredCredential {
    pub(crate) fn new(id: u32, new: &NewCredential, created_unix_s: i64) -> Self {
        Self {
            id,
            username: new.username.clone(),
            salt: hex(&new.salt),
            password_sha256: hex(&new.password_sha256),
            rights: new.rights.to_string(),
            primary: new.primary,
            created_unix_s,
        }
    }

    pub(crate) fn record(&self, tenant: TenantId) -> Option<CredentialRecord> {
        Some(CredentialRecord {
            id: CredentialId(self.id),
            tenant,
            username: self.username.clone(),
            salt: bytes(&self.salt)?,
            password_sha256: bytes(&self.password_sha256)?,
            rights: self.rights.parse::<Rights>().ok()?,
            primary: self.primary,
            created_unix_s: self.created_unix_s,
        })
    }
}

impl StoredTraffic {
    pub(crate) fn of(limits: &TrafficLimits) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).ok();
        Self {
            ops_per_second: limits.ops_per_second,
            bytes_in_per_second: limits.bytes_in_per_second,
            bytes_out_per_second: limits.bytes_out_per_second,
            burst_ms: millis(limits.burst),
            weight: Some(limits.weight),
            connections: limits.connections,
            connects_per_second: limits.connects_per_second,
            inflight_bytes: limits.inflight_bytes,
            max_delay_ms: millis(limits.max_delay),
            hot_keys_ms: limits.hot_keys.and_then(millis),
        }
    }

    pub(crate) fn limits(&self) -> TrafficLimits {
        let unsaid = TrafficLimits::default();
        TrafficLimits {
            ops_per_second: self.ops_per_second,
            bytes_in_per_second: self.bytes_in_per_second,
            bytes_out_per_second: self.bytes_out_per_second,
            burst: self.burst_ms.map_or(unsaid.burst, Duration::from_millis),
            weight: self.weight.unwrap_or(unsaid.weight),
            connections: self.connections,
            connects_per_second: self.connects_per_second,
            inflight_bytes: self.inflight_bytes,
            max_delay: self
                .max_delay_ms
                .map_or(unsaid.max_delay, Duration::from_millis),
            hot_keys: self.hot_keys_ms.map(Duration::from_millis),
        }
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits?;
    let bytes: Vec<u8> = pairs
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair.get(1).copied().unwrap_or(0)) as u8)
        .collect();
    (pairs.len() == 2 * N)
        .then(|| bytes.try_into().ok())
        .flatten()
}

#[cfg(test)]
#[path = "tenant_record_test.rs"]
mod tests;
