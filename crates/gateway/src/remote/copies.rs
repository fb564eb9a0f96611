//! Copies of real requests for nodes that are about to be let in, so that they are judged by them before
//! they have any key.
//!
//! A sample of what other nodes are asked is asked of them as well, once the real request is on its way;
//! of a retrieval the copy goes when the real answer is there, and the value that was found goes before
//! it, since the node holds none. What they answer is measured and dropped. Copies are few: a part of
//! what one node is asked, so many a second at most, so many without an answer, and none of large
//! values; whoever is copied notices nothing, and nothing of it counts as his.

use std::sync::Arc;
use std::time::Duration;

use base::fleet::{Claim, Epoch, MemberId, Slot};
use base::kv::{Get, Item, Op, Outcome, Store, Value};
use base::rng::Rng;
use base::{TenantId, Timestamp};
use fleet::gate::Copying;
use fleet::judge::Class;
use node_proto::{Message, Reply, Request, RequestId, VERSION_OF_COPIES, Verdict};

use super::backend::RemoteTenant;
use super::link::LinkState;
use super::refused::refused;
use super::requests::State;
use super::submit::class_of;
use super::{LinkId, Remote};

/// The longest value that is copied, in bytes.
const VALUE_LEN_MAX: usize = 16 * 1024;
/// Copies that one connection may have without an answer.
const OPEN_MAX: u32 = 32;
/// One loop makes no more than one copy in this time: for windows that close after 32 requests and a
/// quarter of a second it takes a quarter of that.
const EVERY_LEAST: Duration = Duration::from_millis(2);
/// … on average over this.
const BURST: Duration = Duration::from_millis(20);
/// What is owed in copies, in millionths of one, that may be saved up.
const OWED_MAX: i64 = 4_000_000;
const ONE: i64 = 1_000_000;

/// A copy claims nothing: whoever took it for a request would refuse it.
const NO_CLAIM: Claim = Claim {
    slot: Slot::of_hash(0),
    epoch: Epoch::ZERO,
    vouched: false,
};

/// Chooses what one loop copies.
#[derive(Debug)]
pub(super) struct Copies {
    copying: Arc<Copying>,
    /// Which requests are copied must not follow the clients' step.
    dice: Rng,
    /// Whose turn it is.
    next: usize,
    /// By the requests that were made; a copied retrieval may take two.
    owed: i64,
    /// When the next may go, by the time that they take at least.
    due: Timestamp,
}

/// A retrieval of which a copy is to be made once it is answered.
#[derive(Debug)]
pub(super) struct Copied {
    node: MemberId,
    key: Box<[u8]>,
    wants_value: bool,
}

impl Copies {
    /// For nobody yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            copying: Arc::default(),
            dice: Rng::new(seed),
            next: 0,
            owed: 0,
            due: Timestamp::ZERO,
        }
    }

    /// For these nodes from now on.
    pub(super) fn learn(&mut self, copying: Arc<Copying>) {
        self.owed = 0;
        self.copying = copying;
    }

    /// Whether any node is to get copies.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        !self.copying.nodes.is_empty()
    }

    /// Whether this request is one that is copied, and for whom.
    fn choose(&mut self, now: Timestamp) -> Option<MemberId> {
        let nodes = &self.copying.nodes;
        let part_ppm = u64::from(self.copying.part_ppm).saturating_mul(nodes.len() as u64);
        let part_ppm = part_ppm.min(ONE as u64);
        self.owed = (self.owed + part_ppm as i64).min(OWED_MAX);
        let is_drawn = self.dice.below(ONE as u64) < part_ppm;
        if !is_drawn || self.owed < ONE || self.due > now + BURST {
            return None;
        }
        self.next = (self.next + 1) % nodes.len();
        nodes.get(self.next).copied()
    }

    fn made(&mut self, now: Timestamp) {
        self.owed -= ONE;
        self.due = self.due.max(now) + EVERY_LEAST;
    }
}

impl Remote {
    /// A request was made, and may be one that is copied.
    pub(super) fn copy_asked(
        &mut self,
        now: Timestamp,
        id: RequestId,
        tenant: &RemoteTenant,
        op: &Op<'_>,
    ) {
        let Some(node) = self.copies.choose(now) else {
            return;
        };
        match op {
            Op::Get(get) => {
                if let Some(request) = self.requests.get(id) {
                    request.copied = Some(Box::new(Copied {
                        node,
                        key: get.key.into(),
                        wants_value: get.value,
                    }));
                }
            }
            Op::Store(store) if store.value.len() > VALUE_LEN_MAX => {}
            op => self.send_copy(now, node, tenant.id, tenant.place, op),
        }
    }

