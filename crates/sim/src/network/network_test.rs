//! Connecting, windows, ends, resets and peers that vanish, as both sides see them.

use std::time::Duration;

use base::Timestamp;

use super::{Network, NetworkConfig, Notice, Read, Readiness, SocketId, Write};
use crate::event::EventQueue;

/// A network and its events, without anybody else.
struct Net {
    network: Network,
    events: EventQueue,
    now: Timestamp,
}

impl Net {
    fn new(config: NetworkConfig) -> Self {
        Self {
            network: Network::new(config, Timestamp::ZERO, 1),
            events: EventQueue::default(),
            now: Timestamp::ZERO,
        }
    }

    fn connect(&mut self, client: u32) -> SocketId {
        self.network
            .connect(self.now, client, 1, 100, &mut self.events)
    }

    /// Lets everything happen within the next so many milliseconds; what clients hear.
    fn pass_ms(&mut self, millis: u64) -> Vec<(u32, Notice)> {
        let end = self.now + Duration::from_millis(millis);
        let mut heard = Vec::new();
        while self.events.next_at().is_some_and(|at| at <= end) {
            let (at, event) = self.events.take().unwrap();
            self.now = at;
            let notice = self.network.handle(at, event, &mut self.events);
            heard.extend(notice.map(|(client, _, notice)| (client, notice)));
        }
        self.now = end;
        heard
    }

    /// A connection that the server has accepted and watches.
    fn accepted(&mut self) -> SocketId {
        let socket = self.connect(1);
        assert_eq!(self.pass_ms(1), [(1, Notice::Connected)]);
        let (accepted, _) = self.network.accept().unwrap();
        assert_eq!(accepted, socket);
        self.network.watch(socket, 0);
        self.network.take_news(0);
        socket
    }

    fn say(&mut self, socket: SocketId, bytes: &[u8]) -> usize {
        self.network
            .client_write(self.now, socket, bytes, &mut self.events)
    }

    fn leave(&mut self, socket: SocketId) {
        self.network
            .client_close(self.now, socket, &mut self.events);
    }

    fn read(&mut self, socket: SocketId, len: usize) -> Result<Vec<u8>, Read> {
        let mut bytes = vec![0; len];
        match self
            .network
            .read(self.now, socket, &mut bytes, &mut self.events)
        {
            Read::Count(count) => Ok(bytes[..count].to_vec()),
            other => Err(other),
        }
    }

    fn write(&mut self, socket: SocketId, bytes: &[u8]) -> Write {
        self.network
            .write(self.now, socket, bytes, &mut self.events)
    }

    fn close(&mut self, socket: SocketId) {
        self.network.close(self.now, socket, &mut self.events);
    }

    fn news(&mut self) -> Option<Readiness> {
        self.network.take_news(0).map(|(_, news)| news)
    }
}

#[test]
fn bytes_pass_both_ways_and_nothing_is_left() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.accepted();
    assert_eq!(net.say(socket, b"ping"), 4);
    assert_eq!(net.read(socket, 10), Err(Read::Blocked));
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.readable));
    assert_eq!(net.read(socket, 3), Ok(b"pin".to_vec()));
    assert_eq!(net.read(socket, 3), Ok(b"g".to_vec()));
    assert_eq!(net.write(socket, b"pong"), Write::Count(4));
    assert_eq!(net.pass_ms(1), [(1, Notice::Data)]);
    assert_eq!(net.network.client_input(socket), b"pong");
    net.leave(socket);
    net.pass_ms(1);
    assert!(
        net.news()
            .is_some_and(|news| news.read_closed && !news.error)
    );
    assert_eq!(net.network.figures().close_wait, 1);
    assert_eq!(net.read(socket, 10), Err(Read::End));
    net.close(socket);
    assert_eq!(net.network.figures().close_wait, 0);
    net.pass_ms(1);
    assert_eq!(net.network.len(), 0);
}

#[test]
fn a_full_queue_lets_nobody_in_until_the_client_asks_again() {
    let mut net = Net::new(NetworkConfig {
        backlog: 1,
        ..NetworkConfig::default()
    });
    net.connect(1);
    net.connect(2);
    assert_eq!(net.pass_ms(500), [(1, Notice::Connected)]);
    assert_eq!(net.network.figures().syn_dropped, 1);
    assert!(net.network.has_news(0, true) && net.network.take_arrivals());
    assert!(net.network.accept().is_some());
    assert!(net.network.accept().is_none());
    // A second after it asked first.
    assert_eq!(net.pass_ms(400), []);
    assert_eq!(net.pass_ms(200), [(2, Notice::Connected)]);
}

