//! Tests of queues, credits and attempts to connect.

use std::time::Duration;

use base::fleet::MemberId;
use base::{TenantId, Timestamp};
use node_proto::RequestId;

use super::{Link, LinkState, NodeAddress, QUEUED_MAX, Queued};

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn link() -> Link {
    let node = NodeAddress {
        member: MemberId(1),
        name: "n".to_owned(),
        addr: ([127, 0, 0, 1], 1).into(),
    };
    Link::new(NOW, node)
}

fn queued(number: u64) -> Queued {
    Queued {
        id: RequestId::from_bits(number),
        frame: vec![0; 10],
    }
}

#[test]
fn tenants_take_turns_and_keep_their_own_order() {
    let mut link = link();
    for number in 0..3 {
        link.enqueue(TenantId(1), queued(number));
    }
    link.enqueue(TenantId(2), queued(10));
    let order: Vec<u64> = std::iter::from_fn(|| link.dequeue())
        .map(|queued| queued.id.to_bits())
        .collect();
    assert_eq!(order, [0, 10, 1, 2]);
    assert!(!link.has_queued() && link.queued_len == 0);
}

#[test]
fn a_queue_is_bounded() {
    let mut link = link();
    for number in 0..QUEUED_MAX as u64 {
        assert!(link.has_queue_room());
        link.enqueue(TenantId(number as u32 % 7), queued(number));
    }
    assert!(!link.has_queue_room());
}

#[test]
fn credits_bound_what_is_outstanding_and_the_socket_what_is_sent() {
    let mut link = link();
    assert!(!link.has_credit());
    link.come_up(NOW, 2, 1);
    assert!(link.has_credit());
    link.outstanding = 2;
    assert!(!link.has_credit());
    link.outstanding = 0;
    link.out().resize(2 << 20, 0);
    assert!(!link.has_credit() && !link.has_bulk_room());
    link.sent((2 << 20) - 10);
    assert!(link.has_credit() && link.has_bulk_room());
    assert_eq!(link.outgoing().len(), 10);
    link.sent(10);
    assert!(link.outgoing().is_empty());
}

#[test]
fn attempts_become_rarer_until_one_succeeds() {
    let mut link = link();
    let wait = |link: &mut Link| {
        link.go_down(NOW);
        match link.state {
            LinkState::Down { retry_at } => retry_at.since(NOW),
            state => panic!("{state:?}"),
        }
    };
    let waits: Vec<Duration> = (0..7).map(|_| wait(&mut link)).collect();
    let millis = [50, 100, 200, 400, 800, 1000, 1000].map(Duration::from_millis);
    assert_eq!(waits, millis);
    link.come_up(NOW, 1, 1);
    assert_eq!(wait(&mut link), millis[0]);
}

#[test]
fn who_is_answered_behind_many_bytes_of_others_is_known() {
    let mut link = link();
    link.received_len = 1_000_000;
    assert!(!link.is_behind(1_000_000 - 60_000, 100));
    assert!(link.is_behind(1_000_000 - 70_000, 100));
    // Its own are not others'.
    assert!(!link.is_behind(0, 990_000));
    // Of a connection that was begun anew.
    assert!(!link.is_behind(2_000_000, 0));
}
