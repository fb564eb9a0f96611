//! What a loop does for one session in its turn: reads, lets it be served, writes.

use std::time::Duration;

use base::Timestamp;
use gateway::{SessionId, TurnEnd};

use super::connection::Reset;
use super::event_loop::{EventLoop, LINGER, SCRATCH_LEN};
use super::{Kernel, Shared};
use crate::network::SocketId;

/// What is to become of a session after its turn.
enum Next {
    Wait,
    Again,
    Close,
}

impl EventLoop {
    /// Serves the session whose turn it is; false if there is none.
    pub(super) fn serve_next(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let Some((id, socket, tenant)) = self.next_session(shared) else {
            return false;
        };
        let began = self.clock;
        match self.exchange(id, socket, kernel, shared) {
            Ok(Next::Wait) => {}
            Ok(Next::Again) => self.make_ready(id, shared),
            Ok(Next::Close) | Err(Reset) => self.close(socket, kernel, shared),
        }
        let took = self.clock.since(began);
        if let Some(tenant) = tenant {
            self.shard.settle(tenant, took);
        }
        shared.trace.add(socket.0);
        shared.trace.add(self.clock.as_nanos());
        true
    }

    fn exchange(
        &mut self,
        id: SessionId,
        socket: SocketId,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> Result<Next, Reset> {
        let Some(mut connection) = shared.find(socket).cloned() else {
            return Ok(Next::Wait);
        };
        if !self.shard.unsent(id).is_empty() {
            if !connection.writable {
                return Ok(Next::Wait);
            }
            let unsent = self.shard.unsent(id);
            let count = connection.write(self.clock, unsent, kernel)?;
            self.clock = self.clock + shared.pricing.turn(0, 0, count);
            self.shard.sent(id, count);
            if !self.shard.unsent(id).is_empty() {
                shared.put(connection);
                self.be_patient(socket, shared);
                return Ok(Next::Wait);
            }
            connection.deadline = Timestamp::MAX;
            if connection.closing {
                return Ok(Next::Close);
            }
        }
        let began = self.clock;
        let wanted = self.shard.input_len_wanted(id).min(SCRATCH_LEN);
        let count = if wanted > 0 && connection.readable {
            connection.read(began, &mut self.scratch[..wanted], kernel)?
        } else {
            0
        };
        self.out.clear();
        let before = shared.asked.operations.get();
        let end = self
            .shard
            .turn(began, id, &self.scratch[..count], &mut self.out);
        let operations = shared.asked.operations.get() - before;
        self.clock = began + shared.pricing.turn(operations, count, self.out.len());
        let written = match self.out.is_empty() {
            true => 0,
            false => connection.write(self.clock, &self.out, kernel)?,
        };
        let over = match end {
            TurnEnd::Close => true,
            TurnEnd::Served => connection.at_end,
            TurnEnd::MoreToDo | TurnEnd::Waiting => false,
        };
        connection.closing = over;
        let readable = connection.readable;
        shared.put(connection);
        self.shard.keep_unsent(id, written, &self.out[written..]);
        Ok(match (written == self.out.len(), over) {
            (true, true) => Next::Close,
            (true, false) if end == TurnEnd::MoreToDo => Next::Again,
            (true, false) if end == TurnEnd::Served && readable => Next::Again,
            (true, false) => Next::Wait,
            (false, _) => {
                self.be_patient(socket, shared);
                Next::Wait
            }
        })
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
