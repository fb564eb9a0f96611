//! Requests whose answers are still to come from a node, in the turn that makes them.

use memcache_proto::Reply;
use node_proto::RequestId;

use super::Turn;
use crate::Backend;
use crate::delivery::Awaited;
use crate::session::Transfer;

impl<B: Backend> Turn<'_, B> {
    /// Whether the session can have no more of this turn before nodes have answered.
    #[inline]
    pub(super) fn must_wait(&mut self) -> bool {
        if !B::IS_REMOTE {
            return false;
        }
        if let Some(ledger) = self.ledgers.of(self.session.ledger)
            && ledger.is_full()
        {
            ledger.is_blocked = true;
            return true;
        }
        match self.session.transfer.as_deref() {
            Some(Transfer::Upload {
                room: Ok(reservation),
                ..
            }) => !self.backend.can_fill(&self.tenant.data, *reservation),
            _ => false,
        }
    }

    /// Keeps the reply's place until its answer comes.
    pub(super) fn await_answer(&mut self, id: RequestId, reply: &Reply<'_>) {
        if self.session.ledger.is_none() {
            let id = self.ledgers.begin();
            self.session.ledger = Some(id);
            if let Some(ledger) = self.ledgers.of(Some(id)) {
                ledger.begin_turn(self.out);
            }
        }
        let Some(ledger) = self.ledgers.of(self.session.ledger) else {
            return;
        };
        let number = ledger.wait(self.out);
        self.tally.pending += 1;
        let awaited = self.awaited(id);
        awaited.number = number;
        awaited.prefix.clear();
        awaited.reply.assign(*reply);
    }

    /// The same of a value that is still on its way to the node.
    pub(super) fn await_upload(&mut self, id: RequestId, reply: &Reply<'_>) {
        self.await_answer(id, reply);
        if let Some(ledger) = self.ledgers.of(self.session.ledger) {
            ledger.bar();
        }
    }

    /// Notes whom to wake once a value that crosses in pieces can go on.
    pub(super) fn await_room(&mut self, id: RequestId) {
        self.awaited(id);
    }

    /// Has the answer go to nobody.
    pub(super) fn await_nothing(&mut self, id: RequestId) {
        *self.awaited(id) = Awaited::default();
    }

    /// Whether any of the tenant's data can be reached.
    pub(super) fn is_reachable(&self) -> bool {
        self.backend.is_reachable(&self.tenant.data)
    }

    fn awaited(&mut self, id: RequestId) -> &mut Awaited {
        let place = id.slot as usize;
        if self.awaited.len() <= place {
            self.awaited.resize_with(place + 1, Default::default);
        }
        let awaited = &mut self.awaited[place];
        awaited.session = self.session_id;
        awaited.link = self.session.link;
        awaited.since = self.session.since();
        awaited
    }
}
