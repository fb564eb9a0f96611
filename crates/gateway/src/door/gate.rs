//! How many connections each tenant has and how fast it opens them, and who waits until it may have
//! one more.
//!
//! A connection that is turned away comes back at once, and a client in trouble opens two; so it is
//! kept waiting instead, and its client with it.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use admission::{Bucket, Rate};
use base::{TenantId, Timestamp, TrafficLimits};

use super::EntrantId;
use super::crowd::{Crowd, Room};
use crate::directory::Directory;
use crate::{Figures, TenantFigures};

/// What a tenant may open at once, having opened none for so long.
const BURST: Duration = Duration::from_secs(1);
/// How often it is looked whether connections have ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The tenants' counts, and their queues.
#[derive(Debug)]
pub(super) struct Gate {
    figures: Arc<Figures>,
    pub(super) tenants: BTreeMap<TenantId, Tenant>,
    /// Tenants that somebody waits for, in the order of their turns.
    waiting: VecDeque<TenantId>,
    /// Before this nobody's turn can come.
    next_look: Timestamp,
    pub(super) crowd: Crowd,
}

/// What becomes of a wish for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It has one.
    In,
    /// Its tenant may not have one more now: let it [wait](super::Door::enter_judged).
    Wait,
    /// All places are taken, and its tenant has its share of them.
    Full,
}

#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) figures: Arc<TenantFigures>,
    /// Connections let in since the start.
    opened: u64,
    /// How often it was asked for a connection to make room.
    pub(super) asked: u64,
    /// The last look at all tenants that counted it among those that have connections.
    pub(super) surveyed: u64,
    connects: Bucket,
    queue: VecDeque<EntrantId>,
}

impl Tenant {
    /// How many connections it has.
    pub(super) fn open(&self) -> u64 {
        self.opened.wrapping_sub(self.figures.ended())
    }

    /// Whether its own limits let it have one more; that then counts against its rate.
    fn may_have_one_more(&mut self, now: Timestamp, limits: &TrafficLimits) -> bool {
        if limits
            .connections
            .is_some_and(|most| self.open() >= u64::from(most))
        {
            return false;
        }
        if let Some(per_second) = limits.connects_per_second {
            let per_second = NonZeroU64::new(per_second.into()).unwrap_or(NonZeroU64::MIN);
            let rate = Rate {
                per_second,
                burst: BURST,
            };
            if self.connects.take(now, rate, 1).is_err() {
                return false;
            }
        }
        true
    }
}

impl Gate {
    /// For so many connections, of all tenants together.
    pub(super) fn new(figures: Arc<Figures>, places: usize) -> Self {
        Self {
            figures,
            tenants: BTreeMap::new(),
            waiting: VecDeque::new(),
            next_look: Timestamp::ZERO,
            crowd: Crowd::new(places),
        }
    }

    /// Takes a place for a connection of a tenant that the directory has, if it may have one more
    /// and nobody waits before it.
    pub(super) fn pass(&mut self, now: Timestamp, id: TenantId, directory: &Directory) -> Passage {
        let tenant = self.tenant(id);
        let limits = directory.tenant(id).map(|tenant| tenant.traffic);
        let may = tenant.queue.is_empty()
            && limits.is_none_or(|limits| tenant.may_have_one_more(now, &limits));
        match may {
            true => self.take_place(now, id, directory),
            false => Passage::Wait,
        }
    }

    /// Takes a place, if there is room for a tenant's connection.
    fn take_place(&mut self, now: Timestamp, id: TenantId, directory: &Directory) -> Passage {
        if self.find_room(now, id, directory) == Room::None {
            return Passage::Full;
        }
        self.crowd.taken += 1;
        let tenant = self.tenant(id);
        tenant.opened = tenant.opened.wrapping_add(1);
        Passage::In
    }

    /// Gives a place back that was taken and could not be used.
    pub(super) fn give_back(&mut self, id: TenantId) {
        let tenant = self.tenant(id);
        tenant.opened = tenant.opened.wrapping_sub(1);
        self.crowd.taken = self.crowd.taken.saturating_sub(1);
    }

    /// Lets an entrant wait until its tenant has a place. Those who have left stay in the queue
    /// until their turn.
    pub(super) fn wait(&mut self, id: TenantId, entrant: EntrantId) {
        let tenant = self.tenant(id);
        if tenant.queue.is_empty() {
            tenant.queue.push_back(entrant);
            self.waiting.push_back(id);
        } else {
            tenant.queue.push_back(entrant);
        }
    }

    /// When to ask for the [`next`](Self::next), if somebody waits.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        (!self.waiting.is_empty()).then_some(self.next_look)
    }

    /// Takes a place for the next of those who wait and are still here, tenant by tenant.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        is_here: impl Fn(EntrantId) -> bool,
    ) -> Option<EntrantId> {
        if self.waiting.is_empty() || now < self.next_look {
            return None;
        }
        for _ in 0..self.waiting.len() {
            let id = self.waiting.pop_front()?;
            let Some(tenant) = self.tenants.get_mut(&id) else {
                continue;
            };
            while tenant
                .queue
                .front()
                .is_some_and(|entrant| !is_here(*entrant))
            {
                tenant.queue.pop_front();
            }
            // Of a tenant that was removed, the connection is let go by whoever would take it in.
            let limits = directory.tenant(id).map(|tenant| tenant.traffic);
            let is_removed = limits.is_none();
            let may = !tenant.queue.is_empty()
                && limits.is_none_or(|limits| tenant.may_have_one_more(now, &limits));
            let passes = may && (is_removed || self.take_place(now, id, directory) == Passage::In);
            let tenant = self.tenant(id);
            let next = passes.then(|| tenant.queue.pop_front()).flatten();
            if !tenant.queue.is_empty() {
                self.waiting.push_back(id);
            }
            if next.is_some() {
                return next;
            }
        }
        self.next_look = now + LOOK_INTERVAL;
        None
    }

    fn tenant(&mut self, id: TenantId) -> &mut Tenant {
        let figures = &self.figures;
        self.tenants.entry(id).or_insert_with(|| Tenant {
            figures: figures.tenant(id),
            opened: 0,
            asked: 0,
            surveyed: 0,
            connects: Bucket::default(),
            queue: VecDeque::new(),
        })
    }

    /// Forgets tenants that are gone and have nothing open.
    pub(super) fn forget(&mut self, exists: impl Fn(TenantId) -> bool) {
        self.tenants.retain(|id, tenant| {
            exists(*id) || !tenant.queue.is_empty() || tenant.opened != tenant.figures.ended()
        });
    }
}
