//! What a tenant's connections do, counted by each loop for itself and added up by the reader.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::TenantId;

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

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One loop's part; aligned so that loops do not share a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct LoopFigures {
    pub(crate) connections: Counter,
    pub(crate) connections_total: Counter,
    pub(crate) bytes_read: Counter,
    pub(crate) bytes_written: Counter,
    pub(crate) busy_ns: Counter,
    pub(crate) turns_cut_short: Counter,
    pub(crate) auth_attempts: Counter,
    pub(crate) auth_failures: Counter,
    pub(crate) shed: Counter,
    pub(crate) meta_requests: Counter,
}

/// One tenant's figures, over all loops.
#[derive(Debug)]
pub struct TenantFigures {
    loops: Box<[LoopFigures]>,
}

/// The sum of a tenant's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFigures {
    /// Connections open now.
    pub connections: u64,
    /// Connections admitted since the start.
    pub connections_total: u64,
    /// Bytes read from clients.
    pub bytes_read: u64,
    /// Bytes written to clients.
    pub bytes_written: u64,
    /// Time spent serving it, in nanoseconds.
    pub busy_ns: u64,
    /// Turns that ended with work left, so that others had theirs.
    pub turns_cut_short: u64,
    /// Passwords checked.
    pub auth_attempts: u64,
    /// Passwords that were wrong.
    pub auth_failures: u64,
    /// Connections that claimed the tenant and had to leave a full door.
    pub shed: u64,
    /// Requests in meta commands.
    pub meta_requests: u64,
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
        let total = |counter: fn(&LoopFigures) -> &Counter| {
            self.loops
                .iter()
                .fold(0u64, |sum, part| sum.wrapping_add(counter(part).get()))
        };
        ConnectionFigures {
            connections: total(|part| &part.connections),
            connections_total: total(|part| &part.connections_total),
            bytes_read: total(|part| &part.bytes_read),
            bytes_written: total(|part| &part.bytes_written),
            busy_ns: total(|part| &part.busy_ns),
            turns_cut_short: total(|part| &part.turns_cut_short),
            auth_attempts: total(|part| &part.auth_attempts),
            auth_failures: total(|part| &part.auth_failures),
            shed: total(|part| &part.shed),
            meta_requests: total(|part| &part.meta_requests),
        }
    }
}

/// Every tenant's figures in this process, shared by its loops and whoever reports them.
#[derive(Debug)]
pub struct Figures {
    loops: usize,
    tenants: Mutex<HashMap<TenantId, Arc<TenantFigures>>>,
}

impl Figures {
    /// For a process with this many loops.
    pub fn new(loops: usize) -> Self {
        Self {
            loops: loops.max(1),
            tenants: Mutex::default(),
        }
    }

    /// The figures of one tenant, begun at zero if it has none yet.
    pub fn tenant(&self, id: TenantId) -> Arc<TenantFigures> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = tenants.entry(id).or_insert_with(|| {
            Arc::new(TenantFigures {
                loops: (0..self.loops).map(|_| LoopFigures::default()).collect(),
            })
        });
        Arc::clone(figures)
    }

    /// Forgets a tenant that was removed.
    pub fn forget(&self, id: TenantId) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.remove(&id);
    }
}
