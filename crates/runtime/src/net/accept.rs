//! The entrance of one loop: its listeners, and what they take up when descriptors run out.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use base::{IpNetwork, TenantId, Timestamp};
use gateway::{Door, Figures, Peer};
use mio::{Registry, Token, Waker};
use rustix::io::Errno;

use super::event_loop::FIRST_LISTENER;
use super::listener::{Approach, Listener};
use super::loops::Mail;
use super::proxy_lobby::{Lobby, NoGuest};
use super::socket::Socket;
use super::tls::Handshakes;

/// How long the entrance waits after the system refused to accept.
const REFUSED_PAUSE: Duration = Duration::from_millis(10);
/// How often it is said that descriptors have run out.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// Listeners, lobby, door, and the loops that admitted connections are spread over.
pub(super) struct Entrance {
    pub(super) door: Door,
    pub(super) lobby: Lobby,
    /// Where hands are shaken, if any listener speaks TLS.
    pub(super) handshakes: Option<Handshakes>,
    /// Balancers, whose connections begin with a header.
    balancers: Vec<IpNetwork>,
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

/// What an entrance is made of.
pub(super) struct EntranceConfig {
    pub(super) door: Door,
    pub(super) lobby: Lobby,
    pub(super) handshakes: Option<Handshakes>,
    pub(super) balancers: Vec<IpNetwork>,
    pub(super) listeners: Vec<Listener>,
    pub(super) loops: Vec<LoopHandle>,
}

/// What one look at the listeners brought.
pub(super) enum Accepted {
    Connection(Socket, Peer, Approach),
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
    pub(super) fn new(config: EntranceConfig, registry: &Registry) -> io::Result<Self> {
        for (index, listener) in config.listeners.iter().enumerate() {
            listener.register(registry, Token(FIRST_LISTENER + index))?;
        }
        Ok(Self {
            door: config.door,
            lobby: config.lobby,
            handshakes: config.handshakes,
            balancers: config.balancers,
            pending: vec![true; config.listeners.len()],
            listeners: config.listeners,
            first: 0,
            retry_at: None,
            loops: config.loops,
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
        [self.door.deadline(), self.lobby.deadline(), self.retry_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Asks the listeners in turn for one connection.
    pub(super) fn accept(&mut self, now: Timestamp) -> Accepted {
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
                Ok((socket, peer)) => {
                    let approach = self.listeners[index].approach().clone();
                    return Accepted::Connection(socket, peer, approach);
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

    /// How many connections are on their way in.
    pub(super) fn len(&self) -> usize {
        let handshakes = self.handshakes.as_ref().map_or(0, Handshakes::len);
        self.door.len() + self.lobby.len() + handshakes
    }

    /// Listens no more, and leaves the files of Unix sockets to whoever does; those who have come
    /// are let in.
    pub(super) fn stop_listening(&mut self, registry: &Registry) {
        for listener in &mut self.listeners {
            listener.leave_file();
            // Closing does not end the registration of a socket that another process has too. An
            // event of one that is left is passed over.
            let _ = listener.deregister(registry);
        }
        self.listeners.clear();
        self.pending.clear();
        self.retry_at = None;
    }

    pub(super) fn is_balancer(&self, peer: Peer) -> bool {
        match peer {
            Peer::Ip(ip, _) => self.balancers.iter().any(|network| network.contains(ip)),
            Peer::Unix => false,
        }
    }

    /// Says that a balancer's connection is closed, which its operator must mend.
    pub(super) fn warn_of_balancer(&mut self, now: Timestamp, peer: Peer, reason: &NoGuest) {
        if now >= self.next_warning {
            self.next_warning = now + WARNING_INTERVAL;
            tracing::warn!(%peer, %reason, "a connection from a balancer was closed");
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

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    code == Some(Errno::MFILE.raw_os_error()) || code == Some(Errno::NFILE.raw_os_error())
}

fn open_spare() -> Option<File> {
    File::open("/dev/null").ok()
}
