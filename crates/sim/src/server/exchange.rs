//! What a loop does for the sessions whose turn it is; mirrors `runtime`'s: reads them all, serves
//! them all, writes to all.

use std::ops::Range;
use std::time::Duration;

use base::Timestamp;
use gateway::{Due, TenantSlot, TurnEnd};

use super::connection::Reset;
use super::event_loop::{EventLoop, INPUT_LEN, LINGER};
use super::{Kernel, Shared};
use crate::network::SocketId;

/// Sessions of one batch at most.
const BATCH_LEN_MAX: usize = 64;
/// Output after which a batch is written before more of it is served, in bytes.
const OUTPUT_LEN: usize = 256 * 1024;

/// A client that sends less than this of a long request in the time for one has stalled, in bytes.
const REQUEST_PART_LEN: u32 = 16 * 1024;

/// One session of a batch.
struct Place {
    due: Due,
    /// Where its input is, unless it is done with for this time.
    input: Option<Range<usize>>,
    output: Range<usize>,
    end: TurnEnd,
}

impl Place {
    fn socket(&self) -> SocketId {
        SocketId(self.due.link)
    }
}

/// What is to become of a session after its turn.
enum Next {
    Wait,
    Again,
    Close,
}

/// What each tenant of a batch took.
#[derive(Default)]
struct Spent(Vec<(TenantSlot, Duration)>);

impl Spent {
    fn add(&mut self, tenant: TenantSlot, took: Duration) {
        match self.0.iter_mut().find(|(of, _)| *of == tenant) {
            Some((_, sum)) => *sum += took,
            None => self.0.push((tenant, took)),
        }
    }
}

