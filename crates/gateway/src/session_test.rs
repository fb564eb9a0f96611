//! What an idle session takes, and since when its input is taken to wait.

use std::time::Duration;

use base::{Rights, TenantId, Timestamp};

use super::{Admitted, Peer, Session};
use crate::testing::NOW;

const MAX_DELAY: Duration = Duration::from_millis(200);

fn session() -> Session {
    let admitted = Admitted {
        tenant: TenantId(1),
        rights: Rights::ALL,
        credential: None,
        peer: Peer::Unix,
        unparsed: Vec::new(),
    };
    Session::new(NOW, 1, 0, admitted)
}

fn after(ms: u64) -> Timestamp {
    NOW + Duration::from_millis(ms)
}

#[test]
fn an_idle_session_takes_little() {
    assert!(size_of::<Session>() <= 128, "{}", size_of::<Session>());
}

#[test]
fn input_that_is_not_used_waits_since_it_came() {
    let mut session = session();
    session.wait_from(after(5));
    session.go_on_waiting(after(6), MAX_DELAY, || panic!("asked for too soon"));
    assert_eq!(session.since(), after(5));
    session.go_on_waiting(after(150), MAX_DELAY, || 1000);
    session.use_input(999);
    session.go_on_waiting(after(300), MAX_DELAY, || panic!("one look at a time"));
    assert_eq!(session.since(), after(5));
}

#[test]
fn what_is_behind_what_there_was_came_later() {
    let mut session = session();
    session.unread.append(&[0; 100]);
    session.go_on_waiting(after(20), MAX_DELAY, || 900);
    session.use_input(600);
    session.use_input(600);
    session.go_on_waiting(after(25), MAX_DELAY, || 5000);
    assert_eq!(session.since(), after(20));
}

#[test]
fn new_input_after_a_drought_waits_from_then_on() {
    let mut session = session();
    session.go_on_waiting(after(100), MAX_DELAY, || 10);
    session.wait_from(after(500));
    session.go_on_waiting(after(501), MAX_DELAY, || panic!("asked for too soon"));
    assert_eq!(session.since(), after(500));
}
