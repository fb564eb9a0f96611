//! The items of a tenant's busiest keys, kept by one loop of a gateway for a moment, so that one key
//! cannot bury the node that has it.
//!
//! Busy is what a sample of the tenant's retrievals shows to be so ([`base::top`]): a key that is asked
//! for some hundred times a second at this loop. An answer is kept from when its node was asked, for a
//! second at most, and is true as long as its slot has the same epoch and no loop of this gateway has
//! changed anything in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::fleet::{Epoch, Slot};
use base::kv::{Expiry, Item, Recache, Value};
use base::rng::Rng;
use base::top::TopKeys;
use base::{TenantId, Timestamp};

use super::hot_board::{HotTenant, HotTerms};

/// One retrieval in so many is counted.
const SAMPLE_EVERY: u64 = 16;
/// Keys that are counted at once.
const COUNTED: usize = 256;
/// Keys that are kept.
const KEPT: usize = 64;
/// A key is busy that was counted so often, of late, for certain: some hundred times a second.
const BUSY_COUNT: u64 = 8;
/// How often it is looked which keys are busy.
const REVIEW_EVERY: Duration = Duration::from_millis(250);
/// Reviews between two at which what was counted before comes to count half.
const REVIEWS_PER_HALVING: u32 = 4;
/// What a kept item takes beside its key and value, in bytes: places in tables, and their slack.
const OVERHEAD: usize = 160;

/// One loop's busy keys of one tenant.
#[derive(Debug)]
pub(super) struct HotKeys {
    terms: HotTerms,
    loops: usize,
    shared: Arc<HotTenant>,
    kept: HashMap<Box<[u8]>, Kept>,
    held_bytes: usize,
    serial: u64,
    counts: TopKeys,
    dice: Rng,
    reviewed_at: Timestamp,
    reviews: u32,
}

/// A busy key.
#[derive(Debug)]
struct Kept {
    /// Never another key's.
    serial: u64,
    held: Option<Held>,
    /// When its node was asked last for what is to be kept, and under which stamp.
    asked: Option<(Timestamp, u32)>,
}

/// An answer that may be given again.
#[derive(Debug)]
struct Held {
    value: Box<[u8]>,
    flags: u32,
    cas: u64,
    expiry: Expiry,
    asked_at: Timestamp,
    epoch: Epoch,
    stamp: u32,
}

/// Names an answer that is to be kept once it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    serial: u64,
    slot: Slot,
    epoch: Epoch,
    stamp: u32,
}

/// Whether a node need be asked.
#[derive(Debug)]
pub(super) enum Look<'a> {
    /// No.
    Held(Item<'a>),
    /// Yes; with a ticket the answer is to be kept.
    Ask(Option<Ticket>),
}

impl HotKeys {
    /// For one of the gateway's `loops`.
    pub(super) fn new(
        now: Timestamp,
        tenant: TenantId,
        terms: HotTerms,
        loops: usize,
        shared: Arc<HotTenant>,
    ) -> Self {
        shared.join();
        Self {
            terms,
            loops: loops.max(1),
            shared,
            kept: HashMap::new(),
            held_bytes: 0,
            serial: 0,
            counts: TopKeys::new(COUNTED),
            // Which retrievals are counted is no secret; it must only not follow the clients' step.
            dice: Rng::new(now.as_nanos() ^ u64::from(tenant.0)),
            reviewed_at: now,
            reviews: 0,
        }
    }

    /// Other terms from now on.
    pub(super) fn set_terms(&mut self, terms: HotTerms) {
        self.terms = terms;
    }

