//! The entrance of one loop: its listeners, and the door before which connections say who they are.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use base::{Rights, TenantId, Timestamp};
use gateway::{Admitted, Backend, Door, EntrantId, Figures, Peer, Verdict};
use mio::{Interest, Registry, Token, Waker};

use super::connection::{Connection, Place, Stream};
use super::event_loop::{EventLoop, FIRST_LISTENER, find, link_of};
use super::listener::{ListenSocket, Listener};
use super::loops::Mail;

/// How long the entrance may work before sessions have their turn again.
const ENTRANCE_SLICE: Duration = Duration::from_micros(17);
/// memcached's words when it is full.
const TOO_MANY: &[u8] = b"ERROR Too many open connections\r\n";

/// How long the entrance waits after the system refused to accept.
const REFUSED_PAUSE: Duration = Duration::from_millis(10);
/// How often it is said that descriptors have run out.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// Listeners, door, and the loops that admitted connections are spread over.
pub(super) struct Entrance {
    pub(super) door: Door,
    listeners: Vec<Listener>,
    /// By listener: whether the kernel may hold connections for us.
    pending: Vec<bool>,
    /// The listener that is asked first, so that a storm on one delays no other.
    first: usize,
    /// When to ask again after the system refused; no edge will say so.
    retry_at: Option<Timestamp>,
    pub(super) loops: Vec<LoopHandle>,
    /// Where a choice among loops that are equal begins.
    rotation: usize,
    /// Given up for a moment when descriptors run out, to turn a connection away in order.
    spare: Option<File>,
    next_warning: Timestamp,
}

/// What one look at the listeners brought.
enum Accepted {
    Connection(Stream, Peer, Option<TenantId>),
    /// One was turned away, or had gone.
    Lost,
    Nobody,
}

/// How to reach a loop.
#[derive(Clone, Debug)]
pub(super) struct LoopHandle {
    pub(super) mail: Sender<Mail>,
    pub(super) waker: Arc<Waker>,
}

impl LoopHandle {
    /// A loop that has ended takes no mail: it comes back.
    pub(super) fn send(&self, mail: Mail) -> Result<(), Mail> {
        self.mail.send(mail).map_err(|error| error.0)?;
        // It is read at the next turn even if the waker fails.
        let _ = self.waker.wake();
        Ok(())
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
            first: 0,
            retry_at: None,
            loops,
            rotation: 0,
            spare: open_spare(),
            next_warning: Timestamp::ZERO,
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

    /// When it must be looked after if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        [self.door.deadline(), self.retry_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Asks the listeners in turn for one connection.
    fn accept(&mut self, now: Timestamp) -> Accepted {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.pending.fill(true);
        }
        for step in 0..self.listeners.len() {
            let index = (self.first + step) % self.listeners.len();
            if !self.pending[index] {
                continue;
            }
            self.first = (index + 1) % self.listeners.len();
            match self.listeners[index].accept() {
                Ok((stream, peer)) => {
                    return Accepted::Connection(stream, peer, self.listeners[index].tenant);
                }
                Err(error) => match self.refused(now, index, &error) {
                    Accepted::Nobody => {}
                    other => return other,
                },
            }
        }
        Accepted::Nobody
    }

    fn refused(&mut self, now: Timestamp, index: usize, error: &io::Error) -> Accepted {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.pending[index] = false;
                Accepted::Nobody
            }
            io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => Accepted::Lost,
            _ if is_out_of_descriptors(error) => self.turn_one_away(now, index),
            _ => {
                self.warn(now, error);
                self.pause(now, index);
                Accepted::Nobody
            }
        }
    }

    /// Without a descriptor the connection would stay in the kernel's queue, and its client would
    /// wait for nothing.
    fn turn_one_away(&mut self, now: Timestamp, index: usize) -> Accepted {
        self.warn(now, &"no descriptor is left: raise the limit on open files");
        self.spare = None;
        let turned_away = self.listeners[index].accept().is_ok();
        self.spare = open_spare();
        if turned_away {
            return Accepted::Lost;
        }
        self.pause(now, index);
        Accepted::Nobody
    }

    fn pause(&mut self, now: Timestamp, index: usize) {
        self.pending[index] = false;
        self.retry_at = Some(now + REFUSED_PAUSE);
    }

    fn warn(&mut self, now: Timestamp, reason: &dyn std::fmt::Display) {
        if now >= self.next_warning {
            self.next_warning = now + WARNING_INTERVAL;
            tracing::warn!(%reason, "connections cannot be accepted");
        }
    }

    /// The loop with the fewest of the tenant's connections.
    pub(super) fn choose_loop(&mut self, figures: &Figures, tenant: TenantId) -> usize {
        let counts = figures.tenant(tenant).connections_by_loop();
        let loops = self.loops.len();
        self.rotation = (self.rotation + 1) % loops;
        (0..loops)
            .map(|step| (self.rotation + step) % loops)
            .min_by_key(|index| counts.get(*index).copied().unwrap_or(0))
            .unwrap_or(0)
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
                Accepted::Connection(stream, peer, tenant) => {
                    self.let_in(now, stream, peer, tenant);
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
        let verdict = entrance.door.judge(now, id, &mut self.out);
        let Some(connection) = find(&mut self.connections, link) else {
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
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(rustix::io::Errno::MFILE.raw_os_error())
        || code == Some(rustix::io::Errno::NFILE.raw_os_error())
}

fn open_spare() -> Option<File> {
    File::open("/dev/null").ok()
}
