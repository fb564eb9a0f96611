//! The way in: from a listener through the lobby, a handshake and the door to the loop that serves.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Rights, TenantId, Timestamp};
use gateway::{Admitted, Backend, EntrantId, Peer, Verdict};
use mio::Token;
use rustix::io::Errno;

use super::accept::Accepted;
use super::connection::{Connection, Place, Stream};
use super::event_loop::{EventLoop, find, link_of, slot_of};
use super::exchange::SLICE_UNPROTECTED;
use super::listener::Approach;
use super::proxy_lobby::{Header, LobbyId, Seen};
use super::socket::Socket;
use super::tls::Newcomer;

/// How long the entrance may work before sessions have their turn again.
const ENTRANCE_SLICE: Duration = Duration::from_micros(17);
/// memcached's words when it is full.
const TOO_MANY: &[u8] = b"ERROR Too many open connections\r\n";

impl<B: Backend> EventLoop<B> {
    /// Lets newcomers in and judges those who have spoken, for a slice of time.
    pub(super) fn tend_entrance(&mut self, begin: Timestamp) {
        let Some(entrance) = &self.entrance else {
            return;
        };
        let at_door = entrance.len();
        self.shared.at_door.store(at_door, Ordering::Relaxed);
        let slice = match self.shared.limits.protections {
            true => ENTRANCE_SLICE,
            false => SLICE_UNPROTECTED,
        };
        let mut now = begin;
        while now.since(begin) < slice {
            let Some(entrance) = &mut self.entrance else {
                return;
            };
            self.out.clear();
            if let Some((link, admitted)) = entrance.door.next_admitted(now, &mut self.out) {
                self.seat(now, link, admitted);
                now = self.shared.clock.now();
                continue;
            }
            let accepted = entrance.accept(now);
            let waiting = entrance.door.next_entrant();
            match accepted {
                Accepted::Nobody if waiting.is_none() => return,
                Accepted::Nobody => {}
                Accepted::Lost => {
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                }
                Accepted::Connection(socket, peer, approach) => {
                    self.let_in(now, socket, peer, approach);
                }
            }
            if let Some((id, link)) = waiting {
                self.judge(now, id, link);
            }
            now = self.shared.clock.now();
        }
    }

