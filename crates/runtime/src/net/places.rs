//! Places for connections: how many are taken, and who goes where there is none for a newcomer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::TenantId;
use gateway::{Backend, TOO_MANY};

use super::connection::Stream;
use super::event_loop::EventLoop;
use super::loops::Mail;

impl<B: Backend> EventLoop<B> {
    /// Gives a newcomer the descriptor of another that is on its way in; false if there is none.
    pub(super) fn make_room(&mut self) -> bool {
        let protections = self.shared.limits.protections;
        let Some(entrance) = self.entrance.as_mut().filter(|_| protections) else {
            return false;
        };
        let shed = entrance.door.shed_for_newcomer();
        let Some(shed) = shed.or_else(|| entrance.lobby.shed_oldest()) else {
            return false;
        };
        self.count_refused();
        self.close(shed);
        true
    }

    /// Closes a connection for which there is no place.
    pub(super) fn refuse(&mut self, mut stream: Stream, speaks: bool) {
        if speaks {
            // The client may not take it; it is told by the close all the same.
            let _ = stream.send(TOO_MANY);
        }
        self.count_refused();
        self.count_closed();
    }

    pub(super) fn count_refused(&self) {
        self.shared.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells the door how many connections have been let in and are open; `newcomers` are neither,
    /// and not at the door.
    pub(super) fn note_connections(&mut self, newcomers: usize) {
        if let Some(entrance) = &mut self.entrance {
            let open = self.shared.connections.load(Ordering::Relaxed);
            let on_their_way = entrance.len() + newcomers;
            entrance
                .door
                .note_connections(open.saturating_sub(on_their_way));
        }
    }

    /// Has a connection closed for each that was let in without a place.
    pub(super) fn displace(&mut self) {
        let figures = Arc::clone(&self.shared.figures);
        while let Some(entrance) = &mut self.entrance
            && let Some(tenant) = entrance.door.next_displaced()
        {
            let counts = figures.tenant(tenant).connections_by_loop();
            let most = (0..counts.len()).max_by_key(|index| counts[*index]);
            match most.unwrap_or(0) {
                0 => self.displace_here(tenant),
                // A loop that has ended has no connections to close.
                other => drop(entrance.loops[other].send(Mail::Displace(tenant))),
            }
        }
    }

    /// Closes the connection of a tenant that has been idle for longest.
    pub(super) fn displace_here(&mut self, tenant: TenantId) {
        if let Some(link) = self.shard.displace(tenant) {
            self.close(link);
        }
    }
}
