//! What clients do when they are answered, and when they are not, without a server.

use std::time::Duration;

use base::{TenantId, Timestamp};

use super::client::State;
use super::{Clients, Group, Mix, Outside, Pace, Patience};
use crate::event::{Event, EventQueue};
use crate::measure::Tally;
use crate::network::{Network, NetworkConfig, Read, SocketId};
use crate::scenario::Tenant;

/// Clients, a network, and a server played by the test.
struct Stage {
    clients: Clients,
    network: Network,
    events: EventQueue,
    now: Timestamp,
}

impl Stage {
    fn new(group: Group) -> Self {
        let mut events = EventQueue::default();
        let config = NetworkConfig::default();
        let tenants = [Tenant::new(1)];
        let clients = Clients::new(1, Timestamp::ZERO, &[group], &tenants, config, &mut events);
        Self {
            clients,
            network: Network::new(config, Timestamp::ZERO, 1),
            events,
            now: Timestamp::ZERO,
        }
    }

    fn pass_ms(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while self.events.next_at().is_some_and(|at| at <= end) {
            let (at, event) = self.events.take().unwrap();
            self.now = at;
            let mut out = Outside {
                now: at,
                network: &mut self.network,
                events: &mut self.events,
            };
            if let Event::Alarm(client) = event {
                self.clients.alarm(client, &mut out);
            } else if let Some((client, socket, notice)) = out.network.handle(at, event, out.events)
            {
                self.clients.notice(client, socket, notice, &mut out);
            }
        }
        self.now = end;
    }

    /// Accepts the client, lets it in, and hands out what it asks then.
    fn let_in(&mut self) -> (SocketId, Vec<u8>) {
        let (socket, _) = self.network.accept().expect("somebody came");
        self.network.watch(socket, 0);
        self.pass_ms(1);
        let login = self.hear(socket);
        assert!(login.starts_with(b"set auth 0 0 "), "{login:?}");
        self.say(socket, b"STORED\r\n");
        self.pass_ms(1);
        let asked = self.hear(socket);
        (socket, asked)
    }

    fn hear(&mut self, socket: SocketId) -> Vec<u8> {
        let mut bytes = vec![0; 10_000];
        match self
            .network
            .read(self.now, socket, &mut bytes, &mut self.events)
        {
            Read::Count(count) => bytes[..count].to_vec(),
            _ => Vec::new(),
        }
    }

    fn say(&mut self, socket: SocketId, bytes: &[u8]) {
        self.network
            .write(self.now, socket, bytes, &mut self.events);
    }

    fn tally(&self) -> Tally {
        self.clients.groups[0].timeline.total().tally
    }

    fn state(&self) -> State {
        self.clients.clients[0].state
    }
}

fn group(pace: Pace) -> Group {
    Group {
        arrive: (Duration::ZERO, Duration::ZERO),
        mix: Mix {
            get_shared: 0,
            get_own: 1,
            set_own: 0,
            delete_own: 0,
            keys_per_get: 1,
        },
        ..Group::new("one", TenantId(1), 1, pace)
    }
}

const ASKED: &[u8] = b"get o0000000000000001\r\n";

#[test]
fn a_closed_loop_asks_when_it_is_answered() {
    let mut stage = Stage::new(group(Pace::Closed(Duration::ZERO)));
    stage.pass_ms(1);
    let (socket, asked) = stage.let_in();
    assert_eq!(asked, ASKED);
    stage.pass_ms(100);
    assert_eq!(stage.hear(socket), b"");
    for _ in 0..3 {
        stage.say(socket, b"END\r\n");
        stage.pass_ms(1);
        assert_eq!(stage.hear(socket), ASKED);
    }
    let tally = stage.tally();
    assert_eq!((tally.answered, tally.misses, tally.connects), (3, 3, 1));
}

