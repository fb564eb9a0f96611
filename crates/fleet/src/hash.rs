//! From a tenant's key to its slot: a keyed hash that is the same on every gateway of a fleet.

use base::TenantId;
use base::fleet::Slot;
use siphasher::sip::SipHasher13;

/// SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) under a secret of the
/// fleet, so that nobody outside can aim all keys at one node. The secret is made once in the life
/// of a fleet: another one puts every key elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct SlotHasher {
    secret: [u8; 16],
}

/// The hasher of one tenant's keys.
#[derive(Clone, Copy, Debug)]
pub struct TenantSlots(SipHasher13);

impl SlotHasher {
    /// With the fleet's secret.
    pub const fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// For the keys of `tenant`: one tenant's slots tell nothing about another's.
    pub fn tenant(&self, tenant: TenantId) -> TenantSlots {
        let mut secret = self.secret;
        for (byte, of_tenant) in secret.iter_mut().zip(tenant.0.to_le_bytes()) {
            *byte ^= of_tenant;
        }
        TenantSlots(SipHasher13::new_with_key(&secret))
    }
}

impl TenantSlots {
    /// The slot of `key`.
    #[inline]
    pub fn slot(&self, key: &[u8]) -> Slot {
        Slot::of_hash(self.0.hash(key))
    }
}

#[cfg(test)]
#[path = "hash_test.rs"]
mod tests;
