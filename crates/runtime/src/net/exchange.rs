//! What a loop does for the sessions whose turn it is: reads them all, serves them all, writes to all.
//!
//! Sessions are served in batches. Their input is read first, so that what their requests will need
//! in memory is on its way while the others are read; and code that does one thing many times over
//! stays in the processor's caches.

use std::io;
use std::ops::Range;
use std::time::Duration;

use base::Timestamp;
use gateway::{Backend, Due, Gather, Peer, SessionId, TenantSlot, TurnEnd};

use super::event_loop::{EventLoop, INPUT_LEN, LINGER};
use super::link::{find, slot_of};
use super::loops::Mail;
use super::meter::Meter;

/// How long sessions are served before the kernel is asked again who has come.
const SERVE_SLICE: Duration = Duration::from_micros(50);
/// The same while one tenant has the loop for itself and nobody stands at the entrance.
const SERVE_SLICE_ALONE: Duration = Duration::from_micros(400);
/// The same without protections: whoever has come is served first.
pub(super) const SLICE_UNPROTECTED: Duration = Duration::from_millis(10);
/// A client that sends less than this of a long request in the time for one has stalled, in bytes.
const REQUEST_PART_LEN: u16 = 16 * 1024;
/// How long a client whose connection is only kept for its request may send nothing of it.
const LEAVING_PATIENCE: Duration = Duration::from_secs(1);
/// Sessions of one batch at most.
const BATCH_LEN_MAX: usize = 64;
/// Output after which a batch is written before more of it is served, and room for output that is
/// kept from batch to batch, in bytes.
const OUTPUT_LEN: usize = 256 * 1024;

/// Sessions that are served together, and where their bytes are.
#[derive(Default)]
pub(super) struct Batch {
    places: Vec<Place>,
    meter: Meter<TenantSlot>,
}

/// One session of a batch.
struct Place {
    due: Due,
    /// Where its input is, unless it is done with for this time.
    input: Option<Range<usize>>,
    output: Range<usize>,
    end: TurnEnd,
}

impl<B: Backend> EventLoop<B> {
    /// Serves sessions for a slice of time; tells the time at its end.
    pub(super) fn serve(&mut self, begin: Timestamp) -> Timestamp {
        let slice = self.slice();
        let mut batch = std::mem::take(&mut self.batch);
        let mut now = begin;
        while self.choose(now, &mut batch, slice.saturating_sub(now.since(begin))) {
            batch.meter.start(now);
            self.read_all(now, &mut batch);
            self.shard.prefetch_items();
            self.serve_all(now, &mut batch);
            now = self.settle(&mut batch);
            if now.since(begin) >= slice {
                break;
            }
        }
        self.batch = batch;
        now
    }

    fn slice(&self) -> Duration {
        if !self.shared.limits.protections {
            SLICE_UNPROTECTED
        } else if self.shard.tenants_present() <= 1 && !self.has_errands() {
            SERVE_SLICE_ALONE
        } else {
            SERVE_SLICE
        }
    }

    /// Fills a batch with sessions whose turns will take about `slice`, one at least; false if
    /// nobody waits.
    fn choose(&mut self, now: Timestamp, batch: &mut Batch, slice: Duration) -> bool {
        batch.places.clear();
        let mut cost = Duration::ZERO;
        while batch.places.len() < BATCH_LEN_MAX
            && (batch.places.is_empty() || cost < slice)
            && let Some(due) = self.shard.next_session(now)
        {
            cost += due.cost;
            batch.places.push(Place {
                due,
                input: None,
                output: 0..0,
                end: TurnEnd::Served,
            });
        }
        // Within so short a time the order tells nobody anything, and a tenant's time is read once.
        batch.places.sort_by_key(|place| place.due.tenant);
        !batch.places.is_empty()
    }

    /// Writes what sessions still owe, and reads what they have to say.
    fn read_all(&mut self, now: Timestamp, batch: &mut Batch) {
        let clock = self.shared.clock;
        let mut at = 0;
        for place in &mut batch.places {
            batch.meter.switch(place.due.tenant, || clock.now());
            match self.read(now, place.due, at) {
                Ok(Some(count)) => {
                    place.input = Some(at..at + count);
                    self.shard
                        .prefetch(place.due.session, &self.input[at..at + count]);
                    at += count;
                }
                Ok(None) => {}
                Err(_) => self.close(place.due.link),
            }
        }
    }

