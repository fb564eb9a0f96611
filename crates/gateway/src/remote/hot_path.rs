//! Where requests meet what is kept of busy keys: retrievals that need no node, and changes that end
//! what is kept.

use std::sync::Arc;
use std::time::Duration;

use base::fleet::Slot;
use base::kv::{Get, Item, Op, Outcome, Sink};
use base::{TenantId, Timestamp};
use fleet::knowledge::Standing;
use fleet::routes::Route;

use super::Remote;
use super::backend::RemoteTenant;
use super::hot::{HotKeys, Look, Ticket};
use super::tenants::Allotment;

/// Connections are told to empty a tenant, and do not answer: until then what is read may be from before.
const EMPTYING_MAX: Duration = Duration::from_secs(1);

impl Remote {
    /// Answers a retrieval from what is kept; else a ticket, if what its node answers is to be kept.
    ///
    /// # Errors
    /// There is nothing to ask: the item went to the sink.
    #[inline]
    pub(super) fn look_hot<S: Sink>(
        &mut self,
        now: Timestamp,
        tenant: &RemoteTenant,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Result<Option<Ticket>, Outcome> {
        let hot = self.hot.get_mut(tenant.place as usize);
        let (Some(hot), Op::Get(get)) = (hot.and_then(Option::as_mut), op) else {
            return Ok(None);
        };
        if !is_plain(get) || self.assurance.standing(now, op) != Standing::Assured {
            return Ok(None);
        }
        let slot = tenant.slots.slot(get.key);
        let Route::To { epoch, .. } = self.routes.route(slot) else {
            return Ok(None);
        };
        match hot.look(now, get.key, slot, epoch, get.value) {
            Look::Ask(ticket) => Ok(ticket),
            Look::Held(item) => {
                sink.item(&item);
                Err(Outcome::Hit)
            }
        }
    }

    /// A tenant is emptied, after `delay`.
    pub(super) fn empty_hot(&self, now: Timestamp, tenant: TenantId, delay: Duration) {
        if let Some(place) = self.places.get(&tenant)
            && let Some(Some(hot)) = self.hot.get(*place as usize)
        {
            hot.empty(now + delay + EMPTYING_MAX);
        }
    }

    /// Whose busy keys are kept from now on, and how.
    pub(super) fn learn_hot(&mut self, now: Timestamp, terms: &[Allotment]) {
        let wanted = terms.iter().filter_map(|it| Some((it.tenant, it.hot?)));
        let mut before = std::mem::take(&mut self.hot);
        for (tenant, terms) in wanted {
            let place = self.place_of(tenant) as usize;
            let known = before.get_mut(place).and_then(Option::take);
            let hot = match known {
                Some(mut hot) => {
                    hot.set_terms(terms);
                    hot
                }
                None => {
                    let loops = self.config.board.loops();
                    let shared = self.config.stats.hot().tenant(tenant);
                    HotKeys::new(now, tenant, terms, loops, Arc::clone(&shared))
                }
            };
            if self.hot.len() <= place {
                self.hot.resize_with(place + 1, Default::default);
            }
            self.hot[place] = Some(hot);
        }
    }

    pub(super) fn review_hot(&mut self, now: Timestamp) {
        for hot in self.hot.iter_mut().flatten() {
            hot.review(now);
        }
    }
}

/// Something of the tenant at `place` is sent to be changed, or that is over, one way or the other.
#[inline]
pub(super) fn change_hot(hot: &[Option<HotKeys>], place: u32, slot: Slot) {
    if let Some(Some(hot)) = hot.get(place as usize) {
        hot.change(slot);
    }
}

/// What was asked with a ticket is answered; with nothing, if there is no such item.
pub(super) fn fill_hot(
    hot: &mut [Option<HotKeys>],
    place: u32,
    ticket: Ticket,
    asked_at: Timestamp,
    item: Option<&Item<'_>>,
) {
    if let Some(Some(hot)) = hot.get_mut(place as usize) {
        hot.fill(ticket, asked_at, item);
    }
}

/// Whether a retrieval changes nothing and asks for nothing but the item.
fn is_plain(get: &Get<'_>) -> bool {
    let changes = get.touch.is_some() || get.vivify.is_some() || get.recache_below_s.is_some();
    !changes && get.known_cas.is_none() && !get.peek
}

/// Whether an operation may leave its key's item other than it was.
pub(super) fn is_change(op: &Op<'_>) -> bool {
    match op {
        Op::Get(get) => {
            get.touch.is_some() || get.vivify.is_some() || get.recache_below_s.is_some()
        }
        _ => true,
    }
}
