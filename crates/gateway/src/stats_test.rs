//! What is known of the server is told as it is, and not as the zero of what is not there.

use base::{CredentialId, Rights, TenantId};

use super::Timestamp;
use crate::testing::{admit, shard, text};
use crate::{Admitted, Peer};

fn settings_of(page: &str) -> Vec<(&str, &str)> {
    page.lines()
        .filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '))
        .collect()
}

fn value<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let all = settings_of(page).into_iter();
    all.filter(|(n, _)| *n == name).map(|(_, v)| v).collect()
}

#[test]
fn settings_tell_the_port_that_the_tenant_came_by() {
    let mut shard = shard();
    let open = admit(&mut shard, 1, Rights::ALL, 7);
    let page = text(&mut shard, open, "stats settings\r\n");
    assert_eq!(value(&page, "tcpport"), ["11211"]);
    assert_eq!(value(&page, "maxconns"), ["100"]);
    assert_eq!(value(&page, "tcp_backlog"), ["4096"]);
    assert_eq!(value(&page, "idle_timeout"), ["0"]);
    let admitted = Admitted {
        tenant: TenantId(2),
        rights: Rights::ALL,
        credential: Some(CredentialId(2)),
        peer: Peer::Unix,
        unparsed: b"stats settings\r\n".to_vec(),
    };
    let id = shard.admit(Timestamp::ZERO, admitted, 8).unwrap();
    let page = text(&mut shard, id, "");
    assert_eq!(value(&page, "tcpport"), ["11212"]);
}

#[test]
fn no_name_is_told_twice() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 7);
    text(&mut shard, id, "set a 0 0 1\r\nx\r\n");
    for page in ["stats\r\n", "stats settings\r\n", "stats items\r\n"] {
        let page = text(&mut shard, id, page);
        let names: Vec<_> = settings_of(&page).into_iter().map(|(n, _)| n).collect();
        assert!(names.len() > 15, "{page}");
        for name in &names {
            assert_eq!(value(&page, name).len(), 1, "{name}");
        }
    }
}
