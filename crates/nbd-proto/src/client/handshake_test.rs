//! The client's handshake against the server's.

use super::*;
use crate::testing::Two;
use crate::{Agreed, Handshake, Progress, Tls};

/// Lets both talk until one has come to an end.
fn meet(name: &str, tls: Tls) -> (ClientProgress, Option<Agreed>) {
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut server = Handshake::new(tls, &mut to_client);
    let mut client = ClientHandshake::new(name);
    let mut agreed = None;
    for _ in 0..20 {
        let (used, progress) = client.advance(&to_client, &mut to_server);
        to_client.drain(..used);
        if progress != ClientProgress::More {
            return (progress, agreed);
        }
        let (used, progress) = server.advance(&to_server, &Two, &mut to_client);
        to_server.drain(..used);
        if let Progress::Transmit(found) = progress {
            agreed = Some(*found);
        }
    }
    panic!("they talk for ever");
}

#[test]
fn both_sides_agree() {
    let (progress, agreed) = meet("data", Tls::Off);
    let agreed = agreed.expect("the server agrees");
    let ClientProgress::Transmit(joined) = progress else {
        panic!("{progress:?}")
    };
    assert!(agreed.structured && agreed.allocation);
    let expected = Joined {
        size_bytes: 1 << 20,
        flags: agreed.export.flags(),
        block_lens: Some((1, 4096, 32 << 20)),
        structured: true,
        allocation: true,
    };
    assert_eq!(joined, expected);
}

#[test]
fn refusals_come_with_words() {
    let refused = |name, tls| match meet(name, tls).0 {
        ClientProgress::Refused(kind, words) => (kind, words),
        progress => panic!("{progress:?}"),
    };
    let (kind, words) = refused("taken", Tls::Off);
    assert_eq!(
        (kind, &words[..]),
        (reply_kind::ERR_POLICY, "attached elsewhere")
    );
    assert_eq!(refused("none", Tls::Off).0, reply_kind::ERR_UNKNOWN);
    assert_eq!(refused("data", Tls::Required).0, reply_kind::ERR_TLS_REQD);
}

#[test]
fn tls_comes_before_anything_else_or_not_at_all() {
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut server = Handshake::new(Tls::Required, &mut to_client);
    let mut client = ClientHandshake::with_tls("data");
    let (used, progress) = client.advance(&to_client, &mut to_server);
    assert_eq!((used, progress), (to_client.len(), ClientProgress::More));
    to_client.clear();
    let (used, progress) = server.advance(&to_server, &Two, &mut to_client);
    assert!(matches!(progress, Progress::StartTls));
    to_server.drain(..used);
    let (_, progress) = client.advance(&to_client, &mut to_server);
    assert_eq!(progress, ClientProgress::StartTls);
    assert!(to_server.is_empty());
    client.secured(&mut to_server);
    assert!(!to_server.is_empty());

    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut server = Handshake::new(Tls::Off, &mut to_client);
    let mut client = ClientHandshake::with_tls("data");
    client.advance(&to_client, &mut to_server);
    to_client.clear();
    server.advance(&to_server, &Two, &mut to_client);
    let (_, progress) = client.advance(&to_client, &mut to_server);
    assert!(
        matches!(progress, ClientProgress::Refused(..)),
        "{progress:?}"
    );
}

#[test]
fn what_is_no_server_is_left() {
    let mut out = Vec::new();
    let mut client = ClientHandshake::new("data");
    let (_, progress) = client.advance(b"SSH-2.0-OpenSSH_9.2p1 Debian", &mut out);
    assert!(matches!(progress, ClientProgress::Broken(_)));
    assert!(out.is_empty());
}
