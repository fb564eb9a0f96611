//! What becomes of a gateway's message: a request to the cache, and its reply.

use std::time::Duration;

use base::Timestamp;
use base::fleet::Epoch;
use base::kv::{Delete, Item, Op, Outcome, Pin, Sink, Value};
use fleet::slot_table::{Admission, Refusal};
use gateway::remote::refused;
use gateway::{Backend, Execution};
use node_proto::{Message, Payload, Reply, Request, RequestId, Verdict};

use crate::Broken;
use crate::key::{StampedKey, with_key};
use crate::link::LinkId;
use crate::node::{Landlord, Node};

/// Where an operation is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// In its tenant's cache.
    Tenants,
    /// In that of copies.
    Copies,
}

impl<B: Backend, L: Landlord> Node<B, L> {
    pub(crate) fn take(
        &mut self,
        now: Timestamp,
        arrived: Timestamp,
        id: LinkId,
        message: Message<'_>,
    ) -> Result<(), Broken> {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return Ok(());
        };
        if let Message::Hello(hello) = &message {
            return self.hear_hello(id, hello);
        }
        if !link.is_greeted {
            return Err(Broken::OutOfPlace);
        }
        if link.is_confined && !matches!(message, Message::Echo(_)) {
            return Err(Broken::OutOfPlace);
        }
        match message {
            Message::Request(request) => self.request(now, arrived, id, &request),
            Message::Copy(request) => self.copy(now, arrived, id, &request),
            Message::Piece(piece) => self.piece(now, id, piece),
            Message::Window { id: value, len } => self.widen(id, value, len),
            Message::Cancel(value) => self.cancel(id, value),
            Message::Tenant(terms) => {
                self.landlord.provide(now, &terms);
                // Under other terms it may be another cache.
                self.tenants.remove(&terms.tenant);
            }
            Message::Forget(tenant) => {
                self.landlord.forget(tenant);
                self.tenants.remove(&tenant);
            }
            Message::Flush { tenant, delay } => {
                if let Some(data) = self.tenant(tenant) {
                    self.backend.flush(&data, now, now + delay);
                }
            }
            Message::ResetStats(tenant) => {
                if let Some(data) = self.tenant(tenant) {
                    self.backend.reset_stats(&data);
                }
            }
            Message::AskStats(tenant) => {
                if let Some(data) = self.tenant(tenant) {
                    let stats = Box::new(self.backend.stats(&data));
                    self.say(id, &Message::Stats { tenant, stats });
                }
            }
            Message::Ping { token, .. } => {
                let announced = self.ring.announced;
                self.say(id, &Message::Pong { token, announced });
            }
            Message::Echo(echo) => self.echo(now, id, echo),
            Message::Exam { token, exam } => self.take_exam(id, token, exam),
            _ => return Err(Broken::OutOfPlace),
        }
        Ok(())
    }

    /// A tenant's data, if there is any here; looked up once.
    pub(crate) fn tenant(&mut self, tenant: base::TenantId) -> Option<B::Tenant> {
        if let Some(data) = self.tenants.get(&tenant) {
            return Some(data.clone());
        }
        let data = self.backend.open(tenant)?;
        self.tenants.insert(tenant, data.clone());
        Some(data)
    }

    pub(crate) fn say(&mut self, id: LinkId, message: &Message<'_>) {
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            message.encode(&mut link.out);
            self.mark_dirty(id);
        }
    }

    fn request(&mut self, now: Timestamp, arrived: Timestamp, id: LinkId, request: &Request<'_>) {
        let standing = self.ring.assurance.standing(now, &request.op);
        if let Admission::Refuse(why) = self.table.admit(request.claim, standing) {
            self.figures.refused += 1;
            // Nobody need be sure to remove what a client takes to be replaced or gone. What is held under
            // another epoch is void anyhow.
            if why == Refusal::Unsure {
                self.remove_refused(now, request);
            }
            return self.answer(id, request, Verdict::OldEpoch);
        }
        if !self.tenants.contains_key(&request.tenant) && self.tenant(request.tenant).is_none() {
            return self.answer(id, request, Verdict::NoTenant);
        }
        if now.since(arrived) > request.budget {
            self.figures.late += 1;
            self.remove_refused(now, request);
            return self.answer(id, request, Verdict::Late);
        }
        self.figures.served += 1;
        let key = StampedKey::new(request.op.key(), request.claim.epoch);
        let op = with_key(&request.op, key.as_bytes());
        match request.large_len {
            Some(len) => self.begin_upload(now, id, request, &op, len),
            None => self.execute(now, id, request, &op, Space::Tenants),
        }
    }

    pub(crate) fn execute(
        &mut self,
        now: Timestamp,
        id: LinkId,
        request: &Request<'_>,
        op: &Op<'_>,
        space: Space,
    ) {
        let data = match space {
            Space::Tenants => self.tenants.get(&request.tenant),
            Space::Copies => self.copies.as_ref().map(|it| &it.data),
        };
        let Some(data) = data else {
            return;
        };
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        let begin = link.out.len();
        link.replies.push(begin);
        let epoch = self.table.epoch(request.claim.slot);
        let mut sink = ReplyWriter {
            id: request.id,
            epoch,
            op,
            out: &mut link.out,
            pin: None,
        };
        let execution = self.backend.execute(data, now, op, &mut sink);
        let pin = sink.pin;
        let outcome = match execution {
            Execution::Done(outcome) => outcome,
            Execution::Pending(_) => Outcome::Miss,
        };
        if outcome != Outcome::Hit {
            let reply = reply_of(request.id, epoch, Verdict::Done(outcome));
            Message::Reply(reply).encode(&mut link.out);
        }
        if let Some(pin) = pin {
            link.begin_download(request.id, data.clone(), request.tenant, pin);
        }
        self.mark_dirty(id);
    }

    /// Answers without an item.
    pub(crate) fn answer(&mut self, id: LinkId, request: &Request<'_>, verdict: Verdict) {
        let epoch = self.table.epoch(request.claim.slot);
        self.reply(id, request.id, epoch, verdict);
    }

    pub(crate) fn reply(&mut self, id: LinkId, request: RequestId, epoch: Epoch, verdict: Verdict) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        link.replies.push(link.out.len());
        Message::Reply(reply_of(request, epoch, verdict)).encode(&mut link.out);
        self.mark_dirty(id);
    }

    /// Removes an item that its client takes to be replaced or gone, though the change was not made.
    fn remove_refused(&mut self, now: Timestamp, request: &Request<'_>) {
        if !refused(&request.op, now).drops_item {
            return;
        }
        let Some(data) = self.tenant(request.tenant) else {
            return;
        };
        let key = StampedKey::new(request.op.key(), request.claim.epoch);
        let removal = Delete {
            key: key.as_bytes(),
            compare_cas: None,
            new_cas: None,
            invalidate: false,
            touch: None,
            clear_value: false,
        };
        let op = Op::Delete(removal);
        self.backend.execute(&data, now, &op, &mut Nowhere);
    }
}

