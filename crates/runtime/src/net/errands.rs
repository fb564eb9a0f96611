//! What a loop does between its tenants' turns: lets connections in, hears them, judges them, closes.
//!
//! All of it is done one piece at a time, kind by kind, for a slice of time; a storm of any kind
//! therefore delays neither the sessions nor the other kinds for long.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::Timestamp;
use gateway::Backend;

use super::accept::Entrance;
use super::connection::Place;
use super::event_loop::EventLoop;
use super::exchange::SLICE_UNPROTECTED;
use super::link::find;
use super::upstream::Upstream;

/// How long errands may take before sessions have their turn again.
const SLICE: Duration = Duration::from_micros(17);

/// Connections that something is to be done for.
#[derive(Debug, Default)]
pub(super) struct Errands {
    to_close: VecDeque<u64>,
    /// On their way in, with something to say: for the first time, or again. Whoever says it piece
    /// by piece waits for others who do, not with those who say all at once.
    to_hear: [VecDeque<u64>; 2],
    /// Where the round stands.
    next: usize,
}

/// A kind of errand.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// To let in one who has waited for a place.
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

impl<B: Backend> EventLoop<B> {
    /// Whether there is anything to do between the tenants' turns.
    pub(super) fn has_errands(&self) -> bool {
        let nodes_busy = self.upstream.as_ref().is_some_and(Upstream::has_ready);
        nodes_busy
            || !self.errands.is_empty()
            || self.entrance.as_ref().is_some_and(Entrance::is_busy)
    }

    fn door_has_room(&self) -> bool {
        self.entrance
            .as_ref()
            .is_some_and(|entrance| entrance.door.has_room())
    }

    /// Has a connection closed when its turn among those comes; it is not served any more.
    pub(super) fn doom(&mut self, link: u64) {
        if let Some(connection) = find(&mut self.connections, link)
            && !std::mem::replace(&mut connection.doomed, true)
        {
            self.errands.to_close.push_back(link);
        }
    }

    /// Has one on its way in heard when its turn comes.
    pub(super) fn hear_later(&mut self, link: u64) {
        if let Some(connection) = find(&mut self.connections, link)
            && !std::mem::replace(&mut connection.to_be_heard, true)
        {
            let again = std::mem::replace(&mut connection.was_heard, true);
            self.errands.to_hear[usize::from(again)].push_back(link);
        }
    }

    /// Does errands for a slice of time.
    pub(super) fn do_errands(&mut self, begin: Timestamp) {
        if let Some(entrance) = &self.entrance {
            let at_door = entrance.len();
            self.shared.at_door.store(at_door, Ordering::Relaxed);
        }
        let slice = match self.shared.limits.protections {
            true => SLICE,
            false => SLICE_UNPROTECTED,
        };
        let (mut now, mut without) = (begin, 0);
        while now.since(begin) < slice && without < ROUND.len() {
            let kind = ROUND[self.errands.next];
            self.errands.next = (self.errands.next + 1) % ROUND.len();
            if self.do_errand(now, kind) {
                without = 0;
                now = self.shared.clock.now();
            } else {
                without += 1;
            }
        }
    }

    /// False if there was nothing of the kind to do.
    fn do_errand(&mut self, now: Timestamp, kind: Kind) -> bool {
        match kind {
            Kind::Seat => self.seat_next(now),
            Kind::Accept => self.accept_next(now),
            Kind::AcceptAhead => self.door_has_room() && self.accept_next(now),
            Kind::Hear => self.hear_next(now, 0),
            Kind::HearAgain => self.hear_next(now, 1),
            Kind::Judge => self.judge_next(now),
            Kind::Close => match self.errands.to_close.pop_front() {
                Some(link) => {
                    self.close(link);
                    true
                }
                None => false,
            },
        }
    }

    fn hear_next(&mut self, now: Timestamp, again: usize) -> bool {
        let Some(link) = self.errands.to_hear[again].pop_front() else {
            return false;
        };
        if let Some(connection) = find(&mut self.connections, link) {
            connection.to_be_heard = false;
            match connection.place {
                _ if connection.doomed => {}
                Place::Lobby(id) => self.hear_guest(now, link, id),
                Place::Door(id) => self.hear_entrant(link, id),
                Place::Session(_) => {}
            }
        }
        true
    }
}
