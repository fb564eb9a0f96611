//! What a turn's requests came to, and whom that is charged to.

use admission::Cost;

use crate::figures::LoopFigures;
use crate::pause::Mode;
use crate::session::SessionId;
use crate::{Backend, Shard};

impl<B: Backend> Shard<B> {
    /// Counts what a turn has done, and charges it to the tenant's rates.
    pub(super) fn count(&mut self, id: SessionId, tally: Tally, read: usize, written: usize) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get_mut(session.tenant as usize) else {
            return;
        };
        tally.add_to(tenant.figures.of_loop(self.config.loop_index));
        session.was_answered |= written > 0;
        let requests = tally.requests();
        if requests > 0 {
            session.has_asked = true;
        }
        // Those that wait for a node are not answered yet.
        let answered = requests.saturating_sub(tally.pending);
        if answered > 0 {
            tenant.answered.push((session.since(), answered));
        }
        // Of what is refused nothing is charged but its time, else a tenant that asks for more than
        // it may have would get nothing at all.
        let (bytes_in, bytes_out) = match session.mode {
            Mode::Serve => (read as u64, written as u64),
            _ => (tally.stored_bytes, 0),
        };
        tenant.pace.charge(Cost {
            ops: u64::from(tally.served()),
            bytes_in,
            bytes_out,
        });
        if session.inflight_bytes > 0 || !session.unread.is_empty() {
            self.count_inflight(id);
        }
    }
}

/// Requests of one turn, by what became of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: u32,
    pub(super) writes: u32,
    pub(super) reads_refused: u32,
    pub(super) writes_refused: u32,
    /// Those about no key.
    pub(super) others: u32,
    /// Of values that were stored although reads were refused.
    pub(super) stored_bytes: u64,
    /// Those, of all the others, that a node has yet to answer.
    pub(super) pending: u32,
}

impl Tally {
    fn served(&self) -> u32 {
        self.reads + self.writes + self.others
    }

    fn requests(&self) -> u32 {
        self.served() + self.reads_refused + self.writes_refused
    }

    fn add_to(self, figures: &LoopFigures) {
        for (counter, count) in [
            (&figures.reads_served, self.reads),
            (&figures.writes_served, self.writes),
            (&figures.reads_refused, self.reads_refused),
            (&figures.writes_refused, self.writes_refused),
        ] {
            if count > 0 {
                counter.add(u64::from(count));
            }
        }
    }
}
