//! Sessions through whole turns: what they answer, hold, may do, and whose turn it is.

use std::sync::Arc;
use std::time::Duration;

use base::{CredentialId, Rights, TenantId, Timestamp};

use super::{Shard, ShardConfig};
use crate::directory::{Credential, Directory, Tenant};
use crate::test_backend::TestBackend;
use crate::{Admitted, Figures, Peer, ServerInfo, SessionId, TurnEnd};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn directory(tenants: &[u32], credentials: &[u32]) -> Arc<Directory> {
    let tenants = tenants.iter().map(|id| Tenant {
        id: TenantId(*id),
        name: format!("t{id}").into(),
        item_size_max: 4 << 20,
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

fn shard() -> Shard<TestBackend> {
    let config = ShardConfig {
        loop_index: 0,
        turn_requests_max: 64,
        turn_output_len_max: 64 * 1024,
        server: ServerInfo {
            pid: 1,
            started: NOW,
            threads: 1,
            connections_max: 100,
        },
    };
    Shard::new(
        config,
        TestBackend::with_tenants([1, 2]),
        directory(&[1, 2], &[1, 2]),
        Arc::new(Figures::new(1)),
    )
}

fn admit(shard: &mut Shard<TestBackend>, tenant: u32, rights: Rights, link: u64) -> SessionId {
    let admitted = Admitted {
        tenant: TenantId(tenant),
        rights,
        credential: None,
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    let id = shard.admit(NOW, admitted, link).unwrap();
    assert_eq!(shard.next_session(), Some((id, link)));
    shard.charge(Duration::ZERO);
    id
}

/// Gives a session `input` and turns until it is served; what it answered.
fn ask(shard: &mut Shard<TestBackend>, id: SessionId, input: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut input = input;
    loop {
        if let Some(gather) = shard.take_gather() {
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

fn text(shard: &mut Shard<TestBackend>, id: SessionId, input: &str) -> String {
    String::from_utf8(ask(shard, id, input.as_bytes())).unwrap()
}

#[test]
fn a_value_that_was_set_is_got() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    assert_eq!(text(&mut shard, id, "set a 5 0 3\r\nabc\r\n"), "STORED\r\n");
    assert_eq!(
        text(&mut shard, id, "get a b\r\nget b\r\n"),
        "VALUE a 5 3\r\nabc\r\nEND\r\nEND\r\n"
    );
}

#[test]
fn every_split_of_the_input_gives_the_same_answer() {
    let input = b"set a 5 0 3\r\nabc\r\nget a b\r\nmg a v t\r\nmn\r\ndelete a\r\n";
    let mut whole = shard();
    let id = admit(&mut whole, 1, Rights::ALL, 0);
    let expected = ask(&mut whole, id, input);
    for at in 0..input.len() {
        let mut shard = shard();
        let id = admit(&mut shard, 1, Rights::ALL, 0);
        let mut answer = ask(&mut shard, id, &input[..at]);
        answer.extend(ask(&mut shard, id, &input[at..]));
        assert_eq!(answer, expected, "split at {at}");
    }
}

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
fn meta_commands_are_counted_beside_the_operations() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    text(&mut shard, id, "mg a v\r\nget a\r\nms a 1\r\nx\r\n");
    assert!(text(&mut shard, id, "stats\r\n").contains("STAT cmd_meta 2\r\n"));
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
fn a_deep_pipeline_is_served_in_bounded_turns() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let pipeline = "get a\r\n".repeat(1000);
    let mut out = Vec::new();
    assert_eq!(
        shard.turn(NOW, id, pipeline.as_bytes(), &mut out),
        TurnEnd::MoreToDo
    );
    assert!(out.len() <= 64 * "END\r\n".len());
    assert_eq!(shard.input_len_wanted(id), 0);
    while shard.turn(NOW, id, b"", &mut out) == TurnEnd::MoreToDo {}
    assert_eq!(out, "END\r\n".repeat(1000).as_bytes());
    assert!(shard.input_len_wanted(id) > 0);
}

#[test]
fn output_of_a_turn_is_bounded_however_much_is_asked_for() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let value = "v".repeat(60 * 1024);
    text(
        &mut shard,
        id,
        &format!("set a 0 0 {}\r\n{value}\r\n", value.len()),
    );
    let keys = " a".repeat(1000);
    let mut out = Vec::new();
    let end = shard.turn(NOW, id, format!("get{keys}\r\n").as_bytes(), &mut out);
    assert_eq!(end, TurnEnd::MoreToDo);
    assert!(out.len() < 130 * 1024);
}

#[test]
fn a_large_value_crosses_in_pieces_both_ways() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let value: String = (0..3_000_000u32)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .collect();
    let set = format!("set big 9 0 {}\r\n{value}\r\nget small\r\n", value.len());
    assert_eq!(text(&mut shard, id, &set), "STORED\r\nEND\r\n");
    let got = text(&mut shard, id, "get big small\r\nmn\r\n");
    assert_eq!(
        got,
        format!("VALUE big 9 {}\r\n{value}\r\nEND\r\nMN\r\n", value.len())
    );
    let data = shard.backend.0[&TenantId(1)].borrow();
    assert!(data.pins.is_empty() && data.reservations.is_empty());
}

#[test]
fn a_large_value_with_a_wrong_end_is_not_stored() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let set = format!("set big 0 0 100000\r\n{}xx\r\n", "v".repeat(100_000));
    let answer = text(&mut shard, id, &set);
    assert!(
        answer.starts_with("CLIENT_ERROR bad data chunk\r\n"),
        "{answer}"
    );
    let data = shard.backend.0[&TenantId(1)].borrow();
    assert!(data.items.is_empty() && data.reservations.is_empty());
}

#[test]
fn one_that_closes_in_the_middle_leaves_no_reservation_and_no_pin() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    ask(&mut shard, id, b"set big 0 0 100000\r\nvvv");
    assert_eq!(shard.backend.0[&TenantId(1)].borrow().reservations.len(), 1);
    shard.close(id);
    assert!(
        shard.backend.0[&TenantId(1)]
            .borrow()
            .reservations
            .is_empty()
    );

    let id = admit(&mut shard, 1, Rights::ALL, 1);
    let set = format!("set big 0 0 100000\r\n{}\r\n", "v".repeat(100_000));
    text(&mut shard, id, &set);
    let mut out = Vec::new();
    shard.turn(NOW, id, b"get big\r\n", &mut out);
    assert_eq!(shard.backend.0[&TenantId(1)].borrow().pins.len(), 1);
    shard.close(id);
    assert!(shard.backend.0[&TenantId(1)].borrow().pins.is_empty());
}

#[test]
fn a_hold_that_ended_lets_the_client_go() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let set = format!("set big 0 0 200000\r\n{}\r\n", "v".repeat(200_000));
    text(&mut shard, id, &set);
    let mut out = Vec::new();
    assert_eq!(
        shard.turn(NOW, id, b"get big\r\n", &mut out),
        TurnEnd::MoreToDo
    );
    shard.backend.0[&TenantId(1)].borrow_mut().pins.clear();
    out.clear();
    assert_eq!(shard.turn(NOW, id, b"", &mut out), TurnEnd::Close);
}

