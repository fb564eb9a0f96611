//! One session's turn: requests from its bytes, operations on its tenant, replies to its output.

mod refusal;
mod stats;
mod tally;
mod transfer;
mod wait;

use std::mem;

use base::kv::{Op, Outcome, Store};
use base::{Rights, Timestamp};
use memcache_proto::{
    Action, INPUT_LEN_MAX, KeyBuf, OwnedReply, Reply, ReplySink, StatsKind, Step,
};

use crate::delivery::Awaited;
use crate::figures::LoopFigures;
use crate::ledger::Ledgers;
use crate::pause::Mode;
use crate::session::{Session, SessionId, Transfer};
use crate::tenant::Tenant;
use crate::{Backend, Execution, Shard, ShardConfig};
use tally::Tally;

/// Input read at a time by a session that is between requests, in bytes.
const READ_LEN: usize = 16 * 1024;
/// Input read at a time by one in the middle of a request, in bytes.
const READ_LEN_MID_REQUEST: usize = 64 * 1024;
/// Lists of keys are missed so many in a turn for each request that would be served.
const MISSED_PER_SERVED: usize = 16;

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// All that has come is served: another turn when more comes. If the client has sent its last
    /// byte, the session is over.
    Served,
    /// Work is left: another turn once the output of this one is written.
    MoreToDo,
    /// Nothing can be done before what other loops know has come; see [`Shard::take_gather`].
    Waiting,
    /// To be closed once the output is written.
    Close,
}

impl<B: Backend> Shard<B> {
    /// How many bytes of input the session's next turn can use; none while it has unserved input.
    pub fn input_len_wanted(&self, id: SessionId) -> usize {
        match self.sessions.get(id.0 as usize) {
            Some(session) if !session.needs_input || session.mode == Mode::Flush => 0,
            Some(session)
                if session.transfer.is_some()
                    || !session.unread.is_empty()
                    || session.mode.refuses() =>
            {
                READ_LEN_MID_REQUEST
            }
            _ => READ_LEN,
        }
    }

    /// Serves a session: what it has kept, then `input`; appends replies to `out`.
    ///
    /// Not to be called while the session has [`unsent`](Shard::unsent) output. Hand what the
    /// connection does not take to [`keep_unsent`](Shard::keep_unsent).
    pub fn turn(
        &mut self,
        now: Timestamp,
        id: SessionId,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> TurnEnd {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return TurnEnd::Close;
        };
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return TurnEnd::Close;
        };
        if session.mode == Mode::Flush {
            return TurnEnd::MoreToDo;
        }
        if let Some(Transfer::Gathering { .. }) = session.transfer.as_deref() {
            if let Some(ledger) = self.ledgers.of(session.ledger) {
                ledger.begin_turn(out);
            }
            let end = self.resume_gathering(id, out);
            self.seal(id, out);
            return end;
        }
        let out_len_before = out.len();
        if let Some(ledger) = self.ledgers.of(session.ledger) {
            ledger.begin_turn(out);
        }
        let was_mid_value = session.transfer.is_some();
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.bytes_read.add(input.len() as u64);
        session.active_s = now.unix_secs();

        let mut kept = mem::take(&mut session.unread);
        if !kept.is_empty() {
            kept.append(input);
        }
        let bytes = if kept.is_empty() {
            input
        } else {
            kept.as_slice()
        };
        let mut turn = Turn {
            now,
            backend: &self.backend,
            tenant,
            figures,
            session,
            session_id: id,
            out,
            tally: Tally::default(),
            ledgers: &mut self.ledgers,
            awaited: &mut self.awaited,
        };
        let (consumed, stop) = turn.run(bytes, &self.config, &mut self.key_buf);
        let tally = turn.tally;
        session.use_input(consumed);
        if was_mid_value && session.transfer.is_none() {
            // What stands behind a value has waited for that.
            session.wait_from(now);
        }

