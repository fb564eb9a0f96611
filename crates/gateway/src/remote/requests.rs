//! Requests that are under way, each in a place that is used again under another generation.

use base::fleet::Slot;
use base::kv::Outcome;
use base::{TenantId, Timestamp};
use fleet::judge::Class;
use node_proto::RequestId;

use super::copies::Copied;
use super::hot::Ticket;
use super::transfer::{Download, Upload};

/// A request's place.
#[derive(Debug)]
pub(super) struct Request {
    generation: u32,
    pub(super) state: State,
    /// The connection it went to.
    pub(super) link: u32,
    pub(super) tenant: TenantId,
    /// The tenant's place among the latencies.
    pub(super) tenant_place: u32,
    pub(super) slot: Slot,
    /// It may leave the item other than it was.
    pub(super) is_change: bool,
    /// The answer is to be kept.
    pub(super) ticket: Option<Ticket>,
    /// It is a retrieval of which a copy goes to another node, once it is answered.
    pub(super) copied: Option<Box<Copied>>,
    pub(super) sent_at: Timestamp,
    /// When it left for the node, after it had waited for that.
    pub(super) left_at: Timestamp,
    /// What had been received from that node by then, in bytes.
    pub(super) received_len: u64,
    /// With which others it is compared; of a read only once it is answered.
    pub(super) class: Class,
    pub(super) deadline: Timestamp,
    /// What is answered if nobody else does.
    pub(super) otherwise: Outcome,
    /// The key, if its item must be removed in that case; else empty.
    pub(super) key: Vec<u8>,
}

/// How far a request has come.
#[derive(Debug)]
pub(super) enum State {
    /// The place is free.
    Free,
    /// Waiting for the node to allow more.
    Queued,
    /// The node has it.
    Sent,
    /// A value on its way in.
    Upload(Box<Upload>),
    /// A value on its way out.
    Download(Box<Download>),
    /// The removal of an item that must not be read again; nobody waits for it.
    Removal,
    /// A copy of another request; nobody waits for it.
    Copy,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Requests {
    places: Vec<Request>,
    free: Vec<u32>,
}

impl Requests {
    /// Takes a free place.
    #[inline]
    pub(super) fn begin(&mut self) -> (RequestId, &mut Request) {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.places.push(Request::new());
                u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let request = &mut self.places[slot as usize];
        request.generation += 1;
        let id = RequestId {
            slot,
            generation: request.generation,
        };
        (id, request)
    }

    /// The request of this name, unless it is over.
    #[inline]
    pub(super) fn get(&mut self, id: RequestId) -> Option<&mut Request> {
        self.places
            .get_mut(id.slot as usize)
            .filter(|request| request.generation == id.generation)
            .filter(|request| !matches!(request.state, State::Free))
    }

    /// Ends a request: its name will never stand for another.
    #[inline]
    pub(super) fn end(&mut self, id: RequestId) {
        if let Some(request) = self.get(id) {
            request.state = State::Free;
            request.key.clear();
            request.copied = None;
            // A place whose generations are used up is not used again.
            if id.generation < u32::MAX {
                self.free.push(id.slot);
            }
        }
    }

    /// All that are under way on a connection.
    pub(super) fn of_link(&self, link: u32) -> Vec<RequestId> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, request)| request.link == link && !matches!(request.state, State::Free))
            .map(|(slot, request)| RequestId {
                slot: u32::try_from(slot).unwrap_or(u32::MAX),
                generation: request.generation,
            })
            .collect()
    }
}

impl Request {
    fn new() -> Self {
        Self {
            generation: 0,
            state: State::Free,
            link: u32::MAX,
            tenant: TenantId(0),
            tenant_place: 0,
            slot: Slot::of_hash(0),
            is_change: false,
            ticket: None,
            copied: None,
            sent_at: Timestamp::ZERO,
            left_at: Timestamp::ZERO,
            received_len: 0,
            class: Class::Read,
            deadline: Timestamp::MAX,
            otherwise: Outcome::Miss,
            key: Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "requests_test.rs"]
mod tests;
