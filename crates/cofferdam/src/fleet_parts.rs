//! What follows from a fleet's members and its ring: where nodes are, and how much each has.

use std::collections::BTreeMap;

use base::fleet::MemberId;
use fleet::Ring;
use fleet::registry::Registry;
use gateway::remote::NodeAddress;

/// Where the nodes are.
pub(crate) fn addresses(registry: &Registry) -> Vec<NodeAddress> {
    let nodes = registry.nodes().filter_map(|(id, record)| {
        let addr = record.address.parse();
        let addr = addr.map_err(|_| {
            tracing::error!(
                name = record.name,
                address = record.address,
                "a node cannot be reached: its address is not ADDR:PORT"
            );
        });
        Some(NodeAddress {
            member: *id,
            name: record.name.clone(),
            addr: addr.ok()?,
        })
    });
    nodes.collect()
}

/// How many slots each node owns, or is about to.
pub(crate) fn shares(ring: &Ring) -> BTreeMap<MemberId, u64> {
    let mut shares = BTreeMap::new();
    let next = ring.commit().ok();
    for ring in std::iter::once(ring).chain(&next) {
        for node in ring.owners() {
            let share = shares.entry(node).or_insert(0);
            *share = (ring.count(node) as u64).max(*share);
        }
    }
    shares
}