#[test]
fn output_that_was_not_taken_is_kept_in_order() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    shard.keep_unsent(id, 0, b"abcdef");
    assert_eq!(shard.unsent(id), b"abcdef");
    shard.sent(id, 2);
    assert_eq!(shard.unsent(id), b"cdef");
    shard.keep_unsent(id, 0, b"gh");
    assert_eq!(shard.unsent(id), b"cdefgh");
    shard.sent(id, 6);
    assert!(shard.unsent(id).is_empty());
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
    while shard.next_session().is_some() {}
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
    shard.make_ready(old);
    shard.close(old);
    let new = Admitted {
        tenant: TenantId(2),
        rights: Rights::ALL,
        credential: None,
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    assert_eq!(shard.admit(NOW, new, 2), Some(old));
    assert_eq!(shard.next_session(), Some((old, 2)));
    assert_eq!(shard.next_session(), None);
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
        sessions.iter().for_each(|id| shard.make_ready(*id));
        let (_, link) = shard.next_session().unwrap();
        served_second += usize::from(link == 1000);
        shard.charge(Duration::from_micros(20));
    }
    assert!((98..=102).contains(&served_second), "{served_second}");
}

#[test]
fn an_unending_line_is_not_collected() {
    let mut shard = shard();
    let id = admit(&mut shard, 1, Rights::ALL, 0);
    let mut out = Vec::new();
    let ended =
        (0..100).any(|_| shard.turn(NOW, id, &vec![b'x'; 16 * 1024], &mut out) == TurnEnd::Close);
    assert!(ended);
}
