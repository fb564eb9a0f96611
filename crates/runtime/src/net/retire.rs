//! How a loop whose place another process takes lets its connections go: one by one, between requests.

use std::time::Duration;

use base::Timestamp;
use gateway::Backend;

use super::connection::Place;
use super::event_loop::EventLoop;
use super::link::link_of;

/// How long one that was never answered is waited for.
const FIRST_REQUEST_TIME: Duration = Duration::from_secs(1);

impl<B: Backend> EventLoop<B> {
    /// Listens no more, and spreads the ends of all connections evenly over a time, so that their
    /// clients do not all come to the successor at once. Those on their way in are let in first.
    pub(super) fn retire(&mut self, now: Timestamp, over: Duration) {
        if let Some(entrance) = &mut self.entrance {
            entrance.stop_listening(self.poll.registry());
        }
        self.retires_until = Some(now + over);
        let links: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| matches!(connection.place, Place::Session(_)))
            .map(|(slot, connection)| link_of(slot, connection.generation))
            .collect();
        let share = over
            .checked_div(u32::try_from(links.len()).unwrap_or(u32::MAX))
            .unwrap_or_default();
        let mut at = now;
        for link in links {
            self.ends.add(at, link);
            at = at + share;
        }
    }

    /// Gives a connection that comes while the loop retires its end: the last moment, for it has
    /// only just found its way.
    pub(super) fn schedule_end(&mut self, now: Timestamp, link: u64) {
        if let Some(until) = self.retires_until {
            self.ends.add(until.max(now), link);
        }
    }

    /// Closes a session that is owed nothing, and any other as soon as that is so.
    pub(super) fn let_go(&mut self, link: u64) {
        let now = self.shared.clock.now();
        let Some(connection) = self.connection(link) else {
            return;
        };
        let was_leaving = std::mem::replace(&mut connection.leaving, true);
        if let Place::Session(id) = connection.place {
            // One that has only just connected is about to ask; its first answer is its last.
            if !was_leaving && !self.shard.was_answered(id) {
                self.ends.add(now + FIRST_REQUEST_TIME, link);
                return;
            }
            // Its turn finds out whether something has come, and ends it if not.
            self.shard.make_ready(now, id);
        }
    }
}
