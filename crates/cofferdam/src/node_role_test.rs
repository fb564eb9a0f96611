//! Tests of how a node makes room for tenants.

use std::sync::Arc;

use base::fleet::Incarnation;
use base::{TenantId, Timestamp};
use node::Landlord;
use node_proto::TenantTerms;

use super::NodeCaches;
use crate::local_backend::Caches;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn terms(quota_bytes: u64, version: u64) -> TenantTerms {
    TenantTerms {
        tenant: TenantId(1),
        quota_bytes,
        item_size_max: 1 << 20,
        version,
    }
}

#[test]
fn the_newest_terms_are_in_force() {
    let caches = Arc::new(Caches::default());
    let landlord = NodeCaches::new(Arc::clone(&caches), Incarnation::ALONE);
    let quota = || {
        caches
            .get(TenantId(1))
            .map(|cache| cache.stats().quota_bytes)
    };
    assert_eq!(quota(), None);
    landlord.provide(NOW, &terms(64 << 20, 2));
    assert_eq!(quota(), Some(64 << 20));
    // Another gateway, which has not heard of it yet, says what was before.
    landlord.provide(NOW, &terms(32 << 20, 1));
    assert_eq!(quota(), Some(64 << 20));
    landlord.provide(NOW, &terms(96 << 20, 3));
    assert_eq!(quota(), Some(96 << 20));
    landlord.forget(TenantId(1));
    assert_eq!(quota(), None);
}

#[test]
fn terms_that_just_hold_two_items_do_so_with_their_stamps() {
    let caches = Arc::new(Caches::default());
    let landlord = NodeCaches::new(Arc::clone(&caches), Incarnation::ALONE);
    landlord.provide(NOW, &terms(2 << 20, 1));
    assert!(caches.get(TenantId(1)).is_some());
}
