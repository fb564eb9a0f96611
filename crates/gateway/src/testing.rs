//! A shard over the test backend, and how tests talk to it.

use std::sync::Arc;
use std::time::Duration;

use base::{CredentialId, Rights, TenantId, Timestamp, TrafficLimits};

use crate::directory::{Credential, Directory, Tenant};
use crate::test_backend::TestBackend;
use crate::{Admitted, Figures, Peer, ServerInfo, SessionId, Shard, ShardConfig, TurnEnd};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_000_000);

pub(crate) fn directory(tenants: &[u32], credentials: &[u32]) -> Arc<Directory> {
    let tenants = tenants.iter().map(|id| Tenant {
        id: TenantId(*id),
        name: format!("t{id}").into(),
        item_size_max: 4 << 20,
        traffic: TrafficLimits::default(),
    });
    let credentials = credentials.iter().map(|id| {
        let credential = Credential {
            id: CredentialId(*id),
            tenant: TenantId(1),
            rights: Rights::ALL,
            salt: [0; 16],
            password_sha256: [0; 32],
        };
        (format!("u{id}"), credential)
    });
    Arc::new(Directory::new(tenants, credentials))
}

pub(crate) fn server_info() -> ServerInfo {
    ServerInfo {
        pid: 1,
        started: NOW,
        threads: 1,
        connections_max: 100,
        open_port: 11211,
        auth_port: 11212,
        tcp_backlog: 4096,
        idle_timeout_s: 0,
    }
}

pub(crate) fn shard() -> Shard<TestBackend> {
    let config = ShardConfig {
        loop_index: 0,
        turn_requests_max: 64,
        turn_output_len_max: 64 * 1024,
        send_buffer_bytes: 64 * 1024,
        inflight_bytes_max: 1 << 20,
        protections: true,
        server: server_info(),
    };
    Shard::new(
        config,
        TestBackend::with_tenants([1, 2]),
        directory(&[1, 2], &[1, 2]),
        Arc::new(Figures::new(1)),
    )
}

pub(crate) fn admit(
    shard: &mut Shard<TestBackend>,
    tenant: u32,
    rights: Rights,
    link: u64,
) -> SessionId {
    let admitted = Admitted {
        tenant: TenantId(tenant),
        rights,
        credential: None,
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    let id = shard.admit(NOW, admitted, link).unwrap();
    let due = shard.next_session(NOW).unwrap();
    assert_eq!((due.session, due.link), (id, link));
    shard.settle(NOW, due.tenant, Duration::ZERO);
    id
}

/// Gives a session `input` and turns until it is served; what it answered.
pub(crate) fn ask(shard: &mut Shard<TestBackend>, id: SessionId, input: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut input = input;
    loop {
        if let Some(mut gather) = shard.take_gather() {
            shard.list(NOW, &mut gather, |_| Peer::Unix);
            shard.answer(NOW, gather);
        }
        let wanted = shard.input_len_wanted(id).min(input.len());
        let (now_read, later) = input.split_at(wanted);
        input = later;
        let mut out = Vec::new();
        let end = shard.turn(NOW, id, now_read, &mut out);
        all.extend(out);
        match end {
            TurnEnd::Served if input.is_empty() => return all,
            TurnEnd::Close => return all,
            _ => {}
        }
    }
}

pub(crate) fn text(shard: &mut Shard<TestBackend>, id: SessionId, input: &str) -> String {
    String::from_utf8(ask(shard, id, input.as_bytes())).unwrap()
}
