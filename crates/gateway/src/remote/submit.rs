//! Requests on their way to nodes: where they go, whether they may, and in what order.

use base::Timestamp;
use base::fleet::{Claim, MemberId};
use base::kv::{Delete, Op, Outcome};
use base::{TenantId, kv};
use fleet::judge::Class;
use fleet::knowledge::Standing;
use fleet::routes::{Route, Why};
use node_proto::{Message, Piece, Request, RequestId};

use super::backend::RemoteTenant;
use super::hot::Ticket;
use super::hot_path::{change_hot, is_change};
use super::link::Queued;
use super::refused::{Refused, refused};
use super::requests::State;
use super::transfer::Upload;
use super::{LinkId, Remote};

impl Remote {
    /// Sends an operation on its way; what to answer at once if it has none. A store whose value
    /// follows says how long that is; of a retrieval with a ticket the answer is kept.
    pub(super) fn submit(
        &mut self,
        now: Timestamp,
        tenant: &RemoteTenant,
        op: &Op<'_>,
        large_len: Option<u32>,
        ticket: Option<Ticket>,
    ) -> Result<RequestId, Outcome> {
        let slot = tenant.slots.slot(op.key());
        let is_change = is_change(op);
        if is_change {
            change_hot(&self.hot, tenant.place, slot);
        }
        let refused = refused(op, now);
        let (node, claim) = match self.routes.route(slot) {
            Route::To { node, epoch } => {
                let standing = self.assurance.standing(now, op);
                if standing == Standing::Starting {
                    return Err(self.refuse(Some(node), tenant.id, op, refused));
                }
                let vouched = standing == Standing::Assured;
                let claim = Claim {
                    slot,
                    epoch,
                    vouched,
                };
                (node, claim)
            }
            Route::Nowhere(why) => {
                // What a node holds of a slot that moves is void.
                let owner = self
                    .ring
                    .holding(slot)
                    .owner
                    .filter(|_| why == Why::Ejected);
                return Err(self.refuse(owner, tenant.id, op, refused));
            }
        };
        let index = self.by_member.get(&node).copied().unwrap_or(u32::MAX);
        let Some(link) = self.links.get_mut(index as usize) else {
            return Err(self.refuse(None, tenant.id, op, refused));
        };
        let class = class_of(op, &refused);
        let goes_now = large_len.is_some() || link.has_credit() && !link.has_queued();
        if !link.is_up() || !goes_now && !link.has_queue_room() {
            if let Some(tally) = self.counted.of(index, class) {
                match link.is_up() {
                    // It has all that it takes at once.
                    true => tally.held += 1,
                    false => tally.unanswered(1),
                }
            }
            return Err(self.refuse(Some(node), tenant.id, op, refused));
        }
        let latency = self.latencies.get(tenant.place as usize);
        let budget = latency.map_or(self.config.deadlines.max, |latency| latency.deadline());
        let (id, request) = self.requests.begin();
        request.link = index;
        request.tenant = tenant.id;
        request.tenant_place = tenant.place;
        request.slot = slot;
        request.sent_at = now;
        request.left_at = now;
        request.received_len = link.received_len;
        request.class = class;
        request.is_change = is_change;
        request.ticket = ticket;
        request.copied = None;
        request.deadline = now + budget;
        request.otherwise = refused.outcome;
        if refused.drops_item {
            request.key.extend_from_slice(op.key());
        }
        let message = Message::Request(Request {
            id,
            tenant: tenant.id,
            budget,
            claim,
            op: op.clone(),
            large_len,
        });
        if goes_now {
            request.state = match large_len {
                Some(_) => State::Upload(Box::new(Upload::new())),
                None => State::Sent,
            };
            link.outstanding += 1;
            message.encode(link.out());
            self.figures.sent += 1;
            self.mark_dirty(LinkId(index));
        } else {
            request.state = State::Queued;
            let mut frame = Vec::new();
            message.encode(&mut frame);
            link.enqueue(tenant.id, Queued { id, frame });
        }
        if large_len.is_none() {
            self.wheel.add(now, now + budget, id);
            if self.copies.is_on() {
                self.copy_asked(now, id, tenant, op);
            }
        }
        Ok(id)
    }