#[test]
fn one_who_goes_before_he_is_accepted_keeps_his_place_in_the_queue() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.connect(1);
    net.pass_ms(1);
    net.say(socket, b"hello");
    net.leave(socket);
    net.pass_ms(1);
    assert_eq!(net.network.len(), 1);
    net.network.accept().unwrap();
    net.network.watch(socket, 0);
    assert!(net.news().is_some_and(|news| news.read_closed));
    assert_eq!(net.read(socket, 10), Ok(b"hello".to_vec()));
    assert_eq!(net.read(socket, 10), Err(Read::End));
    net.close(socket);
    assert_eq!(net.network.len(), 0);
}

#[test]
fn what_the_server_does_not_read_blocks_the_client_and_hides_its_end() {
    let mut net = Net::new(NetworkConfig {
        server_receive_buffer_len: 10,
        client_send_buffer_len: 15,
        ..NetworkConfig::default()
    });
    let socket = net.accepted();
    assert_eq!(net.say(socket, &[b'x'; 100]), 15);
    net.pass_ms(1);
    net.leave(socket);
    net.pass_ms(1000);
    assert!(net.news().is_some_and(|news| !news.read_closed));
    assert_eq!(net.read(socket, 100).map(|bytes| bytes.len()), Ok(10));
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.read_closed));
    assert_eq!(net.read(socket, 100).map(|bytes| bytes.len()), Ok(5));
    assert_eq!(net.read(socket, 100), Err(Read::End));
}

#[test]
fn a_client_that_does_not_read_blocks_the_server() {
    let mut net = Net::new(NetworkConfig {
        client_receive_buffer_len: 10,
        server_send_buffer_len: 30,
        ..NetworkConfig::default()
    });
    let socket = net.accepted();
    net.network.stop_reading(socket);
    assert_eq!(net.write(socket, &[b'x'; 100]), Write::Count(30));
    assert_eq!(net.write(socket, &[b'x'; 100]), Write::Blocked);
    net.pass_ms(1);
    // Ten have arrived: that is a third of the buffer.
    assert!(net.news().is_some_and(|news| news.writable));
    assert_eq!(net.write(socket, &[b'x'; 100]), Write::Count(10));
    net.pass_ms(100);
    assert_eq!(net.news(), None);
    net.network
        .client_take(net.now, socket, 10, &mut net.events);
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.writable));
    // It leaves with unread bytes: that is a reset.
    net.leave(socket);
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.error));
    assert_eq!(net.write(socket, b"x"), Write::Reset);
    assert_eq!(net.read(socket, 1), Err(Read::Reset));
}

#[test]
fn a_reply_to_one_who_has_gone_comes_back_as_a_reset() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.accepted();
    net.say(socket, b"question");
    net.leave(socket);
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.readable && !news.error));
    assert_eq!(net.write(socket, b"answer"), Write::Count(6));
    net.pass_ms(1);
    assert!(net.news().is_some_and(|news| news.error));
}

#[test]
fn a_server_that_closes_is_heard() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.accepted();
    net.write(socket, b"bye");
    net.close(socket);
    assert_eq!(net.pass_ms(1), [(1, Notice::Data), (1, Notice::Closed)]);
    net.leave(socket);
    assert_eq!(net.network.len(), 0);
    // With something unread it is a reset.
    let socket = net.accepted();
    net.say(socket, b"unread");
    net.pass_ms(1);
    net.close(socket);
    assert_eq!(net.pass_ms(1), [(1, Notice::Reset)]);
}

#[test]
fn one_who_vanished_is_given_up() {
    let config = NetworkConfig::default();
    let mut net = Net::new(config);
    let (idle, asked) = (net.accepted(), net.accepted());
    for socket in [idle, asked] {
        net.network.vanish(net.now, socket, &mut net.events);
    }
    net.write(asked, b"are you there?");
    net.pass_ms(config.user_timeout.as_millis() as u64 + 1);
    assert_eq!(
        net.network.take_news(0).map(|(socket, _)| socket),
        Some(asked)
    );
    assert_eq!(net.news(), None);
    net.pass_ms(config.keepalive.as_millis() as u64);
    assert_eq!(
        net.network.take_news(0).map(|(socket, _)| socket),
        Some(idle)
    );
    assert_eq!(net.network.figures().given_up, 2);
    net.close(idle);
    net.close(asked);
    assert_eq!(net.network.len(), 0);
}

#[test]
fn a_cut_is_heard_by_both() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.accepted();
    net.network.cut(net.now, socket, &mut net.events);
    assert_eq!(net.pass_ms(1), [(1, Notice::Reset)]);
    assert!(net.news().is_some_and(|news| news.error));
}

#[test]
fn the_age_of_ends_that_nobody_looks_at_is_told() {
    let mut net = Net::new(NetworkConfig::default());
    let socket = net.accepted();
    net.leave(socket);
    net.pass_ms(700);
    net.network.settle_figures(net.now);
    let oldest_ms = net.network.figures().close_wait_oldest_ms;
    assert!((690..=700).contains(&oldest_ms), "{oldest_ms}");
}
