//! Giving out answers, to whoever they are for, on the thread that has them.

use std::sync::Arc;

use super::attached::Attached;
use super::outbox::{Outbox, Sender};
use super::request::{Outcome, Part};
use super::stages::Stage;

impl Attached {
    /// Answers, and sends others theirs; whether there are any of `me`.
    pub(super) fn give_out(
        &self,
        answers: &mut Vec<(Part, Outcome)>,
        me: Option<&Arc<Outbox>>,
    ) -> bool {
        let mut others: Vec<Arc<Outbox>> = Vec::new();
        let mut mine = false;
        if answers.is_empty() {
            return false;
        }
        let now = self.now();
        for (part, outcome) in answers.drain(..) {
            part.client.answer(&part, outcome, now);
            let is_me = me.is_some_and(|me| Arc::ptr_eq(me, &part.client));
            mine |= is_me;
            let known = others
                .last()
                .is_some_and(|last| Arc::ptr_eq(last, &part.client));
            if !is_me && !known {
                others.push(part.client);
            }
        }
        others.iter().for_each(|other| other.send(Sender::Other));
        mine
    }

    /// Sends a connection its answers on its own thread, which waits for its client to read only where it
    /// has nothing in hand.
    pub(super) fn send_own(&self, me: &Arc<Outbox>, in_hand: bool) {
        let now = self.now();
        self.stages.enter(Stage::Network, now);
        me.send(match in_hand {
            true => Sender::Busy,
            false => Sender::Own,
        });
        self.stages.leave(Stage::Network, now, self.now());
    }
}

#[cfg(test)]
#[path = "answering_test.rs"]
mod tests;
