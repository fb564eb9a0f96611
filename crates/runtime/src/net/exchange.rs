//! What a loop does for one session in its turn: reads, lets it be served, writes.

use std::io;
use std::time::Duration;

use base::Timestamp;
use gateway::{Backend, Gather, SessionId, TurnEnd};

use super::event_loop::{EventLoop, LINGER, SCRATCH_LEN, find};
use super::loops::Mail;

/// How long sessions are served before the kernel is asked again who has come.
const SERVE_SLICE: Duration = Duration::from_micros(50);
/// The same while one tenant has the loop for itself, and only newcomers could have to wait.
const SERVE_SLICE_ALONE: Duration = Duration::from_micros(200);
/// Output room kept from turn to turn, in bytes.
const OUTPUT_KEPT_LEN: usize = 256 * 1024;

impl<B: Backend> EventLoop<B> {
    /// Serves sessions for a slice of time; tells the time at its end.
    pub(super) fn serve(&mut self, begin: Timestamp) -> Timestamp {
        let slice = match self.shard.tenants_present() {
            0 | 1 => SERVE_SLICE_ALONE,
            _ => SERVE_SLICE,
        };
        let mut now = begin;
        while let Some((id, link)) = self.shard.next_session() {
            self.serve_session(now, id, link);
            let after = self.shared.clock.now();
            self.shard.charge(after.since(now));
            now = after;
            if now.since(begin) >= slice {
                break;
            }
        }
        now
    }

    /// One session's turn: what it still owed, then what it has to say, then the replies.
    fn serve_session(&mut self, now: Timestamp, id: SessionId, link: u64) {
        match self.exchange(now, id, link) {
            Ok(Next::Wait) => {}
            Ok(Next::Again) => self.shard.make_ready(id),
            Ok(Next::Close) | Err(_) => self.close(link),
        }
    }

    fn exchange(&mut self, now: Timestamp, id: SessionId, link: u64) -> io::Result<Next> {
        let Some(connection) = find(&mut self.connections, link) else {
            return Ok(Next::Wait);
        };
        if !self.shard.unsent(id).is_empty() {
            if !connection.writable {
                return Ok(Next::Wait);
            }
            let count = connection.write(self.shard.unsent(id))?;
            self.shard.sent(id, count);
            if !self.shard.unsent(id).is_empty() {
                let patience = self.patience(link);
                self.close_after(now, link, patience);
                return Ok(Next::Wait);
            }
            connection.deadline = Timestamp::MAX;
            if connection.closing {
                return Ok(Next::Close);
            }
        }
        let wanted = self.shard.input_len_wanted(id).min(SCRATCH_LEN);
        let count = if wanted > 0 && connection.readable {
            connection.read(&mut self.scratch[..wanted])?
        } else {
            0
        };
        self.out.clear();
        let end = self
            .shard
            .turn(now, id, &self.scratch[..count], &mut self.out);
        let written = match self.out.is_empty() {
            true => 0,
            false => connection.write(&self.out)?,
        };
        let (at_end, readable) = (connection.at_end, connection.readable);
        let over = match end {
            TurnEnd::Close => true,
            TurnEnd::Served => {
                at_end || (self.draining && !readable && !self.shard.is_mid_request(id))
            }
            TurnEnd::MoreToDo | TurnEnd::Waiting => false,
        };

        connection.closing = over;
        self.shard.keep_unsent(id, written, &self.out[written..]);
        let all_written = written == self.out.len();
        // What the turn wrote comes before what it waits for.
        if let Some(gather) = self.shard.take_gather() {
            self.pass_on(now, gather);
        }
        self.out.shrink_to(OUTPUT_KEPT_LEN);
        Ok(match (all_written, over) {
            (true, true) => Next::Close,
            (true, false) if end == TurnEnd::MoreToDo => Next::Again,
            (true, false) if end == TurnEnd::Served && readable => Next::Again,
            (true, false) => Next::Wait,
            (false, _) => {
                let patience = self.patience(link);
                self.close_after(now, link, patience);
                Next::Wait
            }
        })
    }

    /// How long a client may take to read anything of what it is owed.
    fn patience(&mut self, link: u64) -> Duration {
        let stalled_reader_timeout = self.shared.limits.stalled_reader_timeout;
        match self.connection(link) {
            Some(connection) if connection.peer_closed => LINGER,
            _ => stalled_reader_timeout,
        }
    }

    pub(super) fn close_after(&mut self, now: Timestamp, link: u64, patience: Duration) {
        let deadline = now + patience;
        if let Some(connection) = self.connection(link) {
            connection.deadline = deadline;
            // An alarm at an earlier deadline finds the new one; one at a later would come late.
            let has_alarm = std::mem::replace(&mut connection.has_alarm, true);
            if !has_alarm || patience <= LINGER {
                self.deadlines.add(deadline, link);
            }
        }
    }

    /// Sends a list on to the next loop that runs, or, once it has been to all of them, answers
    /// with it.
    pub(super) fn pass_on(&mut self, now: Timestamp, mut gather: Gather) {
        let (here, origin) = (self.shard.loop_index(), gather.loop_index());
        if origin != here {
            self.shard.list(now, &mut gather);
        }
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