    /// Reads to `at`; how much, or `None` if the session can have no turn now.
    fn read(&mut self, now: Timestamp, due: Due, at: usize) -> io::Result<Option<usize>> {
        let Due { session, link, .. } = due;
        let Some(connection) =
            find(&mut self.connections, link).filter(|connection| !connection.doomed)
        else {
            return Ok(None);
        };
        if !self.shard.unsent(session).is_empty() {
            if !connection.writable {
                return Ok(None);
            }
            let count = connection.write(self.shard.unsent(session))?;
            if count > 0 {
                connection.note_moved(now);
            }
            self.shard.sent(session, count);
            if !self.shard.unsent(session).is_empty() {
                let patience = self.patience(link);
                self.close_after(now, link, patience);
                return Ok(None);
            }
            connection.set_deadline(Timestamp::MAX);
            if connection.closing {
                self.close(link);
                return Ok(None);
            }
        }
        let wanted = self.shard.input_len_wanted(session).min(INPUT_LEN - at);
        if wanted == 0 || !connection.readable {
            return Ok(Some(0));
        }
        let count = connection.read(&mut self.input[at..at + wanted])?;
        if count > 0 {
            connection.note_moved(now);
        }
        Ok(Some(count))
    }

    /// Gives every session that was read its turn, and writes the replies whenever there are many.
    fn serve_all(&mut self, now: Timestamp, batch: &mut Batch) {
        let clock = self.shared.clock;
        let mut served = 0;
        while served < batch.places.len() {
            self.out.clear();
            let first = served;
            let mut gather = None;
            while served < batch.places.len() && self.out.len() < OUTPUT_LEN && gather.is_none() {
                let place = &mut batch.places[served];
                served += 1;
                let Some(input) = place.input.clone() else {
                    continue;
                };
                batch.meter.switch(place.due.tenant, || clock.now());
                let begin = self.out.len();
                let input = &self.input[input];
                place.end = self
                    .shard
                    .turn(now, place.due.session, input, &mut self.out);
                place.output = begin..self.out.len();
                gather = self.shard.take_gather();
            }
            self.write_all(now, &batch.places[first..served], &mut batch.meter);
            // What its turn wrote comes before what it waits for.
            if let Some(gather) = gather {
                self.pass_on(now, gather);
            }
        }
        self.out.shrink_to(OUTPUT_LEN);
    }

    fn write_all(&mut self, now: Timestamp, places: &[Place], meter: &mut Meter<TenantSlot>) {
        let clock = self.shared.clock;
        for place in places.iter().filter(|place| place.input.is_some()) {
            meter.switch(place.due.tenant, || clock.now());
            match self.write(now, place) {
                Ok(Next::Wait) => {}
                Ok(Next::Again) => self.go_on(now, place.due),
                Ok(Next::Close) | Err(_) => self.close(place.due.link),
            }
        }
    }

    /// Lets a session that is not served to its end wait for another turn.
    fn go_on(&mut self, now: Timestamp, due: Due) {
        let Some(connection) = find(&mut self.connections, due.link) else {
            return;
        };
        if connection.peer_closed {
            connection.set_deadline(now + LINGER);
        }
        self.shard
            .make_ready_again(now, due.session, || connection.pending());
    }