    fn refuse(
        &mut self,
        node: Option<MemberId>,
        tenant: TenantId,
        op: &Op<'_>,
        refused: Refused,
    ) -> Outcome {
        self.figures.refused += 1;
        let index = node.and_then(|node| self.by_member.get(&node)).copied();
        if let (true, Some(index)) = (refused.drops_item, index)
            && let Some(link) = self.links.get_mut(index as usize)
        {
            link.doubts.doom(tenant, op.key());
            // If it is only busy, the removal goes at once and before whatever is asked next.
            if link.is_up() {
                self.remove_doomed(LinkId(index));
            }
        }
        refused.outcome
    }

    /// Sends what can go by now.
    pub(super) fn pump(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        if link.is_up() {
            if link.doubts.has_doomed() {
                self.remove_doomed(id);
            }
            self.pump_queued(now, id);
            self.pump_bulk(id);
        }
        if !self.outgoing(id).is_empty() {
            self.mark_dirty(id);
        }
    }

    fn pump_queued(&mut self, now: Timestamp, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        while link.has_credit()
            && let Some(mut queued) = link.dequeue()
        {
            let request = self.requests.get(queued.id);
            let Some(request) = request.filter(|it| matches!(it.state, State::Queued)) else {
                continue;
            };
            request.state = State::Sent;
            request.left_at = now;
            request.received_len = link.received_len;
            node_proto::set_budget(&mut queued.frame, request.deadline.since(now));
            link.outstanding += 1;
            link.out().extend_from_slice(&queued.frame);
            self.figures.sent += 1;
        }
    }

    /// Sends pieces of values, one of each in turn.
    fn pump_bulk(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        while link.has_bulk_room()
            && let Some(request_id) = link.bulk.pop_front()
        {
            let request = self.requests.get(request_id);
            let Some(State::Upload(upload)) = request.map(|request| &mut request.state) else {
                continue;
            };
            upload.is_queued = false;
            if upload.refused.is_some() || !upload.can_send() {
                continue;
            }
            let (bytes, is_last) = upload.take_piece();
            let piece = Piece {
                id: request_id,
                bytes: &bytes,
                is_last,
                is_broken: false,
            };
            Message::Piece(piece).encode(link.out());
            if upload.can_send() && !is_last {
                upload.is_queued = true;
                link.bulk.push_back(request_id);
            }
            if upload.is_awaited && upload.can_fill() {
                upload.is_awaited = false;
                self.ready.push(request_id);
            }
        }
    }

    /// Removes what must not be read again, before anything else is asked of the node.
    pub(super) fn remove_doomed(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        let (emptied, doomed) = link.doubts.take();
        for tenant in emptied {
            let delay = std::time::Duration::ZERO;
            Message::Flush { tenant, delay }.encode(link.out());
        }
        let node = link.node.member;
        for (tenant, key) in doomed {
            self.remove(id, node, tenant, &key);
        }
        self.mark_dirty(id);
    }

    fn remove(&mut self, id: LinkId, node: MemberId, tenant: TenantId, key: &[u8]) {
        let slot = self.hasher.tenant(tenant).slot(key);
        // What the node held of a slot that it lost, or is about to lose, is void. What it holds of its
        // own is not, though it is taken out here: it will be asked for that again.
        let Some((owner, epoch)) = self.routes.holder(slot) else {
            return;
        };
        if owner != node {
            return;
        }
        let place = self.place_of(tenant);
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        link.removals += 1;
        let (request_id, request) = self.requests.begin();
        request.state = State::Removal;
        request.is_change = true;
        request.ticket = None;
        request.tenant_place = place;
        request.link = id.0;
        request.tenant = tenant;
        request.slot = slot;
        request.otherwise = Outcome::NotFound;
        request.key.extend_from_slice(key);
        let message = Message::Request(Request {
            id: request_id,
            tenant,
            // It is never too late for it.
            budget: std::time::Duration::from_secs(3600),
            claim: Claim {
                slot,
                epoch,
                vouched: true,
            },
            op: Op::Delete(removal(key)),
            large_len: None,
        });
        message.encode(link.out());
    }
}

/// With which others a request is compared, as far as that is known before it is answered.
pub(super) fn class_of(op: &Op<'_>, refused: &Refused) -> Class {
    match op {
        Op::Store(store) => Class::of(true, store.value.len()),
        _ => Class::of(refused.drops_item, 0),
    }
}

/// The removal of a key's item.
fn removal(key: &[u8]) -> Delete<'_> {
    kv::Delete {
        key,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    }
}
