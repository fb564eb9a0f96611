//! One event loop of a node: reads what gateways ask, has it served, writes once for each.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use base::Timestamp;
use gateway::Backend;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use node::{Landlord, LinkId, Node};
use slab::Slab;

use super::peer::Peer;
use super::server::{Mail, NodeLoopHandle, Shared, Successor};
use super::stream::{PeerStream, Received};

pub(super) const WAKER: Token = Token(usize::MAX);
pub(super) const LISTENER: Token = Token(usize::MAX - 1);
const EVENTS_MAX: usize = 256;
/// Bytes that are read from one connection before the next has its turn.
const INPUT_LEN: usize = 256 * 1024;
const MAINTENANCE_INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct ServerLoop<B: Backend, L> {
    pub(super) shared: Arc<Shared>,
    pub(super) poll: Poll,
    pub(super) mail: Receiver<Mail>,
    pub(super) node: Node<B, L>,
    pub(super) listener: Option<TcpListener>,
    pub(super) loops: Vec<NodeLoopHandle>,
    pub(super) index: usize,
    pub(super) peers: Slab<Peer>,
    pub(super) by_link: Vec<usize>,
    ready: Vec<usize>,
    input: Box<[u8]>,
    view_version: u64,
    next_maintenance: Timestamp,
    next_loop: usize,
    stopped: bool,
}

impl<B: Backend, L: Landlord> ServerLoop<B, L> {
    pub(super) fn new(
        shared: Arc<Shared>,
        poll: Poll,
        mail: Receiver<Mail>,
        node: Node<B, L>,
        listener: Option<TcpListener>,
        loops: Vec<NodeLoopHandle>,
        index: usize,
    ) -> Self {
        Self {
            shared,
            poll,
            mail,
            node,
            listener,
            loops,
            index,
            peers: Slab::new(),
            by_link: Vec::new(),
            ready: Vec::new(),
            input: vec![0; INPUT_LEN].into(),
            view_version: u64::MAX,
            next_maintenance: Timestamp::ZERO,
            next_loop: 0,
            stopped: false,
        }
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        if let Some(listener) = &mut self.listener {
            let registry = self.poll.registry();
            registry.register(listener, LISTENER, Interest::READABLE)?;
        }
        let mut looked_at = self.shared.clock.now();
        while !self.stopped {
            let wait = match self.ready.is_empty() {
                true => MAINTENANCE_INTERVAL,
                false => Duration::ZERO,
            };
            let asked_at = self.shared.clock.now();
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = self.shared.clock.now();
            // What was there at once may have been there since the last look.
            let had_to_wait = now.since(asked_at) > Duration::from_micros(20);
            let arrived = if had_to_wait { now } else { looked_at };
            looked_at = now;
            self.shared.figures.note_turn(self.index, now);
            for event in &events {
                self.take_event(now, arrived, event);
            }
            self.take_mail();
            self.serve();
            self.transmit();
            self.maintain(now);
        }
        Ok(())
    }

