//! Which listener a socket belongs to, and how long a CLOSE_WAIT has been one.

use super::*;

fn socket(local: &str, state: TcpState, cookie: u64) -> TcpSocket {
    TcpSocket {
        state,
        local: local.parse().unwrap(),
        remote: format!("127.0.0.9:{}", 40_000 + cookie).parse().unwrap(),
        cookie,
        receive_queue: 2,
        send_queue: 128,
        drops: Some(1),
    }
}

#[test]
fn the_very_address_comes_before_any_address() {
    let addresses = ["0.0.0.0:11212", "127.0.0.1:11212", "[::]:11213"];
    let listeners = Listeners::new(addresses.iter().map(|a| a.parse().unwrap()).collect());
    let of = |local: &str| listeners.of(&socket(local, TcpState::Established, 1));
    assert_eq!(of("127.0.0.1:11212"), Some(1));
    assert_eq!(of("10.0.0.1:11212"), Some(0));
    assert_eq!(of("10.0.0.1:11213"), Some(2));
    assert_eq!(of("10.0.0.1:11214"), None);
}

#[test]
fn sockets_of_one_address_are_one_queue() {
    let mut queue = Queue::default();
    queue.add(&socket("127.0.0.1:1", TcpState::Listen, 1));
    queue.add(&socket("127.0.0.1:1", TcpState::Listen, 2));
    let expected = Queue {
        depth: 4,
        limit: 256,
        drops: 2,
    };
    assert_eq!(queue, expected);
}

#[test]
fn a_close_wait_is_overdue_once_it_was_seen_for_so_long() {
    let mut close_waits = CloseWaits::default();
    let second = Duration::from_secs(1);
    let at = |tenths: u64| Timestamp::from_secs(100) + Duration::from_millis(100 * tenths);
    let waiting = socket("127.0.0.1:1", TcpState::CloseWait, 1);
    let other = socket("127.0.0.1:1", TcpState::Established, 2);
    close_waits.see(at(0), 0, &waiting);
    close_waits.see(at(0), 0, &other);
    assert_eq!(close_waits.finish(at(0), second), []);
    close_waits.see(at(10), 0, &waiting);
    close_waits.see(at(10), 0, &socket("127.0.0.1:1", TcpState::CloseWait, 3));
    let overdue = close_waits.finish(at(10), second);
    assert_eq!(overdue.len(), 1);
    assert_eq!((overdue[0].peer, overdue[0].age), (waiting.remote, second));
    assert_eq!(close_waits.oldest(at(10), 0), Some(second));
    assert_eq!(close_waits.oldest(at(10), 1), None);
}

#[test]
fn a_close_wait_whose_client_reads_on_is_not_overdue() {
    let mut close_waits = CloseWaits::default();
    let second = Duration::from_secs(1);
    let mut waiting = socket("127.0.0.1:1", TcpState::CloseWait, 1);
    for secs in 0..5 {
        let now = Timestamp::from_secs(secs);
        waiting.send_queue -= 10;
        close_waits.see(now, 0, &waiting);
        assert_eq!(close_waits.finish(now, second), []);
        assert_eq!(close_waits.oldest(now, 0), Some(Duration::from_secs(secs)));
    }
    let now = Timestamp::from_secs(5);
    close_waits.see(now, 0, &waiting);
    assert_eq!(close_waits.finish(now, second)[0].age, second);
}

#[test]
fn another_connection_of_the_same_peer_begins_anew() {
    let mut close_waits = CloseWaits::default();
    for secs in 0..10 {
        let now = Timestamp::from_secs(secs);
        let mut waiting = socket("127.0.0.1:1", TcpState::CloseWait, secs);
        waiting.remote = "127.0.0.9:40000".parse().unwrap();
        close_waits.see(now, 0, &waiting);
        assert_eq!(close_waits.finish(now, Duration::from_secs(1)), []);
    }
}

#[test]
fn one_that_was_gone_in_between_is_forgotten() {
    let mut close_waits = CloseWaits::default();
    let waiting = socket("127.0.0.1:1", TcpState::CloseWait, 1);
    close_waits.see(Timestamp::from_secs(1), 0, &waiting);
    close_waits.finish(Timestamp::from_secs(1), Duration::from_secs(1));
    close_waits.finish(Timestamp::from_secs(2), Duration::from_secs(1));
    assert_eq!(close_waits.oldest(Timestamp::from_secs(2), 0), None);
    close_waits.see(Timestamp::from_secs(3), 0, &waiting);
    assert_eq!(
        close_waits.finish(Timestamp::from_secs(3), Duration::from_secs(1)),
        []
    );
}
