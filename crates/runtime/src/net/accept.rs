//! The entrance of one loop: its listeners, and the door before which connections say who they are.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use base::{Rights, TenantId, Timestamp};
use gateway::{Admitted, Backend, Door, EntrantId, Peer, Verdict};
use mio::{Interest, Registry, Token, Waker};

use super::connection::{Connection, Place, Stream};
use super::event_loop::{EventLoop, FIRST_LISTENER, link_of};
use super::listener::{ListenSocket, Listener};
use super::loops::Mail;

/// How long the entrance may work before sessions have their turn again.
const ENTRANCE_SLICE: Duration = Duration::from_micros(17);
/// memcached's words when it is full.
const TOO_MANY: &[u8] = b"ERROR Too many open connections\r\n";

/// Listeners, door, and the loops that admitted connections are spread over.
pub(super) struct Entrance {
    pub(super) door: Door,
    listeners: Vec<Listener>,
    /// By listener: whether the kernel may hold connections for us.
    pending: Vec<bool>,
    /// Who has come, by link: kept until the connection is admitted.
    peers: HashMap<u64, Peer>,
    loops: Vec<LoopHandle>,
    /// By tenant: the loop that its next connection goes to, so that each tenant is spread evenly.
    next_loop: HashMap<TenantId, usize>,
    /// Given up for a moment when descriptors run out, to turn a connection away in order.
    spare: Option<File>,
}

/// How to reach a loop.
#[derive(Clone, Debug)]
pub(super) struct LoopHandle {
    pub(super) mail: Sender<Mail>,
    pub(super) waker: Arc<Waker>,
}

impl LoopHandle {
    pub(super) fn send(&self, mail: Mail) {
        // A loop that has ended takes no mail, and what was in it is dropped with it.
        if self.mail.send(mail).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

impl Entrance {
    pub(super) fn new(
        door: Door,
        mut listeners: Vec<Listener>,
        loops: Vec<LoopHandle>,
        registry: &Registry,
    ) -> io::Result<Self> {
        for (index, listener) in listeners.iter_mut().enumerate() {
            let token = Token(FIRST_LISTENER + index);
            match &mut listener.socket {
                ListenSocket::Tcp(socket) => {
                    registry.register(socket, token, Interest::READABLE)?;
                }
                ListenSocket::Unix(socket) => {
                    registry.register(socket, token, Interest::READABLE)?;
                }
            }
        }
        Ok(Self {
            door,
            pending: vec![true; listeners.len()],
            listeners,
            peers: HashMap::new(),
            loops,
            next_loop: HashMap::new(),
            spare: open_spare(),
        })
    }

    /// Notes that somebody has come to a listener.
    pub(super) fn announce(&mut self, listener: usize) {
        if let Some(pending) = self.pending.get_mut(listener) {
            *pending = true;
        }
    }

    /// Whether there is somebody to let in or to judge.
    pub(super) fn is_busy(&self) -> bool {
        self.door.has_waiting() || self.pending.contains(&true)
    }

    /// The next connection that the kernel holds, and the tenant that its listener is bound to.
    fn accept(&mut self) -> Option<(Stream, Peer, Option<TenantId>)> {
        for index in 0..self.listeners.len() {
            while self.pending[index] {
                match self.listeners[index].accept() {
                    Ok((stream, peer)) => {
                        return Some((stream, peer, self.listeners[index].tenant));
                    }
                    Err(error) if is_out_of_descriptors(&error) => self.turn_one_away(index),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.pending[index] = false;
                    }
                    // This one went before we came to it; the next may still be there.
                    Err(_) => {}
                }
            }
        }
        None
    }

    /// Without a descriptor the connection would stay in the kernel's queue, and its client would
    /// wait for nothing.
    fn turn_one_away(&mut self, index: usize) {
        tracing::warn!("out of descriptors: turning connections away");
        self.spare = None;
        if self.listeners[index].accept().is_err() {
            self.pending[index] = false;
        }
        self.spare = open_spare();
    }

    fn choose_loop(&mut self, tenant: TenantId) -> usize {
        let next = self.next_loop.entry(tenant).or_default();
        let chosen = *next;
        *next = (chosen + 1) % self.loops.len();
        chosen
    }
}

impl<B: Backend> EventLoop<B> {
    /// Lets newcomers in and judges those who have spoken, for a slice of time.
    pub(super) fn tend_entrance(&mut self, begin: Timestamp) {
        let Some(entrance) = &self.entrance else {
            return;
        };
        let at_door = entrance.door.len();
        self.shared.at_door.store(at_door, Ordering::Relaxed);
        let mut now = begin;
        while now.since(begin) < ENTRANCE_SLICE {
            let Some(entrance) = &mut self.entrance else {
                return;
            };
            let accepted = entrance.accept();
            let waiting = entrance.door.next_entrant();
            if accepted.is_none() && waiting.is_none() {
                return;
            }
            if let Some((stream, peer, tenant)) = accepted {
                self.let_in(now, stream, peer, tenant);
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
            Some(entrance) => entrance.door.input_len_left(id).min(self.scratch.len()),
            None => 0,
        };
        let Some(connection) = self.connections.get_mut(slot(link)) else {
            return;
        };
        if left == 0 || !connection.readable {
            return;
        }
        let heard = connection.read(&mut self.scratch[..left]);
        let at_end = connection.at_end;
        match heard {
            Ok(count) if !at_end => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.receive(id, &self.scratch[..count]);
                }
            }
            _ => self.close(link),
        }
    }