    /// Writes one session's replies, and judges what is to become of it.
    fn write(&mut self, now: Timestamp, place: &Place) -> io::Result<Next> {
        let Due { session, link, .. } = place.due;
        let Some(connection) = find(&mut self.connections, link) else {
            return Ok(Next::Wait);
        };
        let output = &self.out[place.output.clone()];
        let written = match output.is_empty() {
            true => 0,
            false => connection.write(output)?,
        };
        if written > 0 {
            connection.note_moved(now);
        }
        let (at_end, readable) = (connection.at_end, connection.readable);
        let leaving = self.draining || connection.leaving;
        // Whoever has asked a node is answered before he is let go.
        let is_awaiting = self.shard.is_awaiting(session);
        connection.at_end |= is_awaiting && place.end == TurnEnd::Close;
        let over = match place.end {
            TurnEnd::Close | TurnEnd::Served if is_awaiting => false,
            TurnEnd::Close => true,
            TurnEnd::Served => {
                at_end || (leaving && !readable && !self.shard.is_mid_request(session))
            }
            TurnEnd::MoreToDo | TurnEnd::Waiting => false,
        };
        connection.closing = over;
        self.shard.keep_unsent(session, written, &output[written..]);
        let all_written = written == output.len();
        if all_written && !over && place.end == TurnEnd::Served {
            let came = place.input.as_ref().map_or(0, ExactSizeIterator::len);
            self.watch_request(now, session, link, came);
        }
        Ok(match (all_written, over) {
            (true, true) => Next::Close,
            (true, false) if place.end == TurnEnd::MoreToDo => Next::Again,
            (true, false) if place.end == TurnEnd::Served && readable => Next::Again,
            (true, false) => Next::Wait,
            (false, _) => {
                let patience = self.patience(link);
                self.close_after(now, link, patience);
                Next::Wait
            }
        })
    }

    /// Charges every tenant of the batch what it took; tells the time.
    fn settle(&mut self, batch: &mut Batch) -> Timestamp {
        let now = self.shared.clock.now();
        batch.meter.stop(now);
        for (tenant, took) in batch.meter.spent() {
            self.shard.settle(now, *tenant, *took);
        }
        now
    }

    /// Gives a request that has begun its time to be completed; a long one, for each part of it.
    fn watch_request(&mut self, now: Timestamp, session: SessionId, link: u64, came: usize) {
        let is_mid_request = self.shard.is_mid_request(session);
        let Some(connection) = find(&mut self.connections, link) else {
            return;
        };
        if !is_mid_request {
            connection.request_len = 0;
            connection.set_deadline(Timestamp::MAX);
            return;
        }
        let is_new = connection.deadline == Timestamp::MAX;
        let came = u16::try_from(came).unwrap_or(u16::MAX);
        connection.request_len = connection.request_len.saturating_add(came);
        let mut patience = self.shared.limits.stalled_writer_timeout;
        let is_leaving = self.draining || connection.leaving;
        if is_leaving {
            patience = patience.min(LEAVING_PATIENCE);
        }
        // Whoever leaves has no more time in all than the drain has: each byte shows that he goes on.
        let goes_on = is_leaving && came > 0;
        let is_too_long = connection.deadline > now + patience;
        if is_new || is_too_long || goes_on || connection.request_len >= REQUEST_PART_LEN {
            connection.request_len = 0;
            self.close_after(now, link, patience);
        }
    }

    /// How long a client may take to read anything of what it is owed.
    pub(super) fn patience(&mut self, link: u64) -> Duration {
        let stalled_reader_timeout = self.shared.limits.stalled_reader_timeout;
        match self.connection(link) {
            Some(connection) if connection.peer_closed => LINGER,
            _ => stalled_reader_timeout,
        }
    }

    pub(super) fn close_after(&mut self, now: Timestamp, link: u64, patience: Duration) {
        if !self.shared.limits.protections {
            return;
        }
        if let Some(connection) = self.connection(link) {
            connection.set_deadline(now + patience);
            if let Some(at) = connection.set_alarm() {
                self.deadlines.add(at, link);
            }
        }
    }

    /// Sends a list on to the next loop that runs, or, once it has been to all of them, answers
    /// with it.
    pub(super) fn pass_on(&mut self, now: Timestamp, mut gather: Gather) {
        let (here, origin) = (self.shard.loop_index(), gather.loop_index());
        self.shard.list(now, &mut gather, |link| {
            let connection = self.connections.get(slot_of(link));
            connection.map_or(Peer::Unix, |connection| connection.stream.local())
        });
        let mut next = (here + 1) % self.loops.len();
        while next != origin {
            match self.loops[next].send(Mail::Gather(gather)) {
                // A loop that has drained has no connections to tell of.
                Err(Mail::Gather(returned)) => gather = returned,
                _ => return,
            }
            next = (next + 1) % self.loops.len();
        }
        if origin == here {
            self.shard.answer(now, gather);
        } else {
            // Had the loop that asked ended, then so had the session.
            let _ = self.loops[origin].send(Mail::Gathered(gather));
        }
    }
}

/// What is to become of a session after its turn.
enum Next {
    Wait,
    Again,
    Close,
}