    /// A plain retrieval of `key`, whose slot has had its owner since `epoch`. An answer without the
    /// value is of no use later.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        key: &[u8],
        slot: Slot,
        epoch: Epoch,
        wants_value: bool,
    ) -> Look<'_> {
        if self.dice.below(SAMPLE_EVERY) == 0 {
            self.counts.note(key);
        }
        if self.shared.loops() < self.loops {
            return Look::Ask(None);
        }
        let (age_max, shared) = (self.terms.age_max, &self.shared);
        let Some(kept) = self.kept.get_mut(key) else {
            return Look::Ask(None);
        };
        let stamp = shared.stamp(slot);
        let asked_of_late = kept
            .asked
            .is_some_and(|(at, under)| under == stamp && now.since(at) < age_max / 4);
        let ticket = (wants_value && !asked_of_late).then_some(Ticket {
            serial: kept.serial,
            slot,
            epoch,
            stamp,
        });
        let is_true = |held: &Held| held.epoch == epoch && held.stamp == stamp;
        let is_fit = |held: &Held| {
            now.since(held.asked_at) < age_max
                && is_true(held)
                && !held.expiry.is_past(now)
                && !shared.is_emptied_after(held.asked_at)
        };
        let held = kept.held.as_ref().filter(|held| is_fit(held));
        // Before it is too old one of those who ask gets the next, while others need not wait.
        let is_ageing = held.is_none_or(|held| now.since(held.asked_at) >= age_max / 4 * 3);
        match (held, ticket) {
            (Some(held), ticket) if !is_ageing || ticket.is_none() => {
                shared.count_hit();
                Look::Held(held.item())
            }
            (_, ticket) => {
                if ticket.is_some() {
                    kept.asked = Some((now, stamp));
                }
                Look::Ask(ticket)
            }
        }
    }

    /// The answer to what was asked at `asked_at`: the item, if there is one.
    pub(super) fn fill(&mut self, ticket: Ticket, asked_at: Timestamp, item: Option<&Item<'_>>) {
        let (room, shared) = (self.room_bytes(), &self.shared);
        let mut all = self.kept.iter_mut();
        let Some((key, kept)) = all.find(|(_, kept)| kept.serial == ticket.serial) else {
            return;
        };
        let held = item.and_then(|item| Held::of(item, ticket, asked_at));
        let held = held.filter(|held| {
            let is_true = shared.stamp(ticket.slot) == ticket.stamp;
            is_true && !shared.is_emptied_after(held.asked_at)
        });
        let before = kept.held.take().map_or(0, |held| held.bytes(key));
        self.held_bytes -= before;
        shared.let_go(before);
        let Some(held) = held else {
            return;
        };
        let bytes = held.bytes(key);
        if self.held_bytes + bytes <= room {
            self.held_bytes += bytes;
            shared.hold(bytes);
            kept.held = Some(held);
        }
    }

    /// Something in `slot` is sent to its node to be changed, or has been changed.
    #[inline]
    pub(super) fn change(&self, slot: Slot) {
        self.shared.change(slot);
    }

    /// All is gone by `until`.
    pub(super) fn empty(&self, until: Timestamp) {
        self.shared.empty(until);
    }

    /// Looks now and then which keys are busy, and lets go of the others.
    pub(super) fn review(&mut self, now: Timestamp) {
        if now.since(self.reviewed_at) < REVIEW_EVERY {
            return;
        }
        self.reviewed_at = now;
        let mut before = std::mem::take(&mut self.kept);
        for counted in self.counts.top(KEPT) {
            if counted.count - counted.error < BUSY_COUNT {
                continue;
            }
            let known = before.remove(&counted.key);
            let kept = known.unwrap_or_else(|| {
                self.serial += 1;
                Kept {
                    serial: self.serial,
                    held: None,
                    asked: None,
                }
            });
            self.kept.insert(counted.key, kept);
        }
        self.reviews += 1;
        if self.reviews.is_multiple_of(REVIEWS_PER_HALVING) {
            self.counts.halve();
        }
        self.let_go_of(&before);
        self.let_go_of_old(now);
    }

    fn let_go_of_old(&mut self, now: Timestamp) {
        let mut freed = 0;
        for (key, kept) in &mut self.kept {
            let is_old = |held: &mut Held| now.since(held.asked_at) >= self.terms.age_max;
            freed += kept.held.take_if(is_old).map_or(0, |held| held.bytes(key));
        }
        self.held_bytes -= freed;
        self.shared.let_go(freed);
    }

    fn let_go_of(&mut self, gone: &HashMap<Box<[u8]>, Kept>) {
        let held = gone.iter().filter_map(|(key, kept)| {
            let held = kept.held.as_ref()?;
            Some(held.bytes(key))
        });
        let freed: usize = held.sum();
        self.held_bytes -= freed;
        self.shared.let_go(freed);
    }

    /// What this loop may hold, in bytes.
    fn room_bytes(&self) -> usize {
        usize::try_from(self.terms.room_bytes).unwrap_or(usize::MAX) / self.loops
    }
}

impl Drop for HotKeys {
    fn drop(&mut self) {
        self.shared.let_go(self.held_bytes);
        self.shared.leave();
    }
}

impl Held {
    /// What can be given again: nobody is to refill it, and it crosses in one piece.
    fn of(item: &Item<'_>, ticket: Ticket, asked_at: Timestamp) -> Option<Self> {
        match item.value {
            Value::Inline(value) if !item.stale && item.recache == Recache::No => Some(Self {
                value: value.into(),
                flags: item.flags,
                cas: item.cas,
                expiry: item.expiry,
                asked_at,
                epoch: ticket.epoch,
                stamp: ticket.stamp,
            }),
            _ => None,
        }
    }

    /// A busy item was fetched a moment ago.
    fn item(&self) -> Item<'_> {
        Item {
            value: Value::Inline(&self.value),
            flags: self.flags,
            cas: self.cas,
            expiry: self.expiry,
            idle_s: 0,
            fetched: true,
            stale: false,
            recache: Recache::No,
        }
    }

    fn bytes(&self, key: &[u8]) -> usize {
        key.len() + self.value.len() + OVERHEAD
    }
}

#[cfg(test)]
#[path = "hot_test.rs"]
mod tests;
