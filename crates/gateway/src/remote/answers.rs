//! What nodes say, and what is answered when they say nothing.

use base::Timestamp;
use fleet::judge::Class;
use node_proto::{Message, Piece, Reply, RequestId, Verdict, agree};

use super::hot_path::{change_hot, fill_hot};
use super::link::LinkState;
use super::requests::State;
use super::transfer::Download;
use super::uploads::STILL_MAX;
use super::{Command, Event, LinkId, Remote, Report};

impl Remote {
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        id: LinkId,
        message: Message<'_>,
        each: &mut dyn FnMut(Event<'_>),
    ) {
        match message {
            Message::Reply(reply) => self.reply(now, id, &reply, each),
            Message::Piece(piece) => self.piece(now, id, piece, each),
            Message::Window { id, len } => {
                self.widen(id, len);
                self.tell_ready(each);
            }
            Message::Hello(hello) => self.greeted(now, id, &hello),
            Message::Stats { tenant, stats } => {
                if let Some(link) = self.links.get(id.0 as usize) {
                    self.config.stats.put(tenant, link.node.member, *stats);
                }
            }
            Message::Pong { token, announced } => {
                if let Some(link) = self.links.get(id.0 as usize) {
                    let report = Report {
                        node: link.node.member,
                        announced,
                        asked_at: Timestamp::from_nanos(token).min(now),
                    };
                    let board = &self.config.board;
                    board.note_report(self.config.loop_index, report);
                }
            }
            Message::Goodbye => {
                if let Some(link) = self.links.get_mut(id.0 as usize) {
                    link.state = LinkState::Leaving;
                }
            }
            // What only gateways say means nothing here.
            _ => {}
        }
    }

