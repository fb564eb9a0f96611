//! The replies of one connection, put together by whichever thread has them and sent in one go.
//!
//! A connection's own thread sends and waits if its client does not read: that is its back-pressure.
//! Other threads send what the socket takes at once, and leave the rest to a thread made for it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use base::Timestamp;
use nbd_proto::{Errno, Extent, Replies};

use super::meters::{Meters, Operation};
use super::request::{Outcome, Part, PartKind, Whole};
use super::stream::Stream;

/// Data of at least this length is sent from where it is.
const COPIED_LEN_MAX: usize = 16 << 10;
/// What a connection's reads and large writes may hold in memory before it takes no more requests.
pub(super) const READS_LEN_MAX: u64 = 8 << 20;
/// Pieces in one call of the system.
const SLICES_MAX: usize = 64;

/// Replies on their way to one client.
#[derive(Debug)]
pub(super) struct Outbox {
    stream: Stream,
    replies: Replies,
    meters: Arc<Meters>,
    state: Mutex<State>,
    calm: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    len: usize,
    sending: bool,
    broken: bool,
    /// Requests that are not answered.
    under_way: u64,
    /// Bytes of data that reads under way will bring.
    reads_len: u64,
    /// Bytes of large writes that are being stored.
    writes_len: u64,
}

/// Whose thread it is that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The connection's own, which may wait.
    Own,
    /// The connection's own, which has something to do first, and sends again after that.
    Busy,
    /// Another, which may not.
    Other,
}

impl Outbox {
    /// For a connection whose handshake is over.
    pub(super) fn new(stream: Stream, structured: bool, meters: Arc<Meters>) -> Self {
        Self {
            stream,
            meters,
            replies: Replies::new(structured),
            state: Mutex::default(),
            calm: Condvar::new(),
        }
    }

    /// Whether a READ may be answered in several chunks.
    pub(super) fn is_structured(&self) -> bool {
        self.replies.is_structured()
    }

    /// A request begins that will bring so much data.
    pub(super) fn begins(&self, reads_len: u64, now: Timestamp) {
        self.meters.begins(now);
        let mut state = self.state();
        state.under_way += 1;
        state.reads_len += reads_len;
    }

    /// A large write that is being stored holds so much memory.
    pub(super) fn holds(&self, len: u64) {
        self.state().writes_len += len;
    }

    /// It holds it no more.
    pub(super) fn lets_go(&self, len: u64) {
        self.state().writes_len -= len;
        self.calm.notify_all();
    }

    /// Whether requests under way, and answers on their way, hold as much as they may.
    pub(super) fn is_laden(&self) -> bool {
        self.state().is_laden()
    }

    /// Waits until they hold less.
    pub(super) fn await_unladen(&self) {
        let state = self.state();
        let laden = |state: &mut State| state.is_laden() && !state.broken;
        drop(self.calm.wait_while(state, laden));
    }

    /// Waits until every request is answered and every answer sent.
    pub(super) fn await_calm(&self) {
        let state = self.state();
        let busy = |state: &mut State| (state.under_way > 0 || state.len > 0) && !state.broken;
        drop(self.calm.wait_while(state, busy));
    }

    /// Puts the answer of one part of a request; to be sent with [`Outbox::send`].
    pub(super) fn answer(&self, part: &Part, outcome: Outcome, now: Timestamp) {
        let failed = matches!(outcome, Outcome::Failed(..));
        if !failed {
            let operation = Operation::of(part.kind);
            self.meters.moves(operation, u64::from(part.len));
        }
        let mut state = self.state();
        match &part.whole {
            None => {
                state.answered(part.reads_len());
                self.put_single(&mut state, part, outcome);
                self.ended(part, now, !failed);
            }
            Some(whole) => {
                if let Some(ok) = self.put_part(&mut state, part, whole, outcome) {
                    self.ended(part, now, ok);
                }
            }
        }
    }

    /// A WRITE began whose data will not come: nothing can be answered any more.
    pub(super) fn give_up(&self, begun: Timestamp, now: Timestamp) {
        self.meters.ends(Operation::Write, begun, now, false);
        self.break_off();
    }

    fn ended(&self, part: &Part, now: Timestamp, ok: bool) {
        let operation = Operation::of(part.kind);
        self.meters.ends(operation, part.begun, now, ok);
    }

    /// Puts an error for a request that was refused as it came.
    pub(super) fn refuse(&self, cookie: u64, errno: Errno, why: &str) {
        let mut state = self.state();
        let replies = self.replies;
        state.put(|out| replies.error(cookie, errno, why, out));
    }

    /// Puts the answer to a BLOCK_STATUS.
    pub(super) fn status(&self, cookie: u64, extents: &[Extent]) {
        let replies = self.replies;
        let mut state = self.state();
        state.put(|out| replies.block_status(cookie, extents, out));
    }

    /// Puts the answer to what is done as soon as it is asked.
    pub(super) fn done(&self, cookie: u64) {
        let replies = self.replies;
        let mut state = self.state();
        state.put(|out| replies.done(cookie, out));
    }

    fn put_single(&self, state: &mut State, part: &Part, outcome: Outcome) {
        let (replies, cookie) = (self.replies, part.cookie);
        match outcome {
            Outcome::Done => state.put(|out| replies.done(cookie, out)),
            Outcome::Failed(errno, why) => {
                state.put(|out| replies.error(cookie, errno, why, out));
            }
            Outcome::Data(data) => {
                state.put(|out| replies.data_header(cookie, part.offset, part.len, true, out));
                state.put_data(data);
            }
        }
    }

