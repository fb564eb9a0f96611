//! What a loop knows of one connection, as the runtime's does.

use std::time::Duration;

use base::Timestamp;
use gateway::{EntrantId, SessionId};

use super::Kernel;
use crate::network::{Read, SocketId, Write};

/// How long a client that has closed its side is kept while nothing moves.
const CLOSED_PATIENCE: Duration = Duration::from_millis(750);

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Door(EntrantId),
    Session(SessionId),
}

/// The connection is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset;

/// A connection of a loop.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) id: SocketId,
    pub(super) place: Place,
    /// When it is closed for not taking its output or not completing a request, or
    /// [`Timestamp::MAX`].
    pub(super) deadline: Timestamp,
    /// No deadline is later; earlier than [`Timestamp::MAX`] once the peer has closed, and then put off
    /// whenever something moves.
    pub(super) close_by: Timestamp,
    /// What the kernel held of our output when that was looked at last, in bytes.
    pub(super) unacknowledged: usize,
    /// Bytes of the present request that have come since it was given its time.
    pub(super) request_len: u32,
    /// Reading may give something.
    pub(super) readable: bool,
    /// Writing may take something.
    pub(super) writable: bool,
    /// The peer has sent its last byte, though we may not have read up to it.
    pub(super) peer_closed: bool,
    /// We have read the peer's last byte.
    pub(super) at_end: bool,
    /// To be closed once its output is written.
    pub(super) closing: bool,
    /// Stands among those to be closed; it is not served any more.
    pub(super) doomed: bool,
    /// Stands among those on their way in that have something to say.
    pub(super) to_be_heard: bool,
    /// Has stood there before.
    pub(super) was_heard: bool,
    /// Whether it stands among the deadlines, at its own or an earlier one.
    pub(super) has_alarm: bool,
}

impl Connection {
    pub(super) fn new(id: SocketId, place: Place) -> Self {
        Self {
            id,
            place,
            deadline: Timestamp::MAX,
            close_by: Timestamp::MAX,
            unacknowledged: 0,
            request_len: 0,
            readable: true,
            writable: true,
            peer_closed: false,
            at_end: false,
            closing: false,
            doomed: false,
            to_be_heard: false,
            was_heard: false,
            has_alarm: false,
        }
    }

    /// Notes that something was read, written, or taken by the peer.
    pub(super) fn note_moved(&mut self, now: Timestamp) {
        if self.peer_closed {
            self.close_by = now + CLOSED_PATIENCE;
        }
    }

    /// Has it closed no later than this, unless its deadline is put off again.
    pub(super) fn set_deadline(&mut self, deadline: Timestamp) {
        self.deadline = deadline.min(self.close_by);
    }

    /// Whether the network holds another number of bytes for the peer than when this was asked last.
    pub(super) fn has_drained(&mut self, kernel: &Kernel<'_>) -> bool {
        let now = kernel.network.unacknowledged(self.id);
        now != std::mem::replace(&mut self.unacknowledged, now)
    }

    /// Reads once. `Ok(0)` means that nothing is there now; the end sets [`Self::at_end`].
    pub(super) fn read(
        &mut self,
        at: Timestamp,
        bytes: &mut [u8],
        kernel: &mut Kernel<'_>,
    ) -> Result<usize, Reset> {
        match kernel.network.read(at, self.id, bytes, kernel.events) {
            Read::Count(count) => {
                self.readable = count == bytes.len() || self.peer_closed;
                Ok(count)
            }
            Read::Blocked => {
                self.readable = false;
                Ok(0)
            }
            Read::End => {
                self.at_end = true;
                self.readable = false;
                Ok(0)
            }
            Read::Reset => Err(Reset),
        }
    }

    /// Writes once, leaving at `at`; tells how much was taken.
    pub(super) fn write(
        &mut self,
        at: Timestamp,
        bytes: &[u8],
        kernel: &mut Kernel<'_>,
    ) -> Result<usize, Reset> {
        match kernel.network.write(at, self.id, bytes, kernel.events) {
            Write::Count(count) => {
                self.writable = count == bytes.len();
                Ok(count)
            }
            Write::Blocked => {
                self.writable = false;
                Ok(0)
            }
            Write::Reset => Err(Reset),
        }
    }
}
