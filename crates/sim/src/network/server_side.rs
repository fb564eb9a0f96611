//! What the server's programs may ask its kernel.

use base::Timestamp;
use gateway::Peer;

use super::{Network, Readiness, Socket, SocketId, us};
use crate::event::{Event, EventQueue, Side};

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Count(usize),
    /// Nothing is there now.
    Blocked,
    /// Nothing comes any more.
    End,
    /// The connection is void.
    Reset,
}

/// What came of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Count(usize),
    /// There is no room.
    Blocked,
    /// The connection is void.
    Reset,
}

impl Network {
    /// Whether a loop would be woken from its wait.
    pub(crate) fn has_news(&self, watcher: usize, listens: bool) -> bool {
        self.news.get(watcher).is_some_and(|news| !news.is_empty())
            || listens && self.listener.has_news
    }

    /// The next connection that has news for a loop, and what they are.
    pub(crate) fn take_news(&mut self, watcher: usize) -> Option<(SocketId, Readiness)> {
        while let Some(id) = self.news.get_mut(watcher)?.pop_front() {
            if let Some(socket) = self.get_mut(id)
                && socket.has_news
                && usize::from(socket.watched_by) == watcher
            {
                socket.has_news = false;
                return Some((id, std::mem::take(&mut socket.news)));
            }
        }
        None
    }

    /// Whether somebody came to the listener since this was asked last.
    pub(crate) fn take_arrivals(&mut self) -> bool {
        std::mem::take(&mut self.listener.has_news)
    }

    /// Takes a connection from the listener's queue.
    pub(crate) fn accept(&mut self) -> Option<(SocketId, Peer)> {
        while let Some(id) = self.listener.queue.pop_front() {
            self.listener.reserved -= 1;
            if let Some(socket) = self.get_mut(id) {
                socket.is_queued = false;
                socket.is_accepted = true;
                let peer = socket.peer();
                self.figures.accepted += 1;
                return Some((id, peer));
            }
        }
        None
    }

    /// Has a loop told of a connection from now on, and at once of what is so already.
    pub(crate) fn watch(&mut self, id: SocketId, watcher: usize) {
        let Some(socket) = self.get_mut(id) else {
            return;
        };
        socket.is_watched = true;
        socket.has_news = false;
        socket.watched_by = watcher as u8;
        let ended = socket.fin_ms != u32::MAX || socket.is_void;
        let news = Readiness {
            readable: ended || !socket.up.delivered().is_empty(),
            writable: true,
            read_closed: ended,
            error: socket.is_void,
        };
        self.tell(id, news);
    }

    /// How many bytes there are to read.
    pub(crate) fn pending(&self, id: SocketId) -> usize {
        self.get(id).map_or(0, |socket| socket.up.delivered().len())
    }

    /// How many bytes were written and have not been acknowledged.
    pub(crate) fn unacknowledged(&self, id: SocketId) -> usize {
        self.get(id).map_or(0, |socket| socket.down.undelivered())
    }

    /// Reads into `bytes`.
    pub(crate) fn read(
        &mut self,
        at: Timestamp,
        id: SocketId,
        bytes: &mut [u8],
        events: &mut EventQueue,
    ) -> Read {
        let Some(socket) = self.get_mut(id).filter(|socket| !socket.is_void) else {
            return Read::Reset;
        };
        let there = socket.up.delivered();
        if there.is_empty() {
            return match socket.up.is_at_end() {
                true => Read::End,
                false => Read::Blocked,
            };
        }
        let count = there.len().min(bytes.len());
        bytes[..count].copy_from_slice(&there[..count]);
        socket.up.take(count);
        if socket.up.has_unsent() {
            events.add(at + us(socket.latency_us), Event::Window(id, Side::Client));
        }
        Read::Count(count)
    }

