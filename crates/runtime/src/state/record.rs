//! What is kept of tenants and credentials.

use base::{CredentialId, Rights, TenantId, TrafficLimits};

/// A tenant as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its number, never given again.
    pub id: TenantId,
    /// Its name, unique.
    pub name: String,
    /// What it may hold in bytes, segments and index counted.
    pub quota_bytes: u64,
    /// The largest value in bytes that it may store.
    pub item_size_max: u32,
    /// What it may take beside memory.
    pub traffic: TrafficLimits,
    /// When it was added, in Unix seconds.
    pub created_unix_s: i64,
}

/// A credential as kept; the password itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// Its number, never given again.
    pub id: CredentialId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The user name, unique among credentials that are not revoked.
    pub username: String,
    /// Put before the password when it is hashed.
    pub salt: [u8; 16],
    /// SHA-256 of salt and password.
    pub password_sha256: [u8; 32],
    /// What it may do.
    pub rights: Rights,
    /// Whether it is the one to hand out.
    pub primary: bool,
    /// When it was added, in Unix seconds.
    pub created_unix_s: i64,
}

/// A tenant to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Its name.
    pub name: String,
    /// What it may hold in bytes.
    pub quota_bytes: u64,
    /// The largest value in bytes that it may store.
    pub item_size_max: u32,
}

/// A credential to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// The user name.
    pub username: String,
    /// Put before the password when it is hashed.
    pub salt: [u8; 16],
    /// SHA-256 of salt and password.
    pub password_sha256: [u8; 32],
    /// What it may do.
    pub rights: Rights,
    /// Whether it is to be the tenant's primary one.
    pub primary: bool,
}
