//! Connections by their clients' addresses.

use base::{Rights, Timestamp};

use super::*;
use crate::Admitted;
use crate::testing::shard;

fn peer(port: u16) -> Peer {
    Peer::Ip([127, 0, 0, 9].into(), port)
}

fn admitted(tenant: u32, port: u16) -> Admitted {
    Admitted {
        tenant: TenantId(tenant),
        rights: Rights::ALL,
        credential: None,
        peer: peer(port),
        unparsed: Vec::new(),
    }
}

#[test]
fn each_client_s_tenant_is_told() {
    let mut shard = shard();
    let now = Timestamp::from_secs(1_000_000);
    let ids: Vec<_> = [(1, 10), (2, 20), (1, 30)]
        .into_iter()
        .map(|(tenant, port)| {
            shard
                .admit(now, admitted(tenant, port), u64::from(port))
                .unwrap()
        })
        .collect();
    let owners = |shard: &Shard<_>| {
        let clients = [peer(10), peer(20), peer(99)].into_iter().collect();
        let mut owners = shard.owners(&clients);
        owners.sort_unstable_by_key(|(_, tenant)| *tenant);
        owners
    };
    assert_eq!(
        owners(&shard),
        [(peer(10), TenantId(1)), (peer(20), TenantId(2))]
    );
    shard.close(ids[1]);
    assert_eq!(owners(&shard), [(peer(10), TenantId(1))]);
}
