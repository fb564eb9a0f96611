//! The fleet as the gateway sees it: equal nodes, one tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::fleet::MemberId;
use fleet::{Ring, SlotHasher, Weights};
use gateway::remote::{Allotment, Assurance, FleetView, HotTerms, NodeAddress};

use crate::world::TENANT;

pub(crate) fn view(members: &[MemberId], hot: Option<HotTerms>) -> FleetView {
    let weights: Weights = members.iter().map(|id| (*id, 1)).collect();
    let announced = Ring::empty().propose(&weights).unwrap().unwrap();
    FleetView {
        hasher: SlotHasher::new([3; 16]),
        ring: Arc::new(announced.commit().unwrap()),
        assurance: Assurance::FOR_EVER,
        nodes: Arc::new(members.iter().map(address).collect()),
        tenants: Arc::new(vec![Allotment {
            tenant: TENANT,
            quota_bytes: 8 << 20,
            parts: BTreeMap::new(),
            item_size_max: 1 << 20,
            hot,
            version: 1,
        }]),
        flushes: Arc::default(),
    }
}

fn address(member: &MemberId) -> NodeAddress {
    NodeAddress {
        member: *member,
        name: member.to_string(),
        addr: ([127, 0, 0, 1], member.0 as u16).into(),
    }
}
