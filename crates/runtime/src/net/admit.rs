//! From the door to a shard: the loop that an admitted connection goes to, and its way there.

use base::Timestamp;
use gateway::{Admitted, Backend};

use super::connection::Stream;
use super::event_loop::EventLoop;
use super::link::{find, slot_of};
use super::loops::Mail;

impl<B: Backend> EventLoop<B> {
    /// Takes in one who has waited for a place, and tells him what he waits to hear.
    pub(super) fn seat(&mut self, now: Timestamp, link: u64, admitted: Admitted) {
        let Some(connection) = find(&mut self.connections, link) else {
            return;
        };
        match self.out.is_empty() || connection.write(&self.out).is_ok() {
            true => self.admit_entrant(now, link, admitted),
            false => {
                self.lost(&admitted);
                self.close(link);
            }
        }
    }

    pub(super) fn admit_entrant(&mut self, now: Timestamp, link: u64, admitted: Admitted) {
        if self.connection(link).is_none() {
            return;
        }
        let connection = self.connections.remove(slot_of(link));
        // The new owner registers it anew, which also tells it of anything that has come meanwhile.
        if connection.stream.deregister(self.poll.registry()).is_err() {
            self.lost(&admitted);
            self.count_closed();
            return;
        }
        self.hand_over(now, connection.stream, admitted);
    }

    pub(super) fn lost(&mut self, admitted: &Admitted) {
        if let Some(entrance) = &mut self.entrance {
            entrance.door.lost(admitted);
        }
    }

    pub(super) fn hand_over(&mut self, now: Timestamp, stream: Stream, admitted: Admitted) {
        let Some(entrance) = &mut self.entrance else {
            self.count_closed();
            return;
        };
        let chosen = entrance.choose_loop(&self.shared.figures, admitted.tenant);
        // The entrance belongs to the first loop.
        if chosen == 0 {
            self.admit(now, stream, admitted);
        } else if entrance.loops[chosen]
            .send(Mail::Admit { stream, admitted })
            .is_err()
        {
            self.count_closed();
        }
    }
}