#[test]
fn an_open_loop_asks_at_its_times_and_counts_from_them() {
    let mut stage = Stage::new(group(Pace::Open(Duration::from_millis(10))));
    stage.pass_ms(1);
    let (socket, _) = stage.let_in();
    // Unanswered for 100 ms; then ten have piled up, and are asked one behind the other.
    stage.pass_ms(100);
    assert_eq!(stage.hear(socket), ASKED);
    for _ in 0..9 {
        stage.say(socket, b"END\r\n");
        stage.pass_ms(1);
        assert_eq!(stage.hear(socket), ASKED);
    }
    let total = stage.clients.groups[0].timeline.total();
    assert_eq!(total.tally.answered, 9);
    assert!(total.longest > Duration::from_millis(80), "{total:?}");
}

#[test]
fn one_that_is_not_answered_comes_back_and_asks_again() {
    let mut stage = Stage::new(group(Pace::Closed(Duration::ZERO)));
    stage.pass_ms(1);
    let (first, _) = stage.let_in();
    stage.pass_ms(490);
    assert_eq!(stage.state(), State::Waiting);
    stage.pass_ms(11);
    assert_eq!(stage.tally().timeouts, 1);
    assert_eq!(stage.state(), State::Pausing);
    stage.pass_ms(11);
    let (second, asked) = stage.let_in();
    assert_ne!(first, second);
    // On its second connection it has another key of its own.
    assert_eq!(asked, b"get o0000000000000002\r\n");
    // The second failure in a row: the batch is given up, and the server taken to be down.
    stage.pass_ms(500);
    let tally = stage.tally();
    assert_eq!((tally.timeouts, tally.errors), (2, 1));
    stage.pass_ms(900);
    assert!(stage.network.accept().is_none());
    stage.pass_ms(200);
    assert!(stage.network.accept().is_some());
}

#[test]
fn one_without_limits_to_its_patience_never_takes_the_server_to_be_down() {
    let mut stage = Stage::new(Group {
        patience: Patience::NONE,
        ..group(Pace::Closed(Duration::ZERO))
    });
    // Nobody lets it in: 500 ms each, and 10 between them.
    stage.pass_ms(510 * 8);
    let tally = stage.tally();
    assert_eq!((tally.connect_failures, tally.errors), (8, 0));
}

#[test]
fn a_refused_login_is_a_failure() {
    let mut stage = Stage::new(group(Pace::Closed(Duration::ZERO)));
    stage.pass_ms(1);
    let (socket, _) = stage.network.accept().unwrap();
    stage.say(socket, b"ERROR Too many open connections\r\n");
    stage.pass_ms(1);
    assert_eq!(stage.tally().connect_failures, 1);
}

#[test]
fn a_wrong_answer_is_told() {
    let mut stage = Stage::new(group(Pace::Closed(Duration::ZERO)));
    stage.pass_ms(1);
    let (socket, _) = stage.let_in();
    stage.say(socket, b"STORED\r\n");
    stage.pass_ms(1);
    assert_eq!(stage.clients.wrong_count, 1);
    assert!(stage.clients.wrong[0].contains("not an answer to a retrieval"));
}

#[test]
fn more_than_was_asked_for_is_told() {
    let mut stage = Stage::new(group(Pace::Closed(Duration::from_secs(1))));
    stage.pass_ms(1);
    let (socket, _) = stage.let_in();
    while stage.hear(socket).is_empty() {
        stage.pass_ms(1);
    }
    stage.say(socket, b"END\r\nEND\r\n");
    stage.pass_ms(1);
    assert_eq!(stage.clients.wrong_count, 1);
}

#[test]
fn all_leave_at_once() {
    let mut stage = Stage::new(Group {
        clients: 50,
        ..group(Pace::Closed(Duration::ZERO))
    });
    stage.pass_ms(1);
    assert_eq!(stage.network.len(), 50);
    let mut out = Outside {
        now: stage.now,
        network: &mut stage.network,
        events: &mut stage.events,
    };
    stage.clients.leave(0, &mut out);
    while let Some((socket, _)) = stage.network.accept() {
        stage.network.close(stage.now, socket, &mut stage.events);
    }
    stage.pass_ms(2000);
    assert_eq!(stage.network.len(), 0);
    assert_eq!(stage.state(), State::Away);
}