    /// Whether the request went well, if this was the last part of it.
    fn put_part(
        &self,
        state: &mut State,
        part: &Part,
        whole: &Arc<Whole>,
        outcome: Outcome,
    ) -> Option<bool> {
        let (replies, cookie) = (self.replies, part.cookie);
        match outcome {
            Outcome::Done => {}
            Outcome::Failed(errno, why) => whole.fail(errno, why),
            Outcome::Data(data) if whole.is_gathered() => whole.gather(part.offset, &data),
            Outcome::Data(data) => {
                state.put(|out| replies.data_header(cookie, part.offset, part.len, false, out));
                state.put_data(data);
            }
        }
        let end = whole.part_ended()?;
        let ok = end.0.is_none();
        state.answered(whole.reads_len());
        match end {
            (Some((errno, why)), _) => state.put(|out| replies.error(cookie, errno, why, out)),
            (None, None) => state.put(|out| replies.done(cookie, out)),
            (None, Some(data)) => {
                let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
                state.put(|out| replies.data_header(cookie, whole.offset, len, true, out));
                state.put_data(data);
            }
        }
        Some(ok)
    }

    /// Sends what there is.
    pub(super) fn send(self: &Arc<Self>, sender: Sender) {
        let mut state = self.state();
        if state.sending || state.len == 0 {
            return;
        }
        state.sending = true;
        drop(state);
        if self.send_all(sender == Sender::Own) {
            return;
        }
        if sender == Sender::Busy {
            self.state().sending = false;
            return;
        }
        let outbox = Arc::clone(self);
        let rest = thread::Builder::new().name("nbd-slow-client".to_owned());
        if let Err(error) = rest.spawn(move || outbox.send_all(true)) {
            tracing::warn!(%error, "no thread for a client that does not read; it is closed");
            self.break_off();
        }
    }

    /// Sends until nothing is left; `false` if the socket takes no more and it must not wait.
    fn send_all(&self, waits: bool) -> bool {
        loop {
            let mut state = self.state();
            if state.len == 0 || state.broken {
                state.clear();
                state.sending = false;
                self.calm.notify_all();
                return true;
            }
            let pieces = std::mem::take(&mut state.pieces);
            drop(state);
            let mut pieces = pieces;
            let sent = self.write(&mut pieces, waits);
            let mut state = self.state();
            match sent {
                Ok(len) => state.len = state.len.saturating_sub(len),
                Err(_) => state.broken = true,
            }
            self.calm.notify_all();
            let would_block = !pieces.is_empty() && sent.is_ok();
            while let Some(piece) = pieces.pop_back() {
                state.pieces.push_front(piece);
            }
            if would_block && !state.broken {
                return false;
            }
        }
    }

    /// Takes off `pieces` what the socket takes, and says how much that was.
    fn write(&self, pieces: &mut VecDeque<Vec<u8>>, waits: bool) -> io::Result<usize> {
        let mut total = 0;
        while !pieces.is_empty() {
            let slices: Vec<IoSlice<'_>> = pieces
                .iter()
                .take(SLICES_MAX)
                .map(|piece| IoSlice::new(piece))
                .collect();
            let mut sent = match self.stream.send(&slices, waits) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !waits => break,
                sent => sent?,
            };
            drop(slices);
            total += sent;
            while let Some(first) = pieces.front_mut() {
                if sent < first.len() {
                    first.drain(..sent);
                    break;
                }
                sent -= first.len();
                if let Some(sent) = pieces.pop_front() {
                    volume::give_back(sent);
                }
            }
        }
        Ok(total)
    }

    /// Ends the connection, whatever is under way.
    pub(super) fn break_off(&self) {
        let mut state = self.state();
        state.broken = true;
        state.sending = false;
        drop(state);
        self.calm.notify_all();
        self.stream.shut_down();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_laden(&self) -> bool {
        self.reads_len + self.writes_len + self.len as u64 >= READS_LEN_MAX
    }

    fn answered(&mut self, reads_len: u64) {
        self.under_way = self.under_way.saturating_sub(1);
        self.reads_len = self.reads_len.saturating_sub(reads_len);
    }

    /// Appends to the last piece, unless that is long already.
    fn put(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.broken {
            return;
        }
        if self
            .pieces
            .back()
            .is_none_or(|last| last.len() >= COPIED_LEN_MAX)
        {
            self.pieces.push_back(Vec::with_capacity(256));
        }
        if let Some(last) = self.pieces.back_mut() {
            let before = last.len();
            encode(last);
            self.len += last.len() - before;
        }
    }

    fn put_data(&mut self, data: Vec<u8>) {
        if self.broken {
            return;
        }
        if data.len() < COPIED_LEN_MAX {
            // More will follow, up to as much as is copied into one piece.
            return self.put(|out| {
                out.reserve((2 * COPIED_LEN_MAX).saturating_sub(out.len()));
                out.extend_from_slice(&data);
            });
        }
        self.len += data.len();
        self.pieces.push_back(data);
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.len = 0;
    }
}

impl Part {
    /// What the answer brings, if it is one of a kind that does.
    fn reads_len(&self) -> u64 {
        match self.kind {
            PartKind::Read => u64::from(self.len),
            _ => 0,
        }
    }
}

#[cfg(test)]
#[path = "outbox_test.rs"]
mod tests;
