//! Values too large to cross in one piece: taken in as they come, given out piece by piece.

use base::kv::{INLINE_VALUE_LEN_MAX, Outcome, Store};
use memcache_proto::Reply;
use node_proto::RequestId;

use super::Turn;
use crate::session::Transfer;
use crate::{Backend, Chunk, Execution, TurnEnd};

impl<B: Backend> Turn<'_, B> {
    /// Begins to take in a value; where it goes nowhere, `refusal` says why.
    pub(super) fn begin_upload(
        &mut self,
        store: &Store<'_>,
        len: u32,
        refusal: Option<Outcome>,
        reply: Reply<'_>,
    ) {
        let room = match refusal {
            Some(refusal) => Err(refusal),
            None => self
                .backend
                .reserve(&self.tenant.data, self.now, store, len),
        };
        if let (true, Ok(reservation)) = (B::IS_REMOTE, &room) {
            self.await_room(RequestId::from_bits(reservation.0));
        }
        self.session.transfer = Some(Box::new(Transfer::Upload {
            room,
            reply: reply.into_owned(),
        }));
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if let Some(Transfer::Upload { room, .. }) = self.session.transfer.as_deref_mut()
            && let Ok(reservation) = *room
            && !self.backend.fill(&self.tenant.data, reservation, bytes)
        {
            *room = Err(Outcome::OutOfMemory);
        }
    }

    pub(super) fn end_upload(&mut self, intact: bool) {
        let Some(Transfer::Upload { room, reply }) =
            self.session.transfer.take().map(|transfer| *transfer)
        else {
            return;
        };
        let outcome = match room {
            Ok(reservation) if intact => {
                let data = &self.tenant.data;
                match self.backend.commit(data, self.now, reservation) {
                    Execution::Done(outcome) => outcome,
                    Execution::Pending(id) => return self.await_upload(id, &reply.borrow()),
                }
            }
            Ok(reservation) => {
                self.backend.abort(&self.tenant.data, reservation);
                return reply.borrow().bad_body(self.out);
            }
            Err(outcome) => outcome,
        };
        reply.borrow().outcome(outcome, self.out);
    }

    /// Adds what is here of large values that are due; what ends the turn, if anything does.
    pub(super) fn send_values(&mut self, output_end: usize) -> Option<TurnEnd> {
        while let Some(Transfer::Download { .. }) = self.session.transfer.as_deref() {
            let end = self.send_pinned(output_end);
            // They go before all that waits.
            if let Some(ledger) = self.ledgers.of(self.session.ledger) {
                ledger.begin_turn(self.out);
            }
            if end.is_some() {
                return end;
            }
        }
        None
    }

    /// Adds the next pieces of a large value; what ends the turn, if anything does.
    ///
    /// If the hold on it has ended, the client, who was promised more, can only be let go.
    fn send_pinned(&mut self, output_end: usize) -> Option<TurnEnd> {
        let Some(Transfer::Download { pin, offset, tail }) = self.session.transfer.as_deref_mut()
        else {
            return None;
        };
        while *offset < pin.len && self.out.len() < output_end {
            let max = INLINE_VALUE_LEN_MAX.min(output_end - self.out.len());
            match self
                .backend
                .read_pinned(&self.tenant.data, *pin, *offset, max, self.out)
            {
                Chunk::Copied(0) => return Some(TurnEnd::Waiting),
                Chunk::Copied(count) => *offset += u32::try_from(count).unwrap_or(u32::MAX),
                Chunk::Lost => {
                    self.session.transfer = None;
                    return Some(TurnEnd::Close);
                }
            }
        }
        if *offset < pin.len {
            return Some(TurnEnd::MoreToDo);
        }
        self.out.extend_from_slice(tail.as_bytes());
        self.backend.unpin(&self.tenant.data, *pin);
        self.session.transfer = None;
        self.send_overdue();
        None
    }

    /// Adds what had to wait for a value to go out before.
    fn send_overdue(&mut self) {
        let Some(ledger) = self.ledgers.of(self.session.ledger) else {
            return;
        };
        if let Some((pin, tail)) = ledger.drain(self.out) {
            self.session.transfer = Some(Box::new(Transfer::Download {
                pin,
                offset: 0,
                tail,
            }));
        }
        ledger.begin_turn(self.out);
        if ledger.is_empty()
            && let Some(id) = self.session.ledger.take()
        {
            self.ledgers.end(id);
        }
    }
}
