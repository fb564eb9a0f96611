//! The entrance of the first loop: the listener's queue, and the door.

use std::sync::Arc;
use std::time::Duration;

use base::{TenantId, Timestamp};
use gateway::directory::Directory;
use gateway::{Admitted, Door, DoorConfig, EntrantId, Figures, Peer, Verdict};

use super::connection::{Connection, Place};
use super::event_loop::{EventLoop, SLICE_UNPROTECTED};
use super::{Kernel, ServerConfig, Shared};
use crate::network::{Network, SocketId};

/// How long the entrance may work before sessions have their turn again.
const ENTRANCE_SLICE: Duration = Duration::from_micros(17);
/// memcached's words when it is full.
const TOO_MANY: &[u8] = b"ERROR Too many open connections\r\n";

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
    /// Lets one newcomer in and judges one who has spoken; false once the slice of time is over or
    /// nobody is there.
    pub(super) fn tend_entrance(
        &mut self,
        since: Timestamp,
        kernel: &mut Kernel<'_>,
        shared: &mut Shared,
    ) -> bool {
        let slice = match shared.config.protections {
            true => ENTRANCE_SLICE,
            false => SLICE_UNPROTECTED,
        };
        if self.clock.since(since) >= slice {
            return false;
        }
        let Some(entrance) = &mut self.entrance else {
            return false;
        };
        self.out.clear();
        if let Some((link, admitted)) = entrance.door.next_admitted(self.clock, &mut self.out) {
            self.seat(SocketId(link), admitted, kernel, shared);
            return true;
        }
        let accepted = entrance.accept(kernel.network);
        let waiting = entrance.door.next_entrant();
        let is_done = accepted.is_none() && waiting.is_none();
        if let Some((socket, peer)) = accepted {
            self.spend(shared.pricing.costs.accept_ns, shared);
            self.let_in(socket, peer, kernel, shared);
        }
        if let Some((id, link)) = waiting {
            self.spend(shared.pricing.costs.judge_ns, shared);
            self.judge(id, SocketId(link), kernel, shared);
        }
        !is_done
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
        if shared.connection_count >= shared.config.connections_max {
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
            _ => self.close(socket, kernel, shared),
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
            other => shared.mail.push((other, socket, admitted)),
        }
    }
}
