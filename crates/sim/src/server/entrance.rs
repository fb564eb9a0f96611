//! The entrance of the first loop: the listener's queue, and the door.

use std::sync::Arc;

use base::{TenantId, Timestamp};
use gateway::directory::Directory;
use gateway::{Admitted, Door, DoorConfig, EntrantId, Figures, Peer, TOO_MANY, Verdict};

use super::connection::{Connection, Place};
use super::event_loop::EventLoop;
use super::{Kernel, Mail, ServerConfig, Shared};
use crate::network::{Network, SocketId};

/// The listener and the door behind it.
pub(super) struct Entrance {
    pub(super) door: Door,
    /// Whether the kernel may hold connections for us.
    pending: bool,
    /// Where a choice among loops that are equal begins.
    rotation: usize,
}

impl Entrance {
    pub(super) fn new(
        config: &ServerConfig,
        directory: Arc<Directory>,
        figures: Arc<Figures>,
    ) -> Self {
        let door_config = DoorConfig {
            connections_max: config.connections_max,
            entrants_max: config.unauthenticated_max,
            entrants_per_source_max: config.unauthenticated_per_source_max,
            connects_per_second_per_source_max: config.connects_per_second_per_source_max,
            memory_max: config.door_memory_bytes,
            timeout: config.auth_timeout,
            protections: config.protections,
            loop_index: 0,
        };
        Self {
            door: Door::new(door_config, directory, figures),
            pending: false,
            rotation: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.door.len()
    }

    pub(super) fn apply(&mut self, directory: Arc<Directory>) {
        self.door.apply(directory);
    }

    pub(super) fn announce(&mut self, network: &mut Network) {
        self.pending |= network.take_arrivals();
    }

    pub(super) fn is_busy(&self) -> bool {
        self.pending || self.door.has_waiting()
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.door.deadline()
    }

    fn accept(&mut self, network: &mut Network) -> Option<(SocketId, Peer)> {
        if !self.pending {
            return None;
        }
        let accepted = network.accept();
        self.pending = accepted.is_some();
        accepted
    }

    /// The loop with the fewest of the tenant's connections.
    fn choose_loop(&mut self, figures: &Figures, tenant: TenantId, loops: usize) -> usize {
        let counts = figures.tenant(tenant).connections_by_loop();
        self.rotation = (self.rotation + 1) % loops;
        (0..loops)
            .map(|step| (self.rotation + step) % loops)
            .min_by_key(|index| counts.get(*index).copied().unwrap_or(0))
            .unwrap_or(0)
    }
}

impl EventLoop {
    /// Takes in the next of those who have waited for a place; false if nobody has one.
    pub(super) fn seat_next(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        self.note_connections(shared);
        let Some(entrance) = &mut self.entrance else {
            return false;
        };
        self.out.clear();
        let Some((link, admitted)) = entrance.door.next_admitted(self.clock, &mut self.out) else {
            return false;
        };
        self.seat(SocketId(link), admitted, kernel, shared);
        self.displace(kernel, shared);
        true
    }

    /// Lets the next newcomer in; false if nobody has come.
    pub(super) fn accept_next(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let entrance = self.entrance.as_mut();
        let Some((socket, peer)) = entrance.and_then(|it| it.accept(kernel.network)) else {
            return false;
        };
        self.spend(shared.pricing.costs.accept_ns, shared);
        self.let_in(socket, peer, kernel, shared);
        true
    }

    /// Judges the next of those who have spoken; false if nobody has.
    pub(super) fn judge_next(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let Some((id, link)) = self.entrance.as_mut().and_then(|it| it.door.next_entrant()) else {
            return false;
        };
        self.spend(shared.pricing.costs.judge_ns, shared);
        self.judge(id, SocketId(link), kernel, shared);
        true
    }

