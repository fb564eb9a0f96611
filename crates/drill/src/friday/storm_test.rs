//! Tests of the storm against a listener of the test's own.

use std::net::TcpListener;
use std::time::Duration;

use super::super::settings::StormSize;
use super::super::sockets::{CLOSE_WAIT, ESTABLISHED, SockDiag};
use super::*;

const CONNECTIONS: u32 = 40;

/// Runs a storm of two tenths of a second a round while `look` says that it goes on; the server
/// accepts nothing, so its sockets stay where the client leaves them.
fn storm(is_storm: bool, mut look: impl FnMut(&mut SockDiag, u16, &Figures) -> bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let size = StormSize {
        connections: CONNECTIONS,
        period: Duration::from_millis(200),
    };
    let words = Words {
        login: b"version\r\n".to_vec(),
        request: b"get a\r\n".to_vec(),
    };
    let storm = Storm::new(Script::new(size, false), CONNECTIONS, target, words);
    let figures = storm.figures();
    let stop = AtomicBool::new(false);
    let mut diag = SockDiag::open().unwrap();
    let until_ns = clock::now_ns() + 20_000_000_000;
    std::thread::scope(|scope| {
        scope.spawn(|| storm.run(&stop, is_storm));
        while clock::now_ns() < until_ns && look(&mut diag, target.port(), &figures) {
            clock::sleep_until(clock::now_ns() + 5_000_000);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(clock::now_ns() < until_ns, "{figures:?}");
}

#[test]
fn connections_are_abandoned_with_a_request_unread_and_opened_again() {
    storm(true, |diag, port, figures| {
        let waiting = diag.peers(port, CLOSE_WAIT).unwrap().len();
        let opened = figures.opened.load(Ordering::Relaxed);
        let is_over = opened > u64::from(CONNECTIONS) && waiting > 0;
        assert!(figures.open.load(Ordering::Relaxed) <= u64::from(CONNECTIONS));
        !is_over
    });
}

#[test]
fn held_connections_are_opened_once_and_stay() {
    storm(false, |diag, port, figures| {
        let standing = diag.peers(port, ESTABLISHED).unwrap();
        assert_eq!(diag.peers(port, CLOSE_WAIT).unwrap(), []);
        assert!(standing.len() <= CONNECTIONS as usize);
        standing.len() < CONNECTIONS as usize || figures.first_round_ns.load(Ordering::Relaxed) == 0
    });
}
