//! Tenants and credentials as the data plane sees them: an immutable snapshot, replaced whole.

use std::collections::HashMap;
use std::sync::Arc;

use base::{CredentialId, Rights, TenantId, TrafficLimits};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What the data plane must know of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its number, never used again for another.
    pub id: TenantId,
    /// Its name, for people.
    pub name: Arc<str>,
    /// The largest value in bytes that it may store.
    pub item_size_max: u32,
    /// What it may take beside memory.
    pub traffic: TrafficLimits,
}

/// One credential: who it stands for, what it may do, and how a password is checked against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its number, never used again for another.
    pub id: CredentialId,
    /// The tenant that it admits to.
    pub tenant: TenantId,
    /// What it may do.
    pub rights: Rights,
    /// Put before the password when it is hashed.
    pub salt: [u8; 16],
    /// SHA-256 of salt and password. Enough, since passwords are generated with 128 bits or more.
    pub password_sha256: [u8; 32],
}

impl Credential {
    /// The hash that a store keeps for `password`.
    pub fn hash_password(salt: &[u8; 16], password: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(salt)
            .chain_update(password)
            .finalize()
            .into()
    }

    fn matches(&self, password: &[u8]) -> bool {
        let hash = Self::hash_password(&self.salt, password);
        hash.ct_eq(&self.password_sha256).into()
    }
}

/// Every tenant and credential at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    tenants: HashMap<TenantId, Tenant>,
    credentials: HashMap<Box<[u8]>, Credential>,
    live: HashMap<CredentialId, TenantId>,
}

impl Directory {
    /// The snapshot of these tenants and of these credentials by user name.
    pub fn new(
        tenants: impl IntoIterator<Item = Tenant>,
        credentials: impl IntoIterator<Item = (String, Credential)>,
    ) -> Self {
        let credentials: HashMap<Box<[u8]>, Credential> = credentials
            .into_iter()
            .map(|(user, credential)| (user.into_bytes().into(), credential))
            .collect();
        Self {
            tenants: tenants.into_iter().map(|t| (t.id, t)).collect(),
            live: credentials.values().map(|c| (c.id, c.tenant)).collect(),
            credentials,
        }
    }

    /// The tenant of this number, if it still exists.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// All tenants, in no order.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// The tenant of this name; takes as long as there are tenants.
    pub fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        self.tenants.values().find(|tenant| &*tenant.name == name)
    }

    /// The tenant that `username` belongs to; tells nothing of whether a password is right.
    pub fn claimed_tenant(&self, username: &[u8]) -> Option<TenantId> {
        self.credentials.get(username).map(|c| c.tenant)
    }

    /// The credential of `username`, if `password` is its password.
    ///
    /// An unknown name costs the same hash and comparison as a known one.
    pub fn verify(&self, username: &[u8], password: &[u8]) -> Option<&Credential> {
        match self.credentials.get(username) {
            Some(credential) => credential.matches(password).then_some(credential),
            None => {
                let hash = Credential::hash_password(&[0; 16], password);
                std::hint::black_box(bool::from(hash.ct_eq(&[0; 32])));
                None
            }
        }
    }

    /// Credentials that were in force `before` and are no more.
    pub fn ended_since(&self, before: &Self) -> Vec<CredentialId> {
        let ended = before.live.keys().filter(|id| !self.is_live(**id));
        ended.copied().collect()
    }

    /// The same without these credentials.
    pub fn without(&self, ended: &[CredentialId]) -> Self {
        let mut less = self.clone();
        less.credentials.retain(|_, it| !ended.contains(&it.id));
        less.live.retain(|id, _| !ended.contains(id));
        less
    }

    /// Whether a credential has not been revoked and its tenant exists.
    pub fn is_live(&self, credential: CredentialId) -> bool {
        self.live
            .get(&credential)
            .is_some_and(|tenant| self.tenants.contains_key(tenant))
    }
}