    /// A retrieval that is copied was answered.
    pub(super) fn copy_answered(
        &mut self,
        now: Timestamp,
        tenant: (TenantId, u32),
        copied: &Copied,
        outcome: Outcome,
        item: Option<&Item<'_>>,
    ) {
        let (id, place) = tenant;
        match (outcome, item.map(|item| item.value)) {
            (Outcome::Hit, Some(Value::Inline(value))) if copied.wants_value => {
                if value.len() > VALUE_LEN_MAX {
                    return;
                }
                // The node has no item before it is given one.
                let store = Op::Store(Store::plain(&copied.key, value));
                self.send_copy(now, copied.node, id, place, &store);
            }
            // A large one.
            (Outcome::Hit, _) if copied.wants_value => return,
            _ => {}
        }
        let get = Op::Get(Get {
            value: copied.wants_value,
            ..Get::plain(&copied.key)
        });
        self.send_copy(now, copied.node, id, place, &get);
    }

    fn send_copy(
        &mut self,
        now: Timestamp,
        node: MemberId,
        tenant: TenantId,
        tenant_place: u32,
        op: &Op<'_>,
    ) {
        let index = self.by_member.get(&node).copied().unwrap_or(u32::MAX);
        let latency = self.latencies.get(tenant_place as usize);
        let budget = latency.map_or(self.config.deadlines.max, |latency| latency.deadline());
        let Some(link) = self.links.get_mut(index as usize) else {
            return;
        };
        // One of an earlier release, as it said when it greeted, takes none.
        if (1..VERSION_OF_COPIES).contains(&link.version) {
            return;
        }
        self.copies.made(now);
        let class = class_of(op, &refused(op, now));
        if !link.is_up() {
            // It has not answered earlier ones, or is gone.
            self.figures.copies_unanswered += 1;
            if let Some(tally) = self.counted.of(index, class) {
                tally.unanswered(1);
            }
            return;
        }
        if link.copies_open >= OPEN_MAX || !link.has_bulk_room() {
            return;
        }
        link.copies_open += 1;
        let (id, request) = self.requests.begin();
        request.state = State::Copy;
        request.link = index;
        request.tenant = tenant;
        request.sent_at = now;
        request.left_at = now;
        request.received_len = link.received_len;
        request.class = class;
        request.is_change = false;
        request.ticket = None;
        request.deadline = now + budget;
        let message = Message::Copy(Request {
            id,
            tenant,
            budget,
            claim: NO_CLAIM,
            op: op.clone(),
            large_len: None,
        });
        message.encode(link.out());
        self.figures.copies += 1;
        self.wheel.add(now, now + budget, id);
        self.mark_dirty(LinkId(index));
    }

    /// The node has answered a copy: how long that took is all that is wanted.
    pub(super) fn copy_replied(&mut self, now: Timestamp, link_id: LinkId, reply: &Reply<'_>) {
        let Some(request) = self.requests.get(reply.id) else {
            return;
        };
        if matches!(reply.verdict, Verdict::Done(_) | Verdict::Late) {
            let value_len = reply.payload.as_ref().map_or(0, |it| it.item.value.len());
            let class = match request.class {
                Class::Read => Class::of(false, value_len),
                class => class,
            };
            let (took, received_len) = (now.since(request.left_at), request.received_len);
            let is_behind = (self.links.get(link_id.0 as usize))
                .is_some_and(|it| it.is_behind(received_len, value_len));
            if let Some(tally) = self.counted.of(link_id.0, class) {
                tally.answered(took, (!is_behind).then_some(reply.queued), value_len as u64);
            }
        }
        self.figures.copies_answered += 1;
        self.end_copy(reply.id);
    }

    /// A copy was not answered in time, or its connection is no more.
    pub(super) fn copy_lost(&mut self, now: Timestamp, id: RequestId) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        let (index, class, sent_at) = (request.link, request.class, request.sent_at);
        self.figures.copies_unanswered += 1;
        if let Some(tally) = self.counted.of(index, class) {
            tally.unanswered(1);
        }
        if let Some(link) = self.links.get_mut(index as usize) {
            link.copies_late = link.copies_late.saturating_add(1);
            if link.is_silent_since(sent_at) {
                link.state = LinkState::Silent;
                link.ping_at = now;
            }
        }
        self.end_copy(id);
    }

    fn end_copy(&mut self, id: RequestId) {
        let index = self.requests.get(id).map(|request| request.link);
        let link = index.and_then(|index| self.links.get_mut(index as usize));
        if let Some(link) = link {
            link.copies_open = link.copies_open.saturating_sub(1);
        }
        self.requests.end(id);
    }
}

#[cfg(test)]
#[path = "copies_test.rs"]
mod tests;
