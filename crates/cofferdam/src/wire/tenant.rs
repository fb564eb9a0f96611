//! Tenants and their credentials.

use runtime::state::CredentialRecord;
use serde::{Deserialize, Serialize};

use super::traffic::{TrafficChange, TrafficView};

/// A tenant to add.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantRequest {
    pub(crate) name: String,
    pub(crate) memory_bytes: u64,
    /// The configured item size if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item_size_bytes: Option<u64>,
    /// In a fleet: on how many gateways; two if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gateways: Option<usize>,
}

/// Where a tenant is to go.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MoveRequest {
    /// Away from the gateways of these names; none: to others than it is on.
    pub(crate) from: Vec<String>,
    /// To end the move: its clients know the new gateways.
    pub(crate) finish: bool,
}

/// Where its clients connect from now on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MoveReport {
    pub(crate) servers: Vec<String>,
}

/// What a tenant has after a credential was ended.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Revoked {
    pub(crate) credentials_left: usize,
}

/// New limits of a tenant; what is not given stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_size_bytes: Option<u64>,
    pub(crate) traffic: TrafficChange,
}

/// A credential to add.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CredentialRequest {
    /// `read,write,flush` or less; those of the primary one if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rights: Option<String>,
    /// Whether it takes the primary one's place.
    pub(crate) primary: bool,
}

/// What a tenant's client needs to connect. The password is told this once.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    pub(crate) tenant: String,
    pub(crate) servers: Vec<String>,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A tenant as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct TenantView {
    pub(crate) tenant: String,
    pub(crate) memory_bytes: u64,
    pub(crate) item_size_bytes: u32,
    pub(crate) traffic: TrafficView,
    /// `null` for `default`, which was never added.
    pub(crate) created_unix_s: Option<i64>,
    /// `null`, as the next two, where no daemon runs.
    pub(crate) used_bytes: Option<u64>,
    pub(crate) items: Option<u64>,
    pub(crate) connections: Option<u64>,
    /// In a fleet: the gateways that serve it; empty for all.
    #[serde(default)]
    pub(crate) gateways: Vec<String>,
    pub(crate) credentials: Vec<CredentialView>,
}

/// A credential as shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct CredentialView {
    pub(crate) username: String,
    pub(crate) rights: String,
    pub(crate) primary: bool,
    pub(crate) created_unix_s: i64,
}

impl From<&CredentialRecord> for CredentialView {
    fn from(record: &CredentialRecord) -> Self {
        Self {
            username: record.username.clone(),
            rights: record.rights.to_string(),
            primary: record.primary,
            created_unix_s: record.created_unix_s,
        }
    }
}
