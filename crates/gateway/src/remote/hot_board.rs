//! What the loops of a gateway share of tenants' busy keys: which slots were changed, and how often
//! nobody else was asked.
//!
//! A loop that sends a change to a node counts its slot's stamp up, and once more when the change is
//! over. An item that was asked for under another stamp than the present one is not answered from: so
//! whoever reads after he was told of a change, through whichever loop, sees it or something later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::fleet::{SLOT_COUNT, Slot};
use base::kv::Stats;
use base::{TenantId, Timestamp};

/// The longest time for which an answer may be kept.
pub const HOT_AGE_MAX: Duration = Duration::from_secs(1);
/// Part of a tenant's memory that is set aside for its busy keys at gateways: one in so many.
const ASIDE_PART: u64 = 64;
/// The most that is set aside, in bytes.
const ASIDE_MAX: u64 = 16 << 20;

/// How a gateway keeps a tenant's busy keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotTerms {
    /// How old an answer may be.
    pub age_max: Duration,
    /// Bytes that this gateway may hold, over all its loops.
    pub room_bytes: u64,
}

impl HotTerms {
    /// Of a tenant that has so much memory, at one of so many gateways.
    pub fn new(age_max: Duration, quota_bytes: u64, gateways: usize) -> Self {
        Self {
            age_max: age_max.min(HOT_AGE_MAX),
            room_bytes: Self::set_aside(quota_bytes) / gateways.max(1) as u64,
        }
    }

    /// Bytes of a tenant's memory that its nodes do not get, since its gateways may hold them.
    pub fn set_aside(quota_bytes: u64) -> u64 {
        (quota_bytes / ASIDE_PART).min(ASIDE_MAX)
    }
}

/// The tenants of a gateway whose busy keys are kept, or were.
#[derive(Debug, Default)]
pub struct HotBoard(Mutex<HashMap<TenantId, Arc<HotTenant>>>);

impl HotBoard {
    pub(super) fn tenant(&self, tenant: TenantId) -> Arc<HotTenant> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(tenant).or_default())
    }

    /// Adds to a tenant's figures what nodes do not know of.
    pub(super) fn complete(&self, tenant: TenantId, stats: &mut Stats) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = all.get(&tenant) else {
            return;
        };
        let hits = known.hits.load(Ordering::Relaxed);
        let hits = hits.saturating_sub(known.hits_at_reset.load(Ordering::Relaxed));
        stats.cmd_get = stats.cmd_get.saturating_add(hits);
        stats.get_hits = stats.get_hits.saturating_add(hits);
        stats.hot_hits = hits;
        stats.hot_bytes = known.held_bytes.load(Ordering::Relaxed);
    }

    pub(super) fn reset(&self, tenant: TenantId) {
        let known = self.tenant(tenant);
        let hits = known.hits.load(Ordering::Relaxed);
        known.hits_at_reset.store(hits, Ordering::Relaxed);
    }

    pub(super) fn forget(&self, tenant: TenantId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&tenant);
    }
}

/// One tenant, as its loops see it.
#[derive(Debug)]
pub(super) struct HotTenant {
    /// One for each slot.
    stamps: Box<[AtomicU32]>,
    /// Loops that count their changes. As long as one does not, nothing is answered from memory.
    taking_part: AtomicUsize,
    /// What was asked for until then may have been emptied since, in nanoseconds.
    emptied_until_ns: AtomicU64,
    hits: AtomicU64,
    hits_at_reset: AtomicU64,
    held_bytes: AtomicU64,
}

impl Default for HotTenant {
    fn default() -> Self {
        Self {
            stamps: (0..SLOT_COUNT).map(|_| AtomicU32::new(0)).collect(),
            taking_part: AtomicUsize::new(0),
            emptied_until_ns: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            hits_at_reset: AtomicU64::new(0),
            held_bytes: AtomicU64::new(0),
        }
    }
}

impl HotTenant {
    /// A loop counts its changes from now on; what was changed before is unknown.
    pub(super) fn join(&self) {
        self.stamps.iter().for_each(count_up);
        self.taking_part.fetch_add(1, Ordering::AcqRel);
    }

    /// A loop does not count its changes any more.
    pub(super) fn leave(&self) {
        self.taking_part.fetch_sub(1, Ordering::AcqRel);
    }

    #[inline]
    pub(super) fn loops(&self) -> usize {
        self.taking_part.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn stamp(&self, slot: Slot) -> u32 {
        let stamp = self.stamps.get(slot.index());
        stamp.map_or(0, |stamp| stamp.load(Ordering::Acquire))
    }

    /// Something in `slot` is changed, or has been.
    #[inline]
    pub(super) fn change(&self, slot: Slot) {
        self.stamps.get(slot.index()).into_iter().for_each(count_up);
    }

    /// All is gone by `until`.
    pub(super) fn empty(&self, until: Timestamp) {
        let until_ns = until.as_nanos();
        self.emptied_until_ns.fetch_max(until_ns, Ordering::AcqRel);
    }

    #[inline]
    pub(super) fn is_emptied_after(&self, asked_at: Timestamp) -> bool {
        asked_at.as_nanos() <= self.emptied_until_ns.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn hold(&self, bytes: usize) {
        self.held_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn let_go(&self, bytes: usize) {
        self.held_bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

fn count_up(stamp: &AtomicU32) {
    stamp.fetch_add(1, Ordering::AcqRel);
}