    /// Reads what an entrant has sent; one that has gone, or has said too much, is closed at once.
    pub(super) fn hear_entrant(&mut self, link: u64, id: EntrantId) {
        let left = match &self.entrance {
            Some(entrance) => entrance.door.input_len_left(id).min(self.input.len()),
            None => 0,
        };
        let Some(connection) = find(&mut self.connections, link)
            .filter(|connection| connection.place == Place::Door(id))
        else {
            return;
        };
        if left == 0 || !connection.readable {
            // One that has said too much for the door and then left is not heard any more.
            if connection.peer_closed && left == 0 {
                self.close(link);
            }
            return;
        }
        let heard = connection.read(&mut self.input[..left]);
        let at_end = connection.at_end;
        match heard {
            Ok(count) if !at_end => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.receive(id, &self.input[..count]);
                }
                self.shed_for_memory();
            }
            _ => self.close(link),
        }
    }

    fn shed_for_memory(&mut self) {
        while let Some(shed) = self
            .entrance
            .as_mut()
            .and_then(|entrance| entrance.door.shed_for_memory())
        {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.close(shed);
        }
    }

    fn let_in(&mut self, now: Timestamp, socket: Socket, peer: Peer, approach: Approach) {
        let connections = self.shared.connections.fetch_add(1, Ordering::Relaxed);
        if connections >= self.shared.limits.connections_max {
            if approach.tls.is_none() {
                // The client may not take it; it is told by the close all the same.
                let _ = socket.send(TOO_MANY);
            }
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.count_closed();
            return;
        }
        match &self.entrance {
            Some(entrance) if entrance.is_balancer(peer) => {
                self.await_header(now, socket, peer, approach);
            }
            _ => self.approach(now, socket, peer, approach),
        }
    }

    /// Takes a connection whose client is known to where its listener wants it.
    fn approach(&mut self, now: Timestamp, socket: Socket, peer: Peer, approach: Approach) {
        let Some(server) = approach.tls else {
            return self.place(now, Stream::Plain(socket), peer, approach.tenant);
        };
        let newcomer = Newcomer {
            socket,
            peer,
            server,
            tenant: approach.tenant,
            since: now,
        };
        let entrance = self.entrance.as_ref();
        let handshakes = entrance.and_then(|entrance| entrance.handshakes.as_ref());
        if !handshakes.is_some_and(|handshakes| handshakes.begin(newcomer)) {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.count_closed();
        }
    }

    /// Lets a connection speak for its tenant, or stand at the door if it has none yet.
    pub(super) fn place(
        &mut self,
        now: Timestamp,
        stream: Stream,
        peer: Peer,
        tenant: Option<TenantId>,
    ) {
        match tenant {
            Some(tenant) => {
                let admitted = Admitted {
                    tenant,
                    rights: Rights::ALL,
                    credential: None,
                    peer,
                    unparsed: Vec::new(),
                };
                let passes = match &mut self.entrance {
                    Some(entrance) => entrance.door.pass(now, &admitted),
                    None => false,
                };
                match passes {
                    true => self.hand_over(now, stream, admitted),
                    false => self.place_at_door(now, stream, peer, Some(admitted)),
                }
            }
            None => self.place_at_door(now, stream, peer, None),
        }
    }

    /// Reads which client a balancer's connection is for; as a rule it has come with the connection.
    fn await_header(&mut self, now: Timestamp, socket: Socket, peer: Peer, approach: Approach) {
        let mut header = Header::default();
        match header.receive(|room| read_some(&socket, room)) {
            Ok(Seen::Whole(client)) => {
                self.approach(now, socket, client.unwrap_or(peer), approach);
            }
            Ok(Seen::Part) => self.place_in_lobby(now, socket, peer, approach, header),
            Err(reason) => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.warn_of_balancer(now, peer, &reason);
                }
                self.count_closed();
            }
        }
    }

    fn place_in_lobby(
        &mut self,
        now: Timestamp,
        socket: Socket,
        peer: Peer,
        approach: Approach,
        header: Header,
    ) {
        let generation = self.next_generation();
        let link = link_of(self.connections.vacant_key(), generation);
        let Some(entrance) = &mut self.entrance else {
            self.count_closed();
            return;
        };
        let place = Place::Lobby(entrance.lobby.next_id());
        let shed = entrance.lobby.enter(now, link, peer, approach, header);
        let connection = Connection::new(Stream::Plain(socket), place, generation);
        let registered = connection
            .stream
            .register(self.poll.registry(), Token(link as usize));
        self.connections.insert(connection);
        if let Some(shed) = shed {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.close(shed);
        }
        if registered.is_err() {
            self.close(link);
        }
    }

    /// Reads on in the header of a connection in the lobby, which it leaves once that is whole.
    pub(super) fn hear_guest(&mut self, now: Timestamp, link: u64, id: LobbyId) {
        let Some(Connection {
            stream: Stream::Plain(socket),
            place: Place::Lobby(_),
            ..
        }) = find(&mut self.connections, link)
        else {
            return;
        };
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        let Some(header) = entrance.lobby.header(id) else {
            return;
        };
        match header.receive(|room| read_some(socket, room)) {
            Ok(Seen::Part) => {}
            Ok(Seen::Whole(client)) => {
                let deregistered = socket.deregister(self.poll.registry());
                let guest = entrance.lobby.leave(id);
                let Stream::Plain(socket) = self.connections.remove(slot_of(link)).stream else {
                    return;
                };
                match (deregistered, guest) {
                    (Ok(()), Some(guest)) => {
                        let peer = client.unwrap_or(guest.peer);
                        self.approach(now, socket, peer, guest.approach);
                    }
                    _ => self.count_closed(),
                }
            }
            Err(reason) => {
                if let Some(guest) = entrance.lobby.leave(id) {
                    entrance.warn_of_balancer(now, guest.peer, &reason);
                }
                self.close(link);
            }
        }
    }

    /// Lets a connection stand at the door: to say who it is or, where that is known, to wait for a
    /// place among its tenant's.
    fn place_at_door(
        &mut self,
        now: Timestamp,
        stream: Stream,
        peer: Peer,
        admitted: Option<Admitted>,
    ) {
        let generation = self.next_generation();
        let link = link_of(self.connections.vacant_key(), generation);
        let Some(entrance) = &mut self.entrance else {
            self.count_closed();
            return;
        };
        let entry = match admitted {
            Some(admitted) => entrance.door.enter_judged(now, admitted, link),
            None => entrance.door.enter(now, peer, link),
        };
        let connection = Connection::new(stream, Place::Door(entry.id), generation);
        let registered = connection
            .stream
            .register(self.poll.registry(), Token(link as usize));
        self.connections.insert(connection);
        if let Some(shed) = entry.shed {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.close(shed);
        }
        match registered {
            Ok(()) => self.hear_entrant(link, entry.id),
            Err(_) => self.close(link),
        }
    }

    fn judge(&mut self, now: Timestamp, id: EntrantId, link: u64) {
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        self.out.clear();
        let verdict = entrance.door.judge(now, id, &mut self.out);
        let Some(connection) = find(&mut self.connections, link) else {
            return;
        };
        // An answer is some dozen bytes on a socket that has taken nothing yet: one write does.
        let answered = self.out.is_empty()
            || connection
                .write(&self.out)
                .is_ok_and(|count| count == self.out.len());
        match verdict {
            Verdict::Stay if answered => self.hear_entrant(link, id),
            Verdict::Admit(admitted) if answered => self.admit_entrant(now, link, admitted),
            _ => self.close(link),
        }
    }
}

/// `None` where nothing has come.
fn read_some(socket: &Socket, room: &mut [u8]) -> io::Result<Option<usize>> {
    match socket.receive(room) {
        Ok(count) => Ok(Some(count)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