impl EventLoop {
    /// Serves sessions whose turns will take about `slice`, one at least; false if nobody waits.
    pub(super) fn serve_batch(
        &mut self,
        slice: Duration,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> bool {
        let mut places = self.choose(slice);
        let mut spent = Spent::default();
        self.read_all(&mut places, &mut spent, kernel, shared);
        self.shard.prefetch_items();
        self.serve_all(&mut places, &mut spent, kernel, shared);
        for (tenant, took) in spent.0 {
            self.shard.settle(self.clock, tenant, took);
        }
        !places.is_empty()
    }

    fn choose(&mut self, slice: Duration) -> Vec<Place> {
        let mut places = Vec::new();
        let mut cost = Duration::ZERO;
        while places.len() < BATCH_LEN_MAX
            && (places.is_empty() || cost < slice)
            && let Some(due) = self.shard.next_session(self.clock)
        {
            cost += due.cost;
            places.push(Place {
                due,
                input: None,
                output: 0..0,
                end: TurnEnd::Served,
            });
        }
        places.sort_by_key(|place| place.due.tenant);
        places
    }

    /// Writes what sessions still owe, and reads what they have to say.
    fn read_all(
        &mut self,
        places: &mut [Place],
        spent: &mut Spent,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let mut at = 0;
        for place in places {
            let began = self.clock;
            match self.read(place.due, at, kernel, shared) {
                Ok(Some(count)) => {
                    place.input = Some(at..at + count);
                    let input = &self.input[at..at + count];
                    self.shard.prefetch(place.due.session, input);
                    at += count;
                }
                Ok(None) => {}
                Err(Reset) => self.close(place.socket(), kernel, shared),
            }
            spent.add(place.due.tenant, self.clock.since(began));
        }
    }

    /// Reads to `at`; how much, or `None` if the session can have no turn now.
    fn read(
        &mut self,
        due: Due,
        at: usize,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> Result<Option<usize>, Reset> {
        let (session, socket, pricing) = (due.session, SocketId(due.link), shared.pricing);
        let Some(connection) = shared.find(socket).filter(|connection| !connection.doomed) else {
            return Ok(None);
        };
        if !self.shard.unsent(session).is_empty() {
            if !connection.writable {
                return Ok(None);
            }
            let count = connection.write(self.clock, self.shard.unsent(session), kernel)?;
            self.clock = self.clock + pricing.write(count);
            if count > 0 {
                connection.note_moved(self.clock);
            }
            self.shard.sent(session, count);
            if !self.shard.unsent(session).is_empty() {
                self.be_patient(socket, shared);
                return Ok(None);
            }
            connection.set_deadline(Timestamp::MAX);
            if connection.closing {
                self.close(socket, kernel, shared);
                return Ok(None);
            }
        }
        let wanted = self.shard.input_len_wanted(session).min(INPUT_LEN - at);
        if wanted == 0 || !connection.readable {
            return Ok(Some(0));
        }
        let count = connection.read(self.clock, &mut self.input[at..at + wanted], kernel)?;
        self.clock = self.clock + pricing.read(count);
        if count > 0 {
            connection.note_moved(self.clock);
        }
        Ok(Some(count))
    }

    /// Gives every session that was read its turn, and writes the replies whenever there are many.
    fn serve_all(
        &mut self,
        places: &mut [Place],
        spent: &mut Spent,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let now = self.clock;
        let mut served = 0;
        while served < places.len() {
            self.out.clear();
            let first = served;
            while served < places.len() && self.out.len() < OUTPUT_LEN {
                let place = &mut places[served];
                served += 1;
                let Some(input) = place.input.clone() else {
                    continue;
                };
                let (from, before) = (self.out.len(), shared.asked.operations.get());
                let input = &self.input[input];
                place.end = self
                    .shard
                    .turn(now, place.due.session, input, &mut self.out);
                place.output = from..self.out.len();
                let operations = shared.asked.operations.get() - before;
                let took = shared
                    .pricing
                    .serve(operations, input.len(), place.output.len());
                self.clock = self.clock + took;
                spent.add(place.due.tenant, took);
            }
            self.write_all(&places[first..served], spent, kernel, shared);
        }
    }

    fn write_all(
        &mut self,
        places: &[Place],
        spent: &mut Spent,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        for place in places.iter().filter(|place| place.input.is_some()) {
            let began = self.clock;
            match self.write(place, kernel, shared) {
                Ok(Next::Wait) => {}
                Ok(Next::Again) => self.go_on(place, kernel, shared),
                Ok(Next::Close) | Err(Reset) => self.close(place.socket(), kernel, shared),
            }
            spent.add(place.due.tenant, self.clock.since(began));
            shared.trace.add(place.due.link);
            shared.trace.add(self.clock.as_nanos());
        }
    }

    /// Lets a session that is not served to its end wait for another turn.
    fn go_on(&mut self, place: &Place, kernel: &Kernel<'_>, shared: &mut Shared) {
        let (now, socket) = (self.clock, place.socket());
        let Some(connection) = shared.find(socket) else {
            return;
        };
        if connection.peer_closed {
            connection.set_deadline(now + LINGER);
        }
        let pending = || kernel.network.pending(socket);
        self.shard.make_ready_again(now, place.due.session, pending);
    }

    /// Writes one session's replies, and judges what is to become of it.
    fn write(
        &mut self,
        place: &Place,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> Result<Next, Reset> {
        let (session, pricing) = (place.due.session, shared.pricing);
        let Some(connection) = shared.find(place.socket()) else {
            return Ok(Next::Wait);
        };
        let output = &self.out[place.output.clone()];
        let mut written = 0;
        if !output.is_empty() {
            self.clock = self.clock + pricing.write(output.len());
            written = connection.write(self.clock, output, kernel)?;
            if written > 0 {
                connection.note_moved(self.clock);
            }
        }
        let readable = connection.readable;
        let over = match place.end {
            TurnEnd::Close => true,
            TurnEnd::Served => connection.at_end,
            TurnEnd::MoreToDo | TurnEnd::Waiting => false,
        };
        connection.closing = over;
        self.shard.keep_unsent(session, written, &output[written..]);
        let all_written = written == output.len();
        if all_written && !over && place.end == TurnEnd::Served {
            self.watch_request(place, shared);
        }
        Ok(match (all_written, over) {
            (true, true) => Next::Close,
            (true, false) if place.end == TurnEnd::MoreToDo => Next::Again,
            (true, false) if place.end == TurnEnd::Served && readable => Next::Again,
            (true, false) => Next::Wait,
            (false, _) => {
                self.be_patient(place.socket(), shared);
                Next::Wait
            }
        })
    }

    /// Gives a request that has begun its time to be completed; a long one, for each part of it.
    fn watch_request(&mut self, place: &Place, shared: &mut Shared) {
        let is_mid_request = self.shard.is_mid_request(place.due.session);
        let came = place.input.as_ref().map_or(0, ExactSizeIterator::len);
        let patience = shared.config.stalled_writer_timeout;
        let Some(connection) = shared.find(place.socket()) else {
            return;
        };
        if !is_mid_request {
            connection.request_len = 0;
            connection.set_deadline(Timestamp::MAX);
            return;
        }
        let is_new = connection.deadline == Timestamp::MAX;
        let came = u32::try_from(came).unwrap_or(u32::MAX);
        connection.request_len = connection.request_len.saturating_add(came);
        if is_new || connection.request_len >= REQUEST_PART_LEN {
            connection.request_len = 0;
            self.close_after(place.socket(), patience, shared);
        }
    }

    /// Lets a client have some time to read anything of what it is owed.
    fn be_patient(&mut self, socket: SocketId, shared: &mut Shared) {
        let patience: Duration = match shared.find(socket) {
            Some(connection) if connection.peer_closed => LINGER,
            _ => shared.config.stalled_reader_timeout,
        };
        self.close_after(socket, patience, shared);
    }
}
