//! What a loop does between its tenants' turns; mirrors `runtime`'s: one piece at a time, kind by kind.

use std::collections::VecDeque;
use std::time::Duration;

use base::Timestamp;

use super::connection::Place;
use super::entrance::Entrance;
use super::event_loop::{EventLoop, SLICE_UNPROTECTED};
use super::{Kernel, Shared};
use crate::network::SocketId;

/// How long errands may take before sessions have their turn again.
const SLICE: Duration = Duration::from_micros(17);

/// Connections that something is to be done for.
#[derive(Debug, Default)]
pub(super) struct Errands {
    to_close: VecDeque<SocketId>,
    /// At the door, with something to say: for the first time, or again.
    to_hear: [VecDeque<SocketId>; 2],
    /// Where the round stands.
    next: usize,
}

/// A kind of errand.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Seat,
    Accept,
    AcceptAhead,
    Hear,
    HearAgain,
    Judge,
    Close,
}

/// What is done in turn. More are let in than judged as long as the door has room: the kernel's queue
/// is first come, first served, and loses who comes when it is full; at the door tenants take turns.
const ROUND: [Kind; 9] = [
    Kind::Seat,
    Kind::Accept,
    Kind::Hear,
    Kind::AcceptAhead,
    Kind::HearAgain,
    Kind::AcceptAhead,
    Kind::Judge,
    Kind::AcceptAhead,
    Kind::Close,
];

impl Errands {
    fn is_empty(&self) -> bool {
        self.to_close.is_empty() && self.to_hear.iter().all(VecDeque::is_empty)
    }
}

impl EventLoop {
    /// Whether there is anything to do between the tenants' turns.
    pub(super) fn has_errands(&self) -> bool {
        !self.errands.is_empty() || self.entrance.as_ref().is_some_and(Entrance::is_busy)
    }

    fn door_has_room(&self) -> bool {
        self.entrance
            .as_ref()
            .is_some_and(|entrance| entrance.door.has_room())
    }

    /// Has a connection closed when its turn among those comes.
    pub(super) fn doom(&mut self, socket: SocketId, shared: &mut Shared) {
        if let Some(connection) = shared.find(socket)
            && !std::mem::replace(&mut connection.doomed, true)
        {
            self.errands.to_close.push_back(socket);
        }
    }

    /// Has one at the door heard when its turn comes.
    pub(super) fn hear_later(&mut self, socket: SocketId, shared: &mut Shared) {
        if let Some(connection) = shared.find(socket)
            && !std::mem::replace(&mut connection.to_be_heard, true)
        {
            let again = std::mem::replace(&mut connection.was_heard, true);
            self.errands.to_hear[usize::from(again)].push_back(socket);
        }
    }

    /// Does one errand; false once the slice of time is over or nothing is to be done.
    pub(super) fn do_errand(
        &mut self,
        since: Timestamp,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> bool {
        let slice = match shared.config.protections {
            true => SLICE,
            false => SLICE_UNPROTECTED,
        };
        if self.clock.since(since) >= slice {
            return false;
        }
        (0..ROUND.len()).any(|_| {
            let kind = ROUND[self.errands.next];
            self.errands.next = (self.errands.next + 1) % ROUND.len();
            match kind {
                Kind::Seat => self.seat_next(kernel, shared),
                Kind::Accept => self.accept_next(kernel, shared),
                Kind::AcceptAhead => self.door_has_room() && self.accept_next(kernel, shared),
                Kind::Hear => self.hear_next(0, kernel, shared),
                Kind::HearAgain => self.hear_next(1, kernel, shared),
                Kind::Judge => self.judge_next(kernel, shared),
                Kind::Close => self.close_next(kernel, shared),
            }
        })
    }

    fn close_next(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let Some(socket) = self.errands.to_close.pop_front() else {
            return false;
        };
        self.close(socket, kernel, shared);
        true
    }

    fn hear_next(&mut self, again: usize, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let Some(socket) = self.errands.to_hear[again].pop_front() else {
            return false;
        };
        if let Some(connection) = shared.find(socket) {
            connection.to_be_heard = false;
            if let Place::Door(id) = connection.place
                && !connection.doomed
            {
                self.hear_entrant(socket, id, kernel, shared);
            }
        }
        true
    }
}