    fn greeted(&mut self, now: Timestamp, id: LinkId, hello: &node_proto::Hello) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        if !matches!(link.state, LinkState::Connecting { .. }) {
            return;
        }
        match agree(hello) {
            Ok(version) => link.version = version,
            Err(mismatch) => {
                self.commands.push_back(Command::Refuse(id, mismatch));
                return;
            }
        }
        link.come_up(now, hello.credits, hello.instance);
        let member = link.node.member;
        for terms in self.terms.iter() {
            Message::Tenant(terms.on(member)).encode(link.out());
        }
        self.pump(now, id);
    }

    fn reply(
        &mut self,
        now: Timestamp,
        link_id: LinkId,
        reply: &Reply<'_>,
        each: &mut dyn FnMut(Event<'_>),
    ) {
        let Some(request) = self
            .requests
            .get(reply.id)
            .filter(|it| it.link == link_id.0)
        else {
            self.late_reply(link_id, reply);
            return;
        };
        if let State::Copy = request.state {
            return self.copy_replied(now, link_id, reply);
        }
        if self.routes.observe(request.slot, reply.epoch) {
            let board = &self.config.board;
            board.note_behind(self.config.loop_index, true);
        }
        if request.is_change {
            change_hot(&self.hot, request.tenant_place, request.slot);
        }
        if let State::Removal = request.state {
            if let Some(link) = self.links.get_mut(link_id.0 as usize) {
                link.removals = link.removals.saturating_sub(1);
                if reply.verdict == Verdict::Busy {
                    link.doubts.doom(request.tenant, &request.key);
                }
            }
            self.requests.end(reply.id);
            return;
        }
        if let Some(latency) = self.latencies.get_mut(request.tenant_place as usize) {
            latency.note(now.since(request.sent_at));
        }
        let value_len = reply.payload.as_ref().map_or(0, |it| it.item.value.len());
        let mut is_behind = false;
        if let Some(link) = self.links.get_mut(link_id.0 as usize) {
            link.outstanding = link.outstanding.saturating_sub(1);
            is_behind = link.is_behind(request.received_len, value_len);
        }
        self.figures.answered += 1;
        let is_work = matches!(reply.verdict, Verdict::Done(_) | Verdict::Late);
        // A value on its way in comes as fast as its client sends it.
        if is_work && !matches!(request.state, State::Upload(_)) {
            let class = match request.class {
                Class::Read => Class::of(false, value_len),
                class => class,
            };
            if let Some(tally) = self.counted.of(link_id.0, class) {
                let queued = (!is_behind).then_some(reply.queued);
                tally.answered(now.since(request.left_at), queued, value_len as u64);
            }
        }
        let outcome = match reply.verdict {
            Verdict::Done(outcome) => outcome,
            Verdict::OldEpoch => {
                self.figures.old_epochs += 1;
                request.otherwise
            }
            Verdict::Late | Verdict::Busy | Verdict::NoTenant => request.otherwise,
        };
        if let State::Upload(upload) = &mut request.state
            && !upload.is_committed
        {
            upload.refused = Some(outcome);
            upload.buffer = Vec::new();
            if std::mem::take(&mut upload.is_awaited) {
                each(Event::Ready(reply.id));
            }
            return;
        }
        let payload = reply.payload.as_ref();
        let item = payload.map(|payload| &payload.item);
        if let (Some(ticket), Verdict::Done(_)) = (request.ticket.take(), reply.verdict) {
            let (place, asked_at) = (request.tenant_place, request.sent_at);
            fill_hot(&mut self.hot, place, ticket, asked_at, item);
        }
        let follows = payload.and_then(|payload| payload.following());
        if let Some(len) = follows {
            request.state = State::Download(Box::new(Download::new(now, len)));
            request.deadline = now + STILL_MAX;
            self.wheel.add(now, now + STILL_MAX, reply.id);
        }
        let copied = request.copied.take();
        let tenant = (request.tenant, request.tenant_place);
        each(Event::Answered {
            id: reply.id,
            outcome,
            item,
        });
        if let (Some(copied), Verdict::Done(_)) = (copied, reply.verdict) {
            self.copy_answered(now, tenant, &copied, outcome, item);
        }
        if follows.is_none() {
            self.requests.end(reply.id);
        }
    }

    /// Whoever asked has been answered long ago.
    fn late_reply(&mut self, link_id: LinkId, reply: &Reply<'_>) {
        let Some(link) = self.links.get_mut(link_id.0 as usize) else {
            return;
        };
        match link.copies_late {
            0 => self.figures.late += 1,
            count => link.copies_late = count - 1,
        }
        let payload = reply.payload.as_ref();
        if payload.and_then(|payload| payload.following()).is_some() {
            Message::Cancel(reply.id).encode(link.out());
            self.mark_dirty(link_id);
        }
    }

    fn piece(
        &mut self,
        now: Timestamp,
        link_id: LinkId,
        piece: Piece<'_>,
        each: &mut dyn FnMut(Event<'_>),
    ) {
        let request = self
            .requests
            .get(piece.id)
            .filter(|it| it.link == link_id.0);
        let Some(State::Download(download)) = request.map(|request| &mut request.state) else {
            return;
        };
        let is_whole = download.receive(now, piece.bytes);
        let ends_early = piece.is_last && download.left > 0;
        if piece.is_broken || ends_early || !is_whole {
            download.is_broken = true;
        }
        each(Event::Ready(piece.id));
    }

    /// Answers a request whose time is up.
    pub(super) fn expire(
        &mut self,
        now: Timestamp,
        id: RequestId,
        each: &mut dyn FnMut(Event<'_>),
    ) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        if let State::Download(download) = &mut request.state {
            let still_since = download.moved_at;
            if now.since(still_since) < STILL_MAX {
                self.wheel.add(now, still_since + STILL_MAX, id);
            } else if !download.is_broken {
                download.is_broken = true;
                each(Event::Ready(id));
            }
            return;
        }
        if request.deadline > now {
            let deadline = request.deadline;
            self.wheel.add(now, deadline, id);
            return;
        }
        if let State::Copy = request.state {
            return self.copy_lost(now, id);
        }
        let (outcome, tenant, index) = (request.otherwise, request.tenant, request.link);
        let class = request.class;
        if request.is_change {
            change_hot(&self.hot, request.tenant_place, request.slot);
        }
        let (sent_at, key) = (request.sent_at, std::mem::take(&mut request.key));
        let was_queued = matches!(request.state, State::Queued);
        if let Some(tally) = self.counted.of(index, class) {
            match was_queued {
                true => tally.held += 1,
                false => tally.unanswered(1),
            }
        }
        self.figures.timed_out += 1;
        if let Some(latency) = self.latencies.get_mut(request.tenant_place as usize) {
            latency.note(now.since(sent_at));
        }
        if let Some(link) = self.links.get_mut(index as usize) {
            // The node may make the change yet: the removal goes the same way, behind it.
            if !key.is_empty() {
                link.doubts.doom(tenant, &key);
            }
            if !was_queued {
                link.outstanding = link.outstanding.saturating_sub(1);
                if link.is_silent_since(sent_at) {
                    link.state = LinkState::Silent;
                    link.ping_at = now;
                }
            }
        }
        each(Event::Answered {
            id,
            outcome,
            item: None,
        });
        self.requests.end(id);
        self.pump(now, LinkId(index));
    }

    /// Answers a request whose connection is no more.
    pub(super) fn lose(&mut self, now: Timestamp, id: RequestId, each: &mut dyn FnMut(Event<'_>)) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        if let State::Copy = request.state {
            return self.copy_lost(now, id);
        }
        let (outcome, key) = (request.otherwise, std::mem::take(&mut request.key));
        if request.is_change {
            change_hot(&self.hot, request.tenant_place, request.slot);
        }
        if !key.is_empty()
            && let Some(link) = self.links.get_mut(request.link as usize)
        {
            link.doubts.doom(request.tenant, &key);
        }
        match &mut request.state {
            State::Download(download) => {
                download.is_broken = true;
                each(Event::Ready(id));
                return;
            }
            State::Upload(upload) if !upload.is_committed => {
                upload.refused.get_or_insert(outcome);
                upload.buffer = Vec::new();
                if std::mem::take(&mut upload.is_awaited) {
                    each(Event::Ready(id));
                }
                return;
            }
            State::Removal => {}
            _ => {
                self.figures.timed_out += 1;
                if let Some(tally) = self.counted.of(request.link, request.class) {
                    tally.unanswered(1);
                }
                if let Some(latency) = self.latencies.get_mut(request.tenant_place as usize) {
                    latency.note(now.since(request.sent_at));
                }
                each(Event::Answered {
                    id,
                    outcome,
                    item: None,
                });
            }
        }
        self.requests.end(id);
    }

    /// Wakes those whose value can go on.
    pub(super) fn tell_ready(&mut self, each: &mut dyn FnMut(Event<'_>)) {
        for id in std::mem::take(&mut self.ready) {
            each(Event::Ready(id));
        }
    }
}