    fn let_in(&mut self, now: Timestamp, stream: Stream, peer: Peer, tenant: Option<TenantId>) {
        let connections = self.shared.connections.fetch_add(1, Ordering::Relaxed);
        if connections >= self.shared.limits.connections_max {
            // The client may not take it; it is told by the close all the same.
            let _ = stream.send(TOO_MANY);
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            self.count_closed();
            return;
        }
        match tenant {
            Some(tenant) => {
                let admitted = Admitted {
                    tenant,
                    rights: Rights::ALL,
                    credential: None,
                    unparsed: Vec::new(),
                };
                self.hand_over(now, stream, admitted, peer);
            }
            None => self.place_at_door(now, stream, peer),
        }
    }

    fn place_at_door(&mut self, now: Timestamp, stream: Stream, peer: Peer) {
        let generation = self.next_generation();
        let link = link_of(self.connections.vacant_key(), generation);
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        let entry = entrance.door.enter(now, peer, link);
        entrance.peers.insert(link, peer);
        let mut connection = Connection::new(stream, Place::Door(entry.id), generation);
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
        let verdict = entrance.door.judge(id, &mut self.out);
        let Some(connection) = self.connections.get_mut(slot(link)) else {
            return;
        };
        // An answer is some dozen bytes on a socket that has taken nothing yet: one write does.
        let answered = self.out.is_empty() || connection.write(&self.out).is_ok();
        match verdict {
            Verdict::Stay if answered => self.hear_entrant(link, id),
            Verdict::Admit(admitted) if answered => self.admit_entrant(now, link, admitted),
            _ => self.close(link),
        }
    }

    fn admit_entrant(&mut self, now: Timestamp, link: u64, admitted: Admitted) {
        let Some(peer) = self
            .entrance
            .as_mut()
            .and_then(|entrance| entrance.peers.remove(&link))
        else {
            return;
        };
        let Some(mut connection) = self.connections.try_remove(slot(link)) else {
            return;
        };
        // The new owner registers it anew, which also tells it of anything that has come meanwhile.
        if connection.stream.deregister(self.poll.registry()).is_err() {
            self.count_closed();
            return;
        }
        self.hand_over(now, connection.stream, admitted, peer);
    }

    fn hand_over(&mut self, now: Timestamp, stream: Stream, admitted: Admitted, peer: Peer) {
        let Some(entrance) = &mut self.entrance else {
            self.count_closed();
            return;
        };
        let chosen = entrance.choose_loop(admitted.tenant);
        // The entrance belongs to the first loop.
        if chosen == 0 {
            self.admit(now, stream, admitted, peer);
        } else {
            entrance.loops[chosen].send(Mail::Admit {
                stream,
                admitted,
                peer,
            });
        }
    }
}

fn slot(link: u64) -> usize {
    (link & u64::from(u32::MAX)) as usize
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::MFILE.raw_os_error())
        || code == Some(rustix::io::Errno::NFILE.raw_os_error())
}

fn open_spare() -> Option<File> {
    File::open("/dev/null").ok()
}
