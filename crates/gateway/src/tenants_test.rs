//! Tenants of a shard: what each sees and may do, who is let go, and whose turn it is.

use std::time::Duration;

use base::{CredentialId, Rights, TenantId};

use crate::testing::{NOW, admit, directory, shard, text};
use crate::{Admitted, Due, Peer, SessionId, TurnEnd};

#[test]
fn tenants_do_not_see_each_other() {
    let mut shard = shard();
    let (one, two) = (
        admit(&mut shard, 1, Rights::ALL, 1),
        admit(&mut shard, 2, Rights::ALL, 2),
    );
    text(&mut shard, one, "set a 0 0 1\r\nx\r\n");
    assert_eq!(text(&mut shard, two, "get a\r\n"), "END\r\n");
    assert!(text(&mut shard, two, "stats\r\n").contains("STAT curr_items 0\r\n"));
    assert!(text(&mut shard, one, "stats\r\n").contains("STAT curr_items 1\r\n"));
    let conns = text(&mut shard, two, "stats conns\r\n");
    assert_eq!(conns.matches(":addr").count(), 1);
    text(&mut shard, two, "flush_all\r\n");
    assert_eq!(
        text(&mut shard, one, "get a\r\n"),
        "VALUE a 0 1\r\nx\r\nEND\r\n"
    );
}

#[test]
fn rights_that_are_missing_are_told_and_keep_the_connection() {
    let read = Rights {
        read: true,
        ..Rights::NONE
    };
    let write = Rights {
        write: true,
        ..Rights::NONE
    };
    for (rights, refused) in [
        (read, "set a 0 0 1\r\nx\r\n"),
        (read, "delete a\r\n"),
        (read, "touch a 5\r\n"),
        (read, "incr a 1\r\n"),
        (read, "flush_all\r\n"),
        (write, "flush_all\r\n"),
        (write, "get a\r\n"),
        (write, "incr a 1\r\n"),
    ] {
        let mut shard = shard();
        let all = admit(&mut shard, 1, Rights::ALL, 1);
        text(&mut shard, all, "set a 0 0 1\r\n1\r\n");
        let id = admit(&mut shard, 1, rights, 2);
        let answer = text(&mut shard, id, refused);
        assert!(answer.contains("CLIENT_ERROR"), "{refused:?}: {answer:?}");
        assert!(!answer.contains("VALUE"), "{refused:?}: {answer:?}");
        assert_eq!(
            text(&mut shard, all, "get a\r\n"),
            "VALUE a 0 1\r\n1\r\nEND\r\n"
        );
        assert!(text(&mut shard, id, "version\r\n").starts_with("VERSION"));
    }
}

#[test]
fn revoked_and_removed_lose_their_connections_and_nobody_else_does() {
    let mut shard = shard();
    let mut with_credential = |tenant, credential, link| {
        let admitted = Admitted {
            tenant: TenantId(tenant),
            rights: Rights::ALL,
            credential: Some(CredentialId(credential)),
            peer: Peer::Unix,
            unparsed: Vec::new(),
        };
        shard.admit(NOW, admitted, link).unwrap()
    };
    with_credential(1, 1, 11);
    with_credential(1, 2, 12);
    while shard.next_session(NOW).is_some() {}
    admit(&mut shard, 2, Rights::ALL, 20);
    assert!(shard.apply(directory(&[1, 2], &[1, 2])).is_empty());
    assert_eq!(shard.apply(directory(&[1, 2], &[2])), [11]);
    let mut gone = shard.apply(directory(&[1], &[2]));
    gone.sort_unstable();
    assert_eq!(gone, [11, 20]);
}

#[test]
fn tenants_are_present_while_they_have_sessions() {
    let mut shard = shard();
    let first = admit(&mut shard, 1, Rights::ALL, 1);
    let second = admit(&mut shard, 1, Rights::ALL, 2);
    assert_eq!(shard.tenants_present(), 1);
    let other = admit(&mut shard, 2, Rights::ALL, 3);
    assert_eq!(shard.tenants_present(), 2);
    shard.close(first);
    shard.close(other);
    assert_eq!(shard.tenants_present(), 1);
    shard.close(second);
    assert_eq!(shard.tenants_present(), 0);
}

#[test]
fn a_revoked_credential_is_not_admitted_late() {
    let mut shard = shard();
    shard.apply(directory(&[1, 2], &[]));
    let admitted = Admitted {
        tenant: TenantId(1),
        rights: Rights::ALL,
        credential: Some(CredentialId(1)),
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    assert_eq!(shard.admit(NOW, admitted, 1), None);
}

#[test]
fn a_removed_tenant_is_let_go_with_its_last_session() {
    let mut shard = shard();
    let id = admit(&mut shard, 2, Rights::ALL, 20);
    let data = shard.backend.0.remove(&TenantId(2)).unwrap();
    assert_eq!(shard.apply(directory(&[1], &[])), [20]);
    shard.close(id);
    assert_eq!(std::rc::Rc::strong_count(&data), 1);
}

#[test]
fn a_place_taken_over_while_it_waited_is_served_for_its_new_owner_only() {
    let mut shard = shard();
    let old = admit(&mut shard, 1, Rights::ALL, 1);
    shard.make_ready(NOW, old);
    shard.close(old);
    let new = Admitted {
        tenant: TenantId(2),
        rights: Rights::ALL,
        credential: None,
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    assert_eq!(shard.admit(NOW, new, 2), Some(old));
    assert_eq!(
        shard.next_session(NOW).map(|due| (due.session, due.link)),
        Some((old, 2))
    );
    assert_eq!(shard.next_session(NOW), None);
}

#[test]
fn many_who_ask_for_connections_share_one_list_of_bounded_length() {
    let mut shard = shard();
    let ids: Vec<_> = (0..600)
        .map(|link| admit(&mut shard, 1, Rights::ALL, link))
        .collect();
    let mut out = Vec::new();
    let mut gathers = Vec::new();
    for id in &ids {
        assert_eq!(
            shard.turn(NOW, *id, b"stats conns\r\n", &mut out),
            TurnEnd::Waiting
        );
        gathers.extend(shard.take_gather());
    }
    assert_eq!(gathers.len(), 1);
    assert_eq!(
        shard.turn(NOW, ids[0], b"", &mut out),
        TurnEnd::Waiting,
        "nothing is served meanwhile"
    );
    assert!(out.is_empty());
    shard.list(NOW, &mut gathers[0], |_| Peer::Unix);
    shard.answer(NOW, gathers.remove(0));
    for id in &ids {
        out.clear();
        assert_eq!(shard.turn(NOW, *id, b"", &mut out), TurnEnd::MoreToDo);
        assert!(out.ends_with(b"END\r\n") && out.len() < 64 * 1024);
    }
}

#[test]
fn a_tenant_with_many_ready_sessions_gets_no_more_time() {
    let mut shard = shard();
    for link in 0..100 {
        admit(&mut shard, 1, Rights::ALL, link);
    }
    admit(&mut shard, 2, Rights::ALL, 1000);
    let sessions: Vec<SessionId> = (0..101).map(SessionId).collect();
    let mut served_second = 0;
    for _ in 0..200 {
        sessions.iter().for_each(|id| shard.make_ready(NOW, *id));
        let Due { link, tenant, .. } = shard.next_session(NOW).unwrap();
        served_second += usize::from(link == 1000);
        shard.settle(NOW, tenant, Duration::from_micros(20));
    }
    assert!((98..=102).contains(&served_second), "{served_second}");
}