        if kept.is_empty() {
            session.unread = input[consumed..].to_vec().into();
        } else {
            kept.consume(consumed);
            session.unread = kept;
        }
        let end = match stop {
            Stop::End(TurnEnd::Served) if session.unread.len() > INPUT_LEN_MAX => TurnEnd::Close,
            Stop::End(end) => end,
            Stop::Stats(..) => TurnEnd::MoreToDo,
        };
        session.needs_input = end == TurnEnd::Served;
        if end == TurnEnd::MoreToDo {
            figures.turns_cut_short.add(1);
        }
        let written = out.len() - out_len_before;
        self.count(id, tally, input.len(), written);
        let end = match stop {
            Stop::End(_) => end,
            Stop::Stats(StatsKind::Conns, reply) => self.gather_connections(now, id, reply, out),
            Stop::Stats(kind, reply) => {
                self.write_stats(now, id, kind, reply.borrow(), out);
                end
            }
        };
        self.seal(id, out);
        end
    }
}

/// What ended the run of requests.
enum Stop {
    End(TurnEnd),
    /// Statistics are due, which look at more than this session.
    Stats(StatsKind<'static>, OwnedReply),
}

struct Turn<'t, B: Backend> {
    now: Timestamp,
    backend: &'t B,
    tenant: &'t Tenant<B::Tenant>,
    figures: &'t LoopFigures,
    session: &'t mut Session,
    session_id: SessionId,
    out: &'t mut Vec<u8>,
    tally: Tally,
    ledgers: &'t mut Ledgers,
    awaited: &'t mut Vec<Awaited>,
}