    fn take_event(&mut self, now: Timestamp, arrived: Timestamp, event: &Event) {
        match event.token() {
            WAKER => {}
            LISTENER => self.accept(),
            Token(key) => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                if event.is_writable() {
                    peer.stream.writable = true;
                    let link = peer.link;
                    if peer.stream.push_tls().is_err() {
                        return self.close(key, "it cannot be written to");
                    }
                    self.transmit_to(link);
                }
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    self.make_ready(key, arrived.min(now));
                }
            }
        }
    }

    fn make_ready(&mut self, key: usize, arrived: Timestamp) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.stream.readable = true;
            if !std::mem::replace(&mut peer.is_ready, true) {
                peer.arrived = arrived;
                self.ready.push(key);
            }
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((socket, addr)) => self.hand_out(socket, addr.to_string()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "a gateway's connection could not be accepted");
                    return;
                }
            }
        }
    }

    /// Spreads connections over the loops.
    fn hand_out(&mut self, socket: TcpStream, name: String) {
        let next = self.next_loop % self.loops.len().max(1);
        self.next_loop = next + 1;
        if next == self.index {
            return self.admit(socket, name);
        }
        if let Some(handle) = self.loops.get(next) {
            handle.send(Mail::Admit(socket, name));
        }
    }

    fn admit(&mut self, socket: TcpStream, name: String) {
        let stream = match PeerStream::accept(socket, self.shared.tls.as_ref()) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, gateway = name, "a gateway's connection cannot be served");
                return;
            }
        };
        let link = self.node.accept();
        let place = link.0 as usize;
        let key = self.peers.insert(Peer {
            stream,
            link,
            name,
            serial: self.shared.serials.fetch_add(1, Ordering::Relaxed),
            caller: None,
            is_known: false,
            is_ready: false,
            arrived: Timestamp::ZERO,
        });
        if self.by_link.len() <= place {
            self.by_link.resize(place + 1, usize::MAX);
        }
        self.by_link[place] = key;
        let registered = match self.peers.get_mut(key) {
            Some(peer) => peer.stream.register(self.poll.registry(), Token(key)),
            None => Ok(()),
        };
        if registered.is_err() {
            self.close(key, "it cannot be watched");
        }
    }

    fn take_mail(&mut self) {
        while let Ok(mail) = self.mail.try_recv() {
            match mail {
                Mail::Admit(socket, name) => self.admit(socket, name),
                Mail::Replace { old, successor } => {
                    self.close_if(old);
                    self.send(successor.loop_index, Mail::Greet(successor));
                }
                Mail::Greet(successor) => self.greet(successor),
                Mail::Examined {
                    link,
                    token,
                    result,
                } => self.tell_examined(link, token, result),
                Mail::Goodbye => self.node.say_goodbye(),
                Mail::Stop => self.stopped = true,
            }
        }
        let version = self.shared.view.version();
        if self.view_version != version {
            self.view_version = version;
            let view = self.shared.view.get();
            self.node.learn(&view.ring, view.state);
            let figures = &self.shared.figures;
            figures.note_ring(self.index, view.ring.announced());
        }
    }

    /// Reads and serves every connection once.
    fn serve(&mut self) {
        for key in std::mem::take(&mut self.ready) {
            let Some(peer) = self.peers.get_mut(key) else {
                continue;
            };
            peer.is_ready = false;
            let (link, arrived) = (peer.link, peer.arrived);
            if !self.node.wants_input(link) {
                // It is read again once it has taken what it asked for.
                continue;
            }
            let count = match peer.stream.read(&mut self.input) {
                Ok(Received::Bytes(count)) => count,
                Ok(Received::End) => {
                    self.close(key, "it has ended");
                    continue;
                }
                Err(error) => {
                    tracing::info!(%error, gateway = peer.name, "a gateway's connection broke");
                    self.close(key, "it broke");
                    continue;
                }
            };
            let is_more = peer.stream.readable;
            self.look_at_peer(key);
            let begin = self.shared.clock.now();
            let served = self
                .node
                .receive(begin, arrived, link, &self.input[..count]);
            let end = self.shared.clock.now();
            self.node.settle(link, arrived, begin, end);
            self.hear_greetings();
            self.take_errands();
            if let Err(error) = served {
                tracing::warn!(%error, gateway = self.peers[key].name, "a gateway was refused");
                self.transmit_to(link);
                self.close(key, "it was refused");
            } else if is_more {
                self.make_ready(key, end);
            }
        }
    }

    fn transmit(&mut self) {
        while let Some(link) = self.node.poll_transmit() {
            self.transmit_to(link);
        }
        let figures = self.node.figures();
        self.shared
            .figures
            .publish(self.index, figures, self.node.link_count());
    }

    /// Writes what a connection has to send, as far as it takes it.
    fn transmit_to(&mut self, link: LinkId) {
        let Some(&key) = self.by_link.get(link.0 as usize) else {
            return;
        };
        let was_slow = !self.node.wants_input(link);
        while let Some(peer) = self.peers.get_mut(key)
            && peer.link == link
            && peer.stream.writable
        {
            let bytes = self.node.outgoing(link);
            if bytes.is_empty() {
                break;
            }
            match peer.stream.write(bytes) {
                Ok(0) => break,
                Ok(count) => self.node.sent(link, count),
                Err(_) => return self.close(key, "it cannot be written to"),
            }
        }
        if was_slow && self.node.wants_input(link) {
            self.make_ready(key, self.shared.clock.now());
        }
    }

    /// Has whoever has introduced himself wait until his earlier connection is served no more.
    fn hear_greetings(&mut self) {
        while let Some((link, caller)) = self.node.poll_greeting() {
            let Some(peer) = self.peer_of(link) else {
                continue;
            };
            peer.caller = Some(caller);
            let successor = Successor {
                loop_index: self.index,
                link,
                serial: self.peers[self.by_link[link.0 as usize]].serial,
            };
            let before = {
                let callers = self.shared.callers.lock();
                let mut callers = callers.unwrap_or_else(PoisonError::into_inner);
                callers.insert(caller, successor)
            };
            match before {
                Some(before) if before.serial != successor.serial => {
                    let old = (before.link, before.serial);
                    self.send(before.loop_index, Mail::Replace { old, successor });
                }
                _ => self.greet(successor),
            }
        }
    }

    fn greet(&mut self, successor: Successor) {
        let peer = self.peer_of(successor.link);
        if peer.is_some_and(|peer| peer.serial == successor.serial) {
            self.node.greet(successor.link);
        }
    }

    fn close_if(&mut self, (link, serial): (LinkId, u64)) {
        let key = self.by_link.get(link.0 as usize).copied();
        if let Some(key) = key
            && self
                .peers
                .get(key)
                .is_some_and(|peer| peer.serial == serial)
        {
            self.close(key, "its caller has connected anew");
        }
    }

    pub(super) fn peer_of(&mut self, link: LinkId) -> Option<&mut Peer> {
        let key = self.by_link.get(link.0 as usize)?;
        self.peers.get_mut(*key)
    }

    fn send(&self, loop_index: usize, mail: Mail) {
        if let Some(handle) = self.loops.get(loop_index) {
            handle.send(mail);
        }
    }

    fn maintain(&mut self, now: Timestamp) {
        if now >= self.next_maintenance && !self.node.maintain(now) {
            self.next_maintenance = now + MAINTENANCE_INTERVAL;
        }
    }

    fn close(&mut self, key: usize, why: &'static str) {
        if let Some(peer) = self.peers.try_remove(key) {
            tracing::debug!(gateway = peer.name, why, "a gateway's connection is closed");
            self.node.closed(peer.link);
            if let Some(caller) = peer.caller {
                let callers = self.shared.callers.lock();
                let mut callers = callers.unwrap_or_else(PoisonError::into_inner);
                if callers
                    .get(&caller)
                    .is_some_and(|last| last.serial == peer.serial)
                {
                    callers.remove(&caller);
                }
            }
            if let Some(place) = self.by_link.get_mut(peer.link.0 as usize) {
                *place = usize::MAX;
            }
        }
    }
}
