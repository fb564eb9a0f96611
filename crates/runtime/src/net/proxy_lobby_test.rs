//! Headers in pieces, and who has to leave the lobby.

use std::time::Duration;

use base::Timestamp;
use gateway::Peer;

use super::{Approach, Header, Lobby, NoGuest, Seen};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const TIMEOUT: Duration = Duration::from_secs(5);
const APPROACH: Approach = Approach {
    tenant: None,
    tls: None,
};

fn bytes() -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    bytes.extend([192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x2b, 0xcb]);
    bytes
}

fn lobby(guests_max: usize, links: &[u64]) -> Lobby {
    let mut lobby = Lobby::new(TIMEOUT, guests_max);
    for (seconds, link) in links.iter().enumerate() {
        let at = NOW + Duration::from_secs(seconds as u64);
        let shed = lobby.enter(at, *link, Peer::Unix, APPROACH, Header::default());
        assert_eq!(shed, None);
    }
    lobby
}

#[test]
fn a_header_in_single_bytes_is_read_to_its_end_and_no_further() {
    let mut sent = bytes();
    sent.extend(b"get key\r\n");
    let mut header = Header::default();
    let mut at = 0;
    let client = loop {
        let mut budget = 1;
        let seen = header.receive(|room| {
            if budget == 0 {
                return Ok(None);
            }
            budget -= 1;
            room[0] = sent[at];
            at += 1;
            Ok(Some(1))
        });
        match seen.unwrap() {
            Seen::Part => {}
            Seen::Whole(client) => break client,
        }
    };
    assert_eq!(client.unwrap().to_string(), "tcp:192.0.2.7:12345");
    assert_eq!(&sent[at..], b"get key\r\n");
}

#[test]
fn an_end_within_a_header_and_other_bytes_are_told_apart() {
    let mut header = Header::default();
    let ended = header.receive(|_| Ok(Some(0)));
    assert!(matches!(ended, Err(NoGuest::Ended)));
    let other = header.receive(|room| {
        room[..4].copy_from_slice(b"get ");
        Ok(Some(4))
    });
    assert!(matches!(other, Err(NoGuest::Header(_))));
}

#[test]
fn time_is_up_in_the_order_of_arrival() {
    let mut lobby = lobby(10, &[7, 8]);
    assert_eq!(lobby.deadline(), Some(NOW + TIMEOUT));
    assert_eq!(lobby.expire(NOW + TIMEOUT - Duration::from_millis(1)), None);
    assert_eq!(lobby.expire(NOW + TIMEOUT), Some(7));
    assert_eq!(lobby.expire(NOW + TIMEOUT), None);
    assert_eq!(lobby.len(), 1);
}

#[test]
fn the_oldest_makes_room() {
    let mut lobby = lobby(2, &[7, 8]);
    let id = lobby.next_id();
    let shed = lobby.enter(NOW, 9, Peer::Unix, APPROACH, Header::default());
    assert_eq!(shed, Some(7));
    assert!(lobby.header(id).is_some());
    assert!(lobby.leave(id).is_some() && lobby.leave(id).is_none());
    assert_eq!(lobby.len(), 1);
}
