//! What clients may ask their kernels.

use base::Timestamp;

use super::{Network, Readiness, Socket, SocketId, us};
use crate::event::{Event, EventQueue, Side};

impl Network {
    /// A client begins to connect, from this address, one way taking this long.
    pub(crate) fn connect(
        &mut self,
        now: Timestamp,
        client: u32,
        source: u32,
        latency_us: u32,
        events: &mut EventQueue,
    ) -> SocketId {
        self.generation = (self.generation + 1) & (u32::MAX >> 1);
        let socket = Socket {
            up: Default::default(),
            down: Default::default(),
            client,
            generation: self.generation,
            latency_us,
            fin_ms: u32::MAX,
            source,
            syn_tries: 0,
            watched_by: 0,
            is_watched: false,
            news: Readiness::default(),
            has_news: false,
            is_blocked: false,
            is_void: false,
            client_closed: false,
            server_closed: false,
            vanished: false,
            reads: true,
            is_given_up: false,
            is_queued: false,
            is_accepted: false,
        };
        let id = SocketId::new(self.sockets.insert(socket), self.generation);
        events.add(now + us(latency_us), Event::Syn(id));
        id
    }

    /// The client writes; tells how much its buffer took.
    pub(crate) fn client_write(
        &mut self,
        now: Timestamp,
        id: SocketId,
        bytes: &[u8],
        events: &mut EventQueue,
    ) -> usize {
        let buffer_len = self.config.client_send_buffer_len;
        let Some(socket) = self.get_mut(id).filter(|socket| !socket.client_closed) else {
            return 0;
        };
        let count = socket.up.write(bytes, buffer_len);
        self.send_up(now, id, events);
        count
    }

    /// From now on the client does not read what comes.
    pub(crate) fn stop_reading(&mut self, id: SocketId) {
        if let Some(socket) = self.get_mut(id) {
            socket.reads = false;
        }
    }

    /// What has come for the client.
    pub(crate) fn client_input(&self, id: SocketId) -> &[u8] {
        self.get(id)
            .map(|socket| socket.down.delivered())
            .unwrap_or_default()
    }

    /// The client takes `count` bytes of [`Self::client_input`].
    pub(crate) fn client_take(
        &mut self,
        now: Timestamp,
        id: SocketId,
        count: usize,
        events: &mut EventQueue,
    ) {
        if let Some(socket) = self.get_mut(id) {
            socket.down.take(count);
            if socket.down.has_unsent() {
                let at = now + us(socket.latency_us);
                events.add(at, Event::Window(id, Side::Server));
            }
        }
    }

    /// The client closes; if it did not read what came, that is a reset.
    pub(crate) fn client_close(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        let Some(socket) = self.get_mut(id) else {
            return;
        };
        if socket.client_closed {
            return;
        }
        socket.client_closed = true;
        if !socket.reads && !socket.down.delivered().is_empty() && !socket.server_closed {
            let at = now + us(socket.latency_us);
            events.add(at, Event::Reset(id, Side::Server));
        } else {
            socket.up.close();
            self.send_up(now, id, events);
        }
        self.forget_if_over(id);
    }

    /// The client's host is gone: nothing more comes from it, and nothing reaches it.
    pub(crate) fn vanish(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        let (keepalive, user_timeout) = (self.config.keepalive, self.config.user_timeout);
        if let Some(socket) = self.get_mut(id) {
            socket.vanished = true;
            socket.client_closed = true;
            socket.is_given_up = socket.down.undelivered() > 0;
            let patience = match socket.is_given_up {
                true => user_timeout,
                false => keepalive,
            };
            events.add(now + patience, Event::GiveUp(id));
        }
        self.forget_if_over(id);
    }

    /// Both ends learn that the connection is void.
    pub(crate) fn cut(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        if let Some(socket) = self.get(id) {
            let at = now + us(socket.latency_us);
            // In this order, since the server's knowing ends the client's part.
            events.add(at, Event::Reset(id, Side::Client));
            events.add(at, Event::Reset(id, Side::Server));
        }
    }

    /// Sends what the server's window allows, and the end behind the last byte.
    pub(super) fn send_up(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        let window_len = self.config.server_receive_buffer_len;
        let Some(socket) = self.get_mut(id) else {
            return;
        };
        if socket.vanished || socket.is_void {
            return;
        }
        let at = now + us(socket.latency_us);
        let count = socket.up.send(window_len);
        if count > 0 {
            events.add(at, Event::Arrive(id, Side::Server, count));
        }
        if socket.up.send_fin() {
            events.add(at, Event::Fin(id, Side::Server));
        }
    }
}