/// A reply without an item; its times are noted when they are known.
fn reply_of(id: RequestId, epoch: Epoch, verdict: Verdict) -> Reply<'static> {
    Reply {
        id,
        epoch,
        queued: Duration::ZERO,
        served: Duration::ZERO,
        verdict,
        payload: None,
    }
}

/// Writes a hit as a reply, while the cache holds the item.
struct ReplyWriter<'w> {
    id: RequestId,
    epoch: Epoch,
    op: &'w Op<'w>,
    out: &'w mut Vec<u8>,
    pin: Option<Pin>,
}

impl Sink for ReplyWriter<'_> {
    fn item(&mut self, item: &Item<'_>) {
        let is_wanted = match self.op {
            Op::Get(get) => get.wants_value(item.cas),
            _ => true,
        };
        let mut item = item.clone();
        match item.value {
            Value::Inline(bytes) if !is_wanted => {
                let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                item.value = Value::Pinned(Pin { token: 0, len });
            }
            Value::Pinned(pin) if is_wanted => self.pin = Some(pin),
            _ => {}
        }
        let reply = Reply {
            payload: Some(Payload {
                is_bare: !is_wanted,
                item,
            }),
            ..reply_of(self.id, self.epoch, Verdict::Done(Outcome::Hit))
        };
        Message::Reply(reply).encode(self.out);
    }
}

/// Where a removal's item goes, of which there is none.
struct Nowhere;

impl Sink for Nowhere {
    fn item(&mut self, _: &Item<'_>) {}
}
