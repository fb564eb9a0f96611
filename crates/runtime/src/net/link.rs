//! Links: what a connection is called by shard, door and kernel.

use slab::Slab;

use super::connection::Connection;

/// Names a connection to shard, door and kernel: its slot, and a generation that tells it from
/// those that had the slot before.
pub(super) fn link_of(slot: usize, generation: u32) -> u64 {
    (u64::from(generation) << 32) | slot as u64
}

pub(super) fn slot_of(link: u64) -> usize {
    (link & u64::from(u32::MAX)) as usize
}

/// The connection of this link, unless its slot is another's by now.
pub(super) fn find(connections: &mut Slab<Connection>, link: u64) -> Option<&mut Connection> {
    connections
        .get_mut(slot_of(link))
        .filter(|connection| link_of(slot_of(link), connection.generation) == link)
}