    /// Writes what the send buffer takes of `bytes`; it leaves at `at`.
    pub(crate) fn write(
        &mut self,
        at: Timestamp,
        id: SocketId,
        bytes: &[u8],
        events: &mut EventQueue,
    ) -> Write {
        let buffer_len = self.config.server_send_buffer_len;
        let user_timeout = self.config.user_timeout;
        let Some(socket) = self.get_mut(id).filter(|socket| !socket.is_void) else {
            return Write::Reset;
        };
        let count = socket.down.write(bytes, buffer_len);
        socket.is_blocked = count < bytes.len();
        if socket.vanished && !socket.is_given_up {
            socket.is_given_up = true;
            events.add(at + user_timeout, Event::GiveUp(id));
        }
        self.send_down(at, id, events);
        match count {
            0 => Write::Blocked,
            count => Write::Count(count),
        }
    }

    /// Closes the server's end; what it has not read makes that a reset.
    pub(crate) fn close(&mut self, at: Timestamp, id: SocketId, events: &mut EventQueue) {
        let ms = self.run_ms(at);
        let Some(socket) = self.get_mut(id).filter(|socket| !socket.server_closed) else {
            return;
        };
        socket.server_closed = true;
        socket.is_watched = false;
        let fin_ms = socket.fin_ms;
        if !socket.up.delivered().is_empty() && !socket.client_closed {
            let at = at + us(socket.latency_us);
            events.add(at, Event::Reset(id, Side::Client));
        } else {
            socket.down.close();
            self.send_down(at, id, events);
        }
        if fin_ms != u32::MAX {
            self.figures.close_wait -= 1;
            let age_ms = ms.saturating_sub(fin_ms);
            self.figures.close_wait_oldest_ms = self.figures.close_wait_oldest_ms.max(age_ms);
        }
        self.forget_if_over(id);
    }

    /// The oldest of those that the client has ended and the server still holds counts too.
    pub(crate) fn settle_figures(&mut self, now: Timestamp) {
        let ms = self.run_ms(now);
        let open = |(_, socket): (usize, &Socket)| {
            let waits = socket.fin_ms != u32::MAX && socket.is_accepted && !socket.server_closed;
            waits.then(|| ms.saturating_sub(socket.fin_ms))
        };
        let oldest_ms = self.sockets.iter().filter_map(open).max().unwrap_or(0);
        self.figures.close_wait_oldest_ms = self.figures.close_wait_oldest_ms.max(oldest_ms);
    }

    /// The client has acknowledged, or has read: more may be sent, and there may be room again.
    pub(super) fn take_window(&mut self, now: Timestamp, id: SocketId, events: &mut EventQueue) {
        self.send_down(now, id, events);
        let buffer_len = self.config.server_send_buffer_len;
        if let Some(socket) = self.get_mut(id)
            && socket.is_blocked
            // Linux tells of room when a third of the buffer is free.
            && socket.down.undelivered() * 3 <= buffer_len * 2
        {
            socket.is_blocked = false;
            let news = Readiness {
                writable: true,
                ..Readiness::default()
            };
            self.tell(id, news);
        }
    }

    /// Adds to the news of a connection, if a loop watches it.
    pub(super) fn tell(&mut self, id: SocketId, news: Readiness) {
        let Some(socket) = self.get_mut(id).filter(|socket| socket.is_watched) else {
            return;
        };
        socket.news.readable |= news.readable;
        socket.news.writable |= news.writable;
        socket.news.read_closed |= news.read_closed;
        socket.news.error |= news.error;
        if !std::mem::replace(&mut socket.has_news, true) {
            let watcher = usize::from(socket.watched_by);
            if let Some(queue) = self.news.get_mut(watcher) {
                queue.push_back(id);
            }
        }
    }

    fn send_down(&mut self, at: Timestamp, id: SocketId, events: &mut EventQueue) {
        let window_len = self.config.client_receive_buffer_len;
        let Some(socket) = self.get_mut(id) else {
            return;
        };
        let window_len = match socket.reads {
            true => usize::MAX,
            false => window_len,
        };
        if socket.vanished || socket.is_void {
            return;
        }
        let arrives = at + us(socket.latency_us);
        let count = socket.down.send(window_len);
        if count > 0 {
            events.add(arrives, Event::Arrive(id, Side::Client, count));
        }
        if socket.down.send_fin() {
            events.add(arrives, Event::Fin(id, Side::Client));
        }
    }
}
