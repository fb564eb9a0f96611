//! What a tenant's connections do, counted by each loop for itself and added up by the reader.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use admission::Buckets;
use base::{TenantId, Timestamp};

use crate::busiest::{BusiestKeys, KeyWatch};
use crate::delay::{DelayCounts, Delays};
use crate::door::{ApproachFailure, DoorCounts, DoorFigures, Shed};
use crate::prefixes::PrefixCounts;
use crate::session::Peer;

/// A counter with one writer, so that counting needs no locked instruction.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_add(count), Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, count: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_sub(count), Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares the counters of a loop, and the struct of their sums.
macro_rules! counters {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// One loop's part; aligned so that loops do not share a cache line.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub(crate) struct LoopFigures {
            $(pub(crate) $name: Counter,)+
            /// Sessions that have ended, or could not begin.
            pub(crate) ended: Counter,
            /// Times that it was asked for a connection to make room; see `displaced`.
            pub(crate) displacements: Counter,
            /// Decides which requests' keys are sampled; see [`KeyWatch`].
            pub(crate) dice: Counter,
            pub(crate) delays: DelayCounts,
        }

        /// The sum of a tenant's figures at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct ConnectionFigures {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl ConnectionFigures {
            fn absorb(&mut self, part: &LoopFigures) {
                $(self.$name = self.$name.wrapping_add(part.$name.get());)+
            }
        }
    };
}

counters! {
    /// Connections open now.
    connections,
    /// Connections admitted since the start.
    connections_total,
    /// Connections that ended without a request: clients that open more of these than others gain
    /// nothing from it.
    connections_unused,
    /// Bytes read from clients.
    bytes_read,
    /// Bytes written to clients.
    bytes_written,
    /// Time spent serving it, in nanoseconds.
    busy_ns,
    /// Turns that ended with work left, so that others had theirs.
    turns_cut_short,
    /// Passwords checked.
    auth_attempts,
    /// Passwords that were wrong.
    auth_failures,
    /// Connections that claimed the tenant and had to leave a full door.
    shed,
    /// Requests in meta commands.
    meta_requests,
    /// Keys looked up for a client.
    reads_served,
    /// Values stored, removed or changed as asked, whatever came of it.
    writes_served,
    /// Keys that were told as missing without a look, since they had waited too long.
    reads_refused,
    /// Changes that were refused since they had waited too long; the old value was dropped where it
    /// would have been stale.
    writes_refused,
    /// Times that the tenant was paused for being over a rate or its bytes in flight.
    pauses,
    /// Time that it was paused, in nanoseconds, added up over the loops.
    paused_ns,
    /// Loops on which it is paused now.
    paused,
    /// Connections that had to wait at the door, since the tenant had as many as it may, or had
    /// opened as many in a second as it may.
    connects_delayed,
    /// Of these, those that waited until their time at the door was up.
    connects_refused,
    /// Of these, those whose clients gave up before that.
    connects_abandoned,
    /// Connections that were turned away since all places were taken, and the tenant had its share
    /// of them.
    turned_away,
    /// Connections that were closed since all places were taken, the tenant had more than its share
    /// of them, and another less.
    displaced,
    /// Bytes of requests and replies on their way, the kernel's send buffers included.
    inflight_bytes,
}

/// One tenant's figures, over all loops, and the buckets that its loops share.
#[derive(Debug)]
pub struct TenantFigures {
    loops: Box<[LoopFigures]>,
    pub(crate) buckets: Buckets,
    pub(crate) keys: KeyWatch,
    pub(crate) prefixes: PrefixCounts,
}

impl TenantFigures {
    pub(crate) fn of_loop(&self, index: usize) -> &LoopFigures {
        &self.loops[index % self.loops.len()]
    }

    /// Connections open now, by loop.
    pub fn connections_by_loop(&self) -> Vec<u64> {
        self.loops
            .iter()
            .map(|part| part.connections.get())
            .collect()
    }

    /// Adds the loops up.
    pub fn sum(&self) -> ConnectionFigures {
        let mut sum = ConnectionFigures::default();
        self.loops.iter().for_each(|part| sum.absorb(part));
        sum
    }

    /// How long its requests waited, from being there to being answered, over all loops.
    pub fn delays(&self) -> Delays {
        let mut delays = Delays::default();
        self.loops
            .iter()
            .for_each(|part| delays.absorb(&part.delays));
        delays
    }

    /// The keys asked for most of late, at most `count`, of a sample that is taken from the first
    /// question on and until a minute after the last; the first answer is empty.
    pub fn busiest_keys(&self, now: Timestamp, count: usize) -> BusiestKeys {
        self.keys.look(now, count)
    }

    /// Sessions that have ended, or could not begin, over all loops.
    pub(crate) fn ended(&self) -> u64 {
        self.sum_of(|part| &part.ended)
    }

    /// Times that a loop looked for a connection to close for others, and closed it if it found one.
    pub(crate) fn displacements(&self) -> u64 {
        self.sum_of(|part| &part.displacements)
    }

    /// Bytes of its requests and replies on their way, over all loops.
    pub(crate) fn inflight_bytes(&self) -> u64 {
        self.sum_of(|part| &part.inflight_bytes)
    }

    fn sum_of(&self, counter: fn(&LoopFigures) -> &Counter) -> u64 {
        let counts = self.loops.iter().map(|part| counter(part).get());
        counts.fold(0, u64::wrapping_add)
    }
}

/// Every tenant's figures in this process, shared by its loops and whoever reports them.
#[derive(Debug)]
pub struct Figures {
    loops: usize,
    tenants: Mutex<HashMap<TenantId, Arc<TenantFigures>>>,
    door: DoorCounts,
}

impl Figures {
    /// For a process with this many loops.
    pub fn new(loops: usize) -> Self {
        Self {
            loops: loops.max(1),
            tenants: Mutex::default(),
            door: DoorCounts::default(),
        }
    }

    /// The figures of one tenant, begun at zero if it has none yet.
    pub fn tenant(&self, id: TenantId) -> Arc<TenantFigures> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = tenants.entry(id).or_insert_with(|| {
            Arc::new(TenantFigures {
                loops: (0..self.loops).map(|_| LoopFigures::default()).collect(),
                buckets: Buckets::default(),
                keys: KeyWatch::default(),
                prefixes: PrefixCounts::default(),
            })
        });
        Arc::clone(figures)
    }

    /// What the door did.
    pub fn door(&self) -> DoorFigures {
        self.door.figures()
    }

    /// Counts one whose handshake for TLS was broken off, since too many shook hands.
    pub fn note_handshake_shed(&self, peer: Peer) {
        self.door.shed(Shed::Handshake, peer);
    }

    /// Counts one that ended on its way to the door.
    pub fn note_approach_failure(&self, why: ApproachFailure) {
        self.door.failed(why);
    }

    pub(crate) fn door_counts(&self) -> &DoorCounts {
        &self.door
    }

    /// Forgets a tenant that was removed.
    pub fn forget(&self, id: TenantId) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.remove(&id);
    }
}