    /// Reads what an entrant has sent; one that has gone, or has said too much, is closed at once.
    pub(super) fn hear_entrant(
        &mut self,
        socket: SocketId,
        id: EntrantId,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let left = match &self.entrance {
            Some(entrance) => entrance.door.input_len_left(id).min(self.input.len()),
            None => 0,
        };
        let now = self.clock;
        let hear_ns = shared.pricing.costs.hear_ns;
        let Some(connection) = shared
            .find(socket)
            .filter(|connection| connection.place == Place::Door(id))
        else {
            return;
        };
        if left == 0 || !connection.readable {
            if connection.peer_closed && left == 0 {
                self.close(socket, kernel, shared);
            }
            return;
        }
        let heard = connection.read(now, &mut self.input[..left], kernel);
        let at_end = connection.at_end;
        self.spend(hear_ns, shared);
        match heard {
            Ok(count) if !at_end => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.receive(id, &self.input[..count]);
                }
                self.shed_for_memory(kernel, shared);
            }
            _ => self.close(socket, kernel, shared),
        }
    }

    fn shed_for_memory(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) {
        while let Some(shed) = self
            .entrance
            .as_mut()
            .and_then(|entrance| entrance.door.shed_for_memory())
        {
            shared.refused += 1;
            self.close(SocketId(shed), kernel, shared);
        }
    }

    /// Takes in one who has waited for a place, and tells him what he waits to hear.
    fn seat(
        &mut self,
        socket: SocketId,
        admitted: Admitted,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let write = shared.pricing.write(self.out.len());
        let Some(connection) = shared.find(socket) else {
            return;
        };
        self.clock = self.clock + write;
        let answered =
            self.out.is_empty() || connection.write(self.clock, &self.out, kernel).is_ok();
        if answered {
            return self.hand_over(socket, admitted, kernel, shared);
        }
        if let Some(entrance) = &mut self.entrance {
            entrance.door.lost(&admitted);
        }
        self.close(socket, kernel, shared);
    }

    fn let_in(
        &mut self,
        socket: SocketId,
        peer: Peer,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        let most = match shared.config.protections {
            true => shared.config.connections_max + shared.config.connections_reserve,
            false => shared.config.connections_max,
        };
        if shared.connection_count >= most && !self.make_room(kernel, shared) {
            // The client may not take it; it is told by the close all the same.
            let _ = kernel
                .network
                .write(self.clock, socket, TOO_MANY, kernel.events);
            shared.refused += 1;
            kernel.network.close(self.clock, socket, kernel.events);
            return;
        }
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        shared.connection_count += 1;
        let entry = entrance.door.enter(self.clock, peer, socket.0);
        shared.put(Connection::new(socket, Place::Door(entry.id)));
        kernel.network.watch(socket, self.index());
        if let Some(shed) = entry.shed {
            shared.refused += 1;
            self.close(SocketId(shed), kernel, shared);
        }
        self.hear_entrant(socket, entry.id, kernel, shared);
    }

    fn judge(
        &mut self,
        id: EntrantId,
        socket: SocketId,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        self.note_connections(shared);
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        self.out.clear();
        let verdict = entrance.door.judge(self.clock, id, &mut self.out);
        let Some(connection) = shared.find(socket) else {
            return;
        };
        let answered =
            self.out.is_empty() || connection.write(self.clock, &self.out, kernel).is_ok();
        match verdict {
            Verdict::Stay if answered => self.hear_entrant(socket, id, kernel, shared),
            Verdict::Admit(admitted) if answered => {
                self.hand_over(socket, admitted, kernel, shared);
            }
            Verdict::Admit(admitted) => {
                if let Some(entrance) = &mut self.entrance {
                    entrance.door.lost(&admitted);
                }
                self.close(socket, kernel, shared);
            }
            Verdict::Full => {
                shared.refused += 1;
                self.close(socket, kernel, shared);
            }
            _ => self.close(socket, kernel, shared),
        }
        self.displace(kernel, shared);
    }

    /// Gives a newcomer the place of another at the door; false if there is none.
    fn make_room(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) -> bool {
        let entrance = self.entrance.as_mut().filter(|_| shared.config.protections);
        let Some(shed) = entrance.and_then(|entrance| entrance.door.shed_for_newcomer()) else {
            return false;
        };
        shared.refused += 1;
        self.close(SocketId(shed), kernel, shared);
        true
    }

    /// Tells the door how many connections have been let in and are open.
    fn note_connections(&mut self, shared: &Shared) {
        if let Some(entrance) = &mut self.entrance {
            let open = shared.connection_count.saturating_sub(entrance.len());
            entrance.door.note_connections(open);
        }
    }

    /// Has a connection closed for each that was let in without a place.
    fn displace(&mut self, kernel: &mut Kernel<'_>, shared: &mut Shared) {
        while let Some(entrance) = &mut self.entrance
            && let Some(tenant) = entrance.door.next_displaced()
        {
            let counts = shared.figures.tenant(tenant).connections_by_loop();
            let most = (0..counts.len()).max_by_key(|index| counts[*index]);
            match most.unwrap_or(0) {
                0 => self.displace_here(tenant, kernel, shared),
                other => shared.mail.push((other, Mail::Displace(tenant))),
            }
        }
    }

    /// Closes the connection of a tenant that has been idle for longest.
    pub(super) fn displace_here(
        &mut self,
        tenant: TenantId,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        if let Some(link) = self.shard.displace(tenant) {
            self.close(SocketId(link), kernel, shared);
        }
    }

    fn hand_over(
        &mut self,
        socket: SocketId,
        admitted: Admitted,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) {
        shared.remove(socket);
        let Some(entrance) = &mut self.entrance else {
            return;
        };
        let loops = shared.config.loops;
        match entrance.choose_loop(&shared.figures, admitted.tenant, loops) {
            0 => self.admit(socket, admitted, kernel, shared),
            other => shared.mail.push((other, Mail::Admit(socket, admitted))),
        }
    }
}
