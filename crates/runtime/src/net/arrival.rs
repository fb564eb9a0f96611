//! The way in: from a listener through the lobby, a handshake and the door to the loop that serves.

use std::io;
use std::sync::atomic::Ordering;

use base::{Rights, TenantId, Timestamp};
use gateway::{Admitted, ApproachFailure, Backend, EntrantId, Passage, Peer, Verdict};
use mio::Token;
use rustix::io::Errno;

use super::accept::Accepted;
use super::connection::{Connection, Place, Stream};
use super::event_loop::EventLoop;
use super::link::{find, link_of, slot_of};
use super::listener::Approach;
use super::proxy_lobby::{Header, LobbyId, Seen};
use super::socket::Socket;
use super::tls::Newcomer;

impl<B: Backend> EventLoop<B> {
    /// Takes in the next of those who have waited for a place among their tenant's; false if nobody
    /// has one.
    pub(super) fn seat_next(&mut self, now: Timestamp) -> bool {
        self.note_connections(0);
        let Some(entrance) = &mut self.entrance else {
            return false;
        };
        self.out.clear();
        let Some((link, admitted)) = entrance.door.next_admitted(now, &mut self.out) else {
            return false;
        };
        self.seat(now, link, admitted);
        self.displace();
        true
    }

    /// Lets the next newcomer in; false if nobody has come.
    pub(super) fn accept_next(&mut self, now: Timestamp) -> bool {
        let Some(entrance) = &mut self.entrance else {
            return false;
        };
        match entrance.accept(now) {
            Accepted::Nobody => return false,
            Accepted::Lost => self.count_refused(),
            Accepted::Connection(socket, peer, approach) => {
                self.let_in(now, socket, peer, approach)
            }
        }
        true
    }

    /// Judges the next of those who have spoken; false if nobody has.
    pub(super) fn judge_next(&mut self, now: Timestamp) -> bool {
        let Some((id, link)) = self.entrance.as_mut().and_then(|it| it.door.next_entrant()) else {
            return false;
        };
        self.judge(now, id, link);
        true
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
            self.count_refused();
            self.close(shed);
        }
    }

    fn let_in(&mut self, now: Timestamp, socket: Socket, peer: Peer, approach: Approach) {
        let connections = self.shared.connections.fetch_add(1, Ordering::Relaxed);
        if connections >= self.shared.limits.descriptors_for_connections() && !self.make_room() {
            return self.refuse(Stream::Plain(socket), approach.tls.is_none());
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
            self.count_refused();
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
                self.note_connections(1);
                let passage = match &mut self.entrance {
                    Some(entrance) => entrance.door.pass(now, &admitted),
                    None => Passage::Full,
                };
                match passage {
                    Passage::In => {
                        self.hand_over(now, stream, admitted);
                        self.displace();
                    }
                    Passage::Wait => self.place_at_door(now, stream, peer, Some(admitted)),
                    Passage::Full => self.refuse(stream, true),
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
                self.count_headless();
                if let Some(entrance) = &mut self.entrance {
                    entrance.warn_of_balancer(now, peer, &reason);
                }
                self.count_closed();
            }
        }
    }

    /// Counts a balancer's connection that has not named its client.
    pub(super) fn count_headless(&self) {
        let figures = &self.shared.figures;
        figures.note_approach_failure(ApproachFailure::Proxy);
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
            self.count_refused();
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
                self.count_headless();
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
            self.count_refused();
            self.close(shed);
        }
        match registered {
            Ok(()) => self.hear_entrant(link, entry.id),
            Err(_) => self.close(link),
        }
    }

    fn judge(&mut self, now: Timestamp, id: EntrantId, link: u64) {
        self.note_connections(0);
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
            Verdict::Admit(admitted) => {
                self.lost(&admitted);
                self.close(link);
            }
            Verdict::Full => {
                self.count_refused();
                self.close(link);
            }
            _ => self.close(link),
        }
        self.displace();
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
