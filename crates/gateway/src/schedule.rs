//! Whose turn it is, how it is served, and when to look again at those who may not be served now.

use std::cmp::Reverse;
use std::time::Duration;

use base::Timestamp;

use crate::pause::{Mode, Pause};
use crate::session::SessionId;
use crate::tenant::{Due, TenantSlot, Waiting};
use crate::{Backend, Shard};

/// How often, while a tenant's `max_delay` passes, it is looked which of its sessions are late.
const LOOKS_PER_MAX_DELAY: u32 = 64;
/// The alarm that is due at once, since a tenant's bytes on their way have become few enough.
const INFLIGHT_FELL: Timestamp = Timestamp::ZERO;

impl<B: Backend> Shard<B> {
    /// Puts a session in the queue for a turn, if it does not stand there already: it waits from
    /// now on.
    pub fn make_ready(&mut self, now: Timestamp, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id.0 as usize)
            && !session.queued
        {
            session.wait_for_input(now);
            self.enqueue(now, id);
        }
    }

    /// Puts a session back in the queue that has just had its turn, and has not been served all that
    /// had come: what is left waits for as long as it has. `pending` is how many bytes of input its
    /// connection still has; it is asked for seldom.
    pub fn make_ready_again(
        &mut self,
        now: Timestamp,
        id: SessionId,
        pending: impl FnOnce() -> usize,
    ) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return;
        };
        if !session.queued {
            session.go_on_waiting(now, tenant.pace.max_delay, pending);
            self.enqueue(now, id);
        }
    }

    /// Lets a session whose client has gone have its turn before the others of its tenant: a paused
    /// one would be kept from noticing. What it has asked for is refused, but for what must be
    /// removed.
    pub fn hurry(&mut self, now: Timestamp, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get_mut(session.tenant as usize) else {
            return;
        };
        let since = now - tenant.pace.max_delay;
        session.wait_from(since.min(session.since()));
        let item = Waiting {
            session: id,
            link: session.link,
            since,
        };
        session.queued = self.queue.push_front(tenant.flow, item).is_ok();
        tenant.pace.note_waiting(since);
        if tenant.pace.held_until.take().is_some() {
            self.queue.release(tenant.flow);
        }
    }

    /// Whether a session waits for its tenant to be served again.
    pub fn is_paused(&self, id: SessionId) -> bool {
        self.sessions
            .get(id.0 as usize)
            .filter(|session| session.queued)
            .and_then(|session| self.tenants.get(session.tenant as usize))
            .is_some_and(|tenant| {
                // One that is hurried ends the hold and not the pause.
                tenant.pace.held_until.is_some() || tenant.pace.pause.is_some()
            })
    }

    /// The session whose turn it is. Its tenant is charged what a turn of it took of late, so that
    /// several turns may be given before any is over; [`settle`](Self::settle) puts it right.
    pub fn next_session(&mut self, now: Timestamp) -> Option<Due> {
        self.end_holds(now);
        while let Some((_, item)) = self.queue.pop() {
            // One that was closed while it waited is passed over.
            let Some(session) = self.sessions.get_mut(item.session.0 as usize) else {
                continue;
            };
            if !session.queued || session.link != item.link {
                continue;
            }
            let slot = session.tenant;
            let Some(tenant) = self.tenants.get_mut(slot as usize) else {
                continue;
            };
            let mode = match self.config.protections {
                true => {
                    let (open_turns, figures) = (tenant.open_turns, &tenant.figures);
                    let pace = &mut tenant.pace;
                    pace.mode(now, item.since, session.state(), open_turns, figures)
                }
                false => Ok(Mode::Serve),
            };
            let mode = match mode {
                Ok(mode) => mode,
                Err(again_at) => {
                    self.queue.put_back(item);
                    self.hold(now, slot, again_at);
                    continue;
                }
            };
            session.queued = false;
            session.mode = mode;
            if mode == Mode::Serve && tenant.pace.pause.is_some() {
                tenant.end_pause(now, self.config.loop_index);
            }
            let cost = Duration::from_nanos(tenant.charge_turn());
            self.queue.charge(cost);
            return Some(Due {
                session: item.session,
                link: item.link,
                tenant: TenantSlot(slot),
                cost,
            });
        }
        None
    }

    /// Charges a tenant what its turns since the last time took, all together; they are over `now`.
    pub fn settle(&mut self, now: Timestamp, slot: TenantSlot, took: Duration) {
        let Some(tenant) = self.tenants.get_mut(slot.0 as usize) else {
            return;
        };
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let charged = Duration::from_nanos(tenant.settle_turns(took_ns));
        self.queue.correct(tenant.flow, charged, took);
        self.contention.charge(now, &mut tenant.pace.usage, took);
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.busy_ns.add(took_ns);
        for (since, requests) in tenant.answered.drain(..) {
            figures.delays.add(now.since(since), u64::from(requests));
        }
        if tenant.pace.held_until == Some(Timestamp::MAX) {
            // It may have been held for no more than the turns that are over now.
            tenant.pace.held_until = None;
            self.queue.release(tenant.flow);
        }
    }

    /// When [`next_session`](Self::next_session) may give one that it would not give now.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether nobody can have a turn now.
    pub fn is_idle(&self) -> bool {
        !self.queue.has_ready()
    }

    fn enqueue(&mut self, now: Timestamp, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get_mut(session.tenant as usize) else {
            return;
        };
        let item = Waiting {
            session: id,
            link: session.link,
            since: session.since(),
        };
        tenant.pace.note_waiting(item.since);
        // What is being refused is refused to its end; and what is owed is written whoever waits.
        let is_refused = session.mode.refuses() && tenant.pace.late_mode(now, item.since).is_some();
        let is_flushed = tenant.pace.held_until.is_some() && !session.unsent.is_empty();
        session.queued = match is_refused || is_flushed {
            true => self.queue.push_front(tenant.flow, item).is_ok(),
            false => self.queue.push(tenant.flow, item).is_ok(),
        };
        if is_flushed {
            tenant.pace.held_until = None;
            self.queue.release(tenant.flow);
        }
    }

    /// Lets a tenant wait, but for those of its sessions that have waited too long.
    fn hold(&mut self, now: Timestamp, slot: u32, again_at: Timestamp) {
        let Some(tenant) = self.tenants.get_mut(slot as usize) else {
            return;
        };
        if tenant.open_turns > 0 {
            // Whether it is over its limits is known when its turns are over.
            tenant.pace.held_until = Some(Timestamp::MAX);
            self.queue.hold(tenant.flow);
            return;
        }
        let is_news = tenant.begin_pause(now, again_at, self.config.loop_index);
        if is_news && again_at < Timestamp::MAX {
            self.alarms.push(Reverse((again_at, slot)));
        }
        if tenant.pace.next_late <= now {
            let (late, next_late) =
                find_late(self.queue.items(tenant.flow), now, tenant.pace.max_delay);
            // One look at all for each that is late would be a look at all for each of them.
            tenant.pace.next_late =
                next_late.max(now + tenant.pace.max_delay / LOOKS_PER_MAX_DELAY);
            if let Some(place) = late {
                tenant.pace.next_late = now;
                self.queue.bring_to_front(tenant.flow, place);
                return;
            }
        }
        let wake = again_at.min(tenant.pace.next_late);
        tenant.pace.held_until = Some(wake);
        self.queue.hold(tenant.flow);
        if wake < again_at {
            self.alarms.push(Reverse((wake, slot)));
        }
    }

    /// Ends the holds and pauses whose time has come.
    fn end_holds(&mut self, now: Timestamp) {
        while let Some(Reverse((at, slot))) = self.alarms.peek().copied()
            && at <= now
        {
            self.alarms.pop();
            let Some(tenant) = self.tenants.get_mut(slot as usize) else {
                continue;
            };
            let is_over = tenant.pace.pause.is_some_and(|pause| match at {
                INFLIGHT_FELL => {
                    pause.until == Timestamp::MAX && !tenant.pace.is_over_inflight(&tenant.figures)
                }
                at => pause.until == at,
            });
            if is_over {
                tenant.end_pause(now, self.config.loop_index);
            }
            if tenant.pace.held_until == Some(at) {
                tenant.pace.held_until = None;
                self.queue.release(tenant.flow);
            }
        }
    }

    /// Counts a session's bytes on their way anew.
    pub(crate) fn count_inflight(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id.0 as usize) else {
            return;
        };
        let (before, after) = (
            session.inflight_bytes,
            session.inflight_bytes_now(&self.config),
        );
        if before != after {
            session.inflight_bytes = after;
            let slot = session.tenant;
            self.change_inflight(slot, before, after);
        }
    }

    pub(crate) fn change_inflight(&mut self, slot: u32, before: u32, after: u32) {
        let Some(tenant) = self.tenants.get_mut(slot as usize) else {
            return;
        };
        let total = tenant.pace.note_inflight(before, after);
        let figures = tenant.figures.of_loop(self.config.loop_index);
        figures.inflight_bytes.set(total);
        if after < before {
            self.end_inflight_pause(slot);
        }
    }

    /// Lets a tenant go on that waited for its bytes on their way to become fewer, if they are.
    pub(crate) fn end_inflight_pause(&mut self, slot: u32) {
        let Some(tenant) = self.tenants.get_mut(slot as usize) else {
            return;
        };
        if tenant.pace.is_over_inflight(&tenant.figures) {
            return;
        }
        if tenant.pace.held_until.take().is_some() {
            self.queue.release(tenant.flow);
        }
        let waits_for_bytes = |pause: Pause| pause.until == Timestamp::MAX;
        if tenant.pace.pause.is_some_and(waits_for_bytes) {
            self.alarms.push(Reverse((INFLIGHT_FELL, slot)));
        }
    }
}

/// The place of the first that has waited too long; without one, when that will be so.
fn find_late<'a>(
    items: impl Iterator<Item = &'a Waiting>,
    now: Timestamp,
    max_delay: Duration,
) -> (Option<usize>, Timestamp) {
    let mut next_late = Timestamp::MAX;
    for (place, item) in items.enumerate() {
        let late_at = item.since + max_delay;
        if late_at <= now {
            return (Some(place), now);
        }
        next_late = next_late.min(late_at);
    }
    (None, next_late)
}

#[cfg(test)]
#[path = "schedule_alone_test.rs"]
mod alone_tests;
#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;
