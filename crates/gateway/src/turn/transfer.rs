//! Values too large to cross in one piece: taken in as they come, given out piece by piece.

use base::kv::{INLINE_VALUE_LEN_MAX, Outcome, Store};
use memcache_proto::Reply;

use super::Turn;
use crate::Backend;
use crate::session::Transfer;

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
                self.backend
                    .commit(&self.tenant.data, self.now, reservation)
            }
            Ok(reservation) => {
                self.backend.abort(&self.tenant.data, reservation);
                return reply.borrow().bad_body(self.out);
            }
            Err(outcome) => outcome,
        };
        reply.borrow().outcome(outcome, self.out);
    }

    /// Adds the next piece of a large value; false if the hold on it has ended, after which the
    /// client, who was promised more, can only be let go.
    pub(super) fn send_pinned(&mut self, output_end: usize) -> bool {
        let Some(Transfer::Download { pin, offset, tail }) = self.session.transfer.as_deref_mut()
        else {
            return true;
        };
        while *offset < pin.len && self.out.len() < output_end {
            let max = INLINE_VALUE_LEN_MAX.min(output_end - self.out.len());
            match self
                .backend
                .read_pinned(&self.tenant.data, *pin, *offset, max, self.out)
            {
                Some(count) if count > 0 => *offset += u32::try_from(count).unwrap_or(u32::MAX),
                _ => {
                    self.session.transfer = None;
                    return false;
                }
            }
        }
        if *offset >= pin.len {
            self.out.extend_from_slice(tail.as_bytes());
            self.backend.unpin(&self.tenant.data, *pin);
            self.session.transfer = None;
        }
        true
    }
}
