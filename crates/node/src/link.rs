//! The connection of one gateway's loop to this one: what is to be sent, and values under way.

use std::collections::{HashMap, VecDeque};

use base::TenantId;
use base::kv::{Pin, Reservation};
use node_proto::gate::Segments;
use node_proto::{Inbox, RequestId, WINDOW_LEN};

/// Bytes that wait for the socket, beyond which no more requests are read.
const OUT_LEN_MAX: usize = 4 << 20;
/// Bytes that wait for the socket, beyond which values in pieces wait.
const OUT_LEN_BULK_MAX: usize = 64 * 1024;
/// Room that is kept, in bytes.
const KEPT_LEN: usize = 256 * 1024;

/// Names a connection to its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId(pub u32);

/// A value that comes in.
#[derive(Debug)]
pub(crate) struct Upload<T> {
    pub(crate) data: T,
    pub(crate) reservation: Reservation,
    pub(crate) left: u32,
    /// Bytes taken in that the gateway has not been told of.
    pub(crate) ungranted: u32,
}

/// A value that goes out.
#[derive(Debug)]
pub(crate) struct Download<T> {
    pub(crate) data: T,
    pub(crate) tenant: TenantId,
    pub(crate) pin: Pin,
    pub(crate) offset: u32,
    pub(crate) window: u32,
    /// It stands in the queue.
    pub(crate) is_queued: bool,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link<T> {
    pub(crate) inbox: Inbox,
    pub(crate) is_greeted: bool,
    /// Another node has connected: it may try out the way, and nothing else.
    pub(crate) is_confined: bool,
    /// It tries out the way, so that somebody wants to know what the socket has sent.
    pub(crate) is_examined: bool,
    pub(crate) segments: Segments,
    pub(crate) out: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) uploads: HashMap<RequestId, Upload<T>>,
    pub(crate) downloads: HashMap<RequestId, Download<T>>,
    turns: VecDeque<(TenantId, VecDeque<RequestId>)>,
    pub(crate) is_dirty: bool,
    /// Where the replies of the present batch begin.
    pub(crate) replies: Vec<usize>,
}

impl<T> Link<T> {
    pub(crate) fn new() -> Self {
        Self {
            inbox: Inbox::default(),
            is_greeted: false,
            is_confined: false,
            is_examined: false,
            segments: Segments::default(),
            out: Vec::new(),
            sent: 0,
            uploads: HashMap::new(),
            downloads: HashMap::new(),
            turns: VecDeque::new(),
            is_dirty: false,
            replies: Vec::new(),
        }
    }

    pub(crate) fn outgoing(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    pub(crate) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.out.clear();
            self.out.shrink_to(KEPT_LEN);
            self.sent = 0;
        } else if self.sent > KEPT_LEN {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Whether the gateway takes what it has asked for.
    pub(crate) fn keeps_up(&self) -> bool {
        self.out.len() - self.sent < OUT_LEN_MAX
    }

    pub(crate) fn has_bulk_room(&self) -> bool {
        self.out.len() - self.sent < OUT_LEN_BULK_MAX
    }

    /// Begins to give a value out.
    pub(crate) fn begin_download(&mut self, id: RequestId, data: T, tenant: TenantId, pin: Pin) {
        let download = Download {
            data,
            tenant,
            pin,
            offset: 0,
            window: WINDOW_LEN,
            is_queued: true,
        };
        self.downloads.insert(id, download);
        self.enqueue(tenant, id);
    }

    /// Has a value wait for its tenant's turn.
    pub(crate) fn enqueue(&mut self, tenant: TenantId, id: RequestId) {
        match self.turns.iter_mut().find(|(other, _)| *other == tenant) {
            Some((_, values)) => values.push_back(id),
            None => self.turns.push_back((tenant, VecDeque::from([id]))),
        }
    }

    /// The value whose turn it is, tenant by tenant.
    pub(crate) fn dequeue(&mut self) -> Option<RequestId> {
        let (tenant, mut values) = self.turns.pop_front()?;
        let next = values.pop_front();
        if !values.is_empty() {
            self.turns.push_back((tenant, values));
        }
        next
    }
}