impl<B: Backend> Turn<'_, B> {
    /// Serves requests until the bytes or the budget are used up; tells how many bytes were used.
    fn run(&mut self, bytes: &[u8], config: &ShardConfig, key_buf: &mut KeyBuf) -> (usize, Stop) {
        let limits = &self.tenant.limits;
        let is_refused = self.session.mode.refuses();
        // A list that is missed counts for one, all else for what it would if it were served.
        let (steps_max, step) = match is_refused {
            true => (
                config.turn_requests_max * MISSED_PER_SERVED,
                MISSED_PER_SERVED,
            ),
            false => (self.tenant.pace.turn_requests_max, 1),
        };
        // What stands there already is other sessions'.
        let output_end = self.out.len() + config.turn_output_len_max;
        let mut consumed_total = 0;
        let mut steps = 0;
        loop {
            if let Some(end) = self.send_values(output_end) {
                return (consumed_total, Stop::End(end));
            }
            let rest = &bytes[consumed_total..];
            let is_over = steps >= steps_max || self.out.len() >= output_end;
            if is_over && !self.has_list_end_only(rest) {
                return (consumed_total, Stop::End(TurnEnd::MoreToDo));
            }
            if self.must_wait() {
                return (consumed_total, Stop::End(TurnEnd::Waiting));
            }
            let missed = match is_refused {
                true => self.miss_keys(rest),
                false => None,
            };
            steps += if missed.is_some() { 1 } else { step };
            let step = match missed {
                Some(step) => step,
                None => self.session.decoder.decode(self.now, rest, limits, key_buf),
            };
            match step {
                Step::Incomplete => return (consumed_total, Stop::End(TurnEnd::Served)),
                Step::Skip { consumed } => consumed_total += consumed,
                Step::Request { consumed, request } => {
                    consumed_total += consumed;
                    if let Some(stop) = self.serve(request.action, request.reply) {
                        return (consumed_total, stop);
                    }
                }
                Step::Body { consumed, bytes } => {
                    consumed_total += consumed;
                    self.receive(bytes);
                }
                Step::BodyEnd { consumed, intact } => {
                    consumed_total += consumed;
                    self.end_upload(intact);
                }
            }
        }
    }

    /// Whether nothing is left of a list but its end.
    fn has_list_end_only(&self, rest: &[u8]) -> bool {
        self.session.transfer.is_none() && self.session.decoder.is_at_list_end(rest)
    }

    fn serve(&mut self, action: Action<'_>, reply: Reply<'_>) -> Option<Stop> {
        if reply.is_meta() {
            self.figures.meta_requests.add(1);
        }
        match action {
            Action::Kv(op) => self.kv(&op, &reply),
            Action::StoreLarge { store, len } => self.store_large(&store, len, reply),
            Action::Refused { key, drop_old } => self.refuse(key, drop_old, &reply),
            Action::FlushAll { delay } => {
                self.tally.others += 1;
                if !self.session.rights.flush {
                    reply.outcome(Outcome::Denied, self.out);
                    return None;
                }
                let at = self.now + delay.unwrap_or_default();
                self.backend.flush(&self.tenant.data, self.now, at);
                reply.answer(self.out);
            }
            Action::Stats(StatsKind::Reset) => {
                self.tally.others += 1;
                if !self.session.rights.write {
                    reply.outcome(Outcome::Denied, self.out);
                    return None;
                }
                self.backend.reset_stats(&self.tenant.data);
                self.tenant.figures.prefixes.clear();
                reply.answer(self.out);
            }
            Action::Stats(kind) => {
                self.tally.others += 1;
                return self.stats(kind, reply);
            }
            Action::Verbosity => {
                self.tally.others += 1;
                reply.answer(self.out);
            }
            Action::Answer if reply.is_about_health() && !self.is_reachable() => {
                reply.unreachable(self.out);
            }
            // The end of a list, too, which is no request of its own.
            Action::Answer => reply.answer(self.out),
            Action::Close => {
                reply.answer(self.out);
                return Some(Stop::End(TurnEnd::Close));
            }
        }
        None
    }

    fn kv(&mut self, op: &Op<'_>, reply: &Reply<'_>) {
        if !covers(self.session.rights, rights_needed(op)) {
            self.tally.others += 1;
            reply.outcome(Outcome::Denied, self.out);
            self.session.decoder.abandon();
            return;
        }
        if self.is_refused(op) && self.refuse_late(op, reply) {
            return;
        }
        let (now, figures) = (self.now, self.figures);
        self.tenant.figures.keys.note(now, &figures.dice, op.key());
        match op {
            Op::Get(_) => self.tally.reads += 1,
            Op::Store(store) if self.session.mode == Mode::Relieve => {
                self.tally.writes += 1;
                self.tally.stored_bytes += store.value.len() as u64;
            }
            _ => self.tally.writes += 1,
        }
        self.execute(op, reply);
    }

    fn execute(&mut self, op: &Op<'_>, reply: &Reply<'_>) {
        let mut sink = ReplySink::new(reply, self.now, self.out);
        let execution = self
            .backend
            .execute(&self.tenant.data, self.now, op, &mut sink);
        let pinned = sink.pinned;
        match execution {
            Execution::Done(outcome) => {
                reply.outcome(outcome, self.out);
                self.note_detail(op, outcome);
            }
            Execution::Pending(id) => {
                self.await_answer(id, reply);
                return self.await_detail(id, op);
            }
        }
        if let Some((pin, tail)) = pinned {
            self.session.transfer = Some(Box::new(Transfer::Download {
                pin,
                offset: 0,
                tail,
            }));
        }
    }

    fn store_large(&mut self, store: &Store<'_>, len: u32, reply: Reply<'_>) {
        let refusal = if !self.session.rights.write {
            self.tally.others += 1;
            Some(Outcome::Denied)
        } else if self.session.mode.refuses() {
            Some(self.refuse_late_store(store))
        } else {
            let (now, figures) = (self.now, self.figures);
            self.tenant.figures.keys.note(now, &figures.dice, store.key);
            self.note_detail(&Op::Store(store.clone()), Outcome::NotStored);
            self.tally.writes += 1;
            None
        };
        self.begin_upload(store, len, refusal, reply);
    }

    /// Answers to a value that is too large.
    fn refuse(&mut self, key: &[u8], drop_old: bool, reply: &Reply<'_>) {
        self.tally.writes += 1;
        if !self.session.rights.write {
            reply.outcome(Outcome::Denied, self.out);
            return;
        }
        if drop_old {
            self.remove(refusal::remove(key, None));
        }
        reply.outcome(Outcome::TooLarge, self.out);
    }
}

/// What returns a value needs the right to read, what changes an item the right to write.
fn rights_needed(op: &Op<'_>) -> Rights {
    let (read, write) = match op {
        Op::Get(get) => (true, get.touch.is_some() || get.vivify.is_some()),
        Op::Store(_) | Op::Delete(_) => (false, true),
        Op::Arith(_) => (true, true),
    };
    Rights {
        read,
        write,
        flush: false,
    }
}

fn covers(given: Rights, needed: Rights) -> bool {
    (given.read || !needed.read) && (given.write || !needed.write)
}

#[cfg(test)]
mod late_test;
