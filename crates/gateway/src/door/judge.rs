//! What an entrant's words come to: in, out, once more, or in as soon as its tenant has a place.

use base::Timestamp;
use memcache_proto::auth::{self, INPUT_LEN_MAX, Step};

use super::{Door, EntrantId, Entry, Judged, Passage, Verdict};
use crate::session::Admitted;

/// memcached's words when it is full, whatever protocol was spoken.
pub const TOO_MANY: &[u8] = b"ERROR Too many open connections\r\n";

impl Door {
    /// Judges what an entrant has said, appending the answer to `out`.
    pub fn judge(&mut self, now: Timestamp, id: EntrantId, out: &mut Vec<u8>) -> Verdict {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return Verdict::Refuse;
        };
        match auth::decode(&entrant.input) {
            Step::Incomplete if entrant.input.len() < INPUT_LEN_MAX => Verdict::Stay,
            Step::Incomplete => {
                self.forget(id);
                Verdict::Refuse
            }
            Step::Refuse { reply } => {
                reply.answer(out);
                self.forget(id);
                Verdict::Refuse
            }
            Step::Answer { consumed, reply } => {
                reply.answer(out);
                self.forget_input(id, consumed);
                Verdict::Stay
            }
            Step::Attempt {
                consumed,
                username,
                password,
                reply,
            } => {
                let claimed = self.directory.claimed_tenant(username);
                let credential = self.directory.verify(username, password);
                if let Some(tenant) = claimed {
                    let figures = self.figures.tenant(tenant);
                    let figures = figures.of_loop(self.config.loop_index);
                    figures.auth_attempts.add(1);
                    figures.auth_failures.add(u64::from(credential.is_none()));
                }
                let Some(credential) = credential else {
                    reply.rejected(out);
                    self.forget_input(id, consumed);
                    return Verdict::Stay;
                };
                let mut answer = Vec::new();
                reply.accepted(&mut answer);
                let admitted = Admitted {
                    tenant: credential.tenant,
                    rights: credential.rights,
                    credential: Some(credential.id),
                    peer: entrant.peer,
                    unparsed: entrant.input.split_off(consumed),
                };
                self.memory_bytes -= admitted.unparsed.len();
                self.sources.trust(entrant.source);
                self.pass_or_wait(now, id, admitted, answer, out)
            }
        }
    }

    /// Whether a connection that need not say who it is may come in at once.
    pub fn pass(&mut self, now: Timestamp, admitted: &Admitted) -> Passage {
        let tenant = admitted.tenant;
        // Whoever would take in one of a tenant that was removed knows best what to do with it.
        if !self.config.protections || self.directory.tenant(tenant).is_none() {
            return Passage::In;
        }
        let passage = self.gate.pass(now, tenant, &self.directory);
        if passage == Passage::Full {
            let figures = self.figures.tenant(tenant);
            figures.of_loop(self.config.loop_index).turned_away.add(1);
        }
        passage
    }

    /// Lets a connection stand here that did not [`pass`](Self::pass), until its tenant has a place
    /// for it or its time is up.
    pub fn enter_judged(&mut self, now: Timestamp, admitted: Admitted, link: u64) -> Entry {
        let entry = self.enter(now, admitted.peer, link);
        self.wait_for_place(entry.id, admitted, Vec::new());
        entry
    }

    /// One of those that wait for a place, once there is one: appends its answer to `out`, and gives
    /// the driver's name for it. The door has forgotten it.
    pub fn next_admitted(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Option<(u64, Admitted)> {
        let (directory, entrants) = (&self.directory, &self.entrants);
        let is_here = |entrant| entrants.contains_key(&entrant);
        let id = self.gate.next(now, directory, is_here)?;
        let entrant = self.entrants.get_mut(&id)?;
        let link = entrant.link;
        let judged = entrant.judged.take()?;
        self.memory_bytes -= judged.admitted.unparsed.len();
        self.forget(id);
        out.extend_from_slice(&judged.answer);
        Some((link, judged.admitted))
    }

    /// To be called for an admitted connection that was lost before a shard was told of it.
    pub fn lost(&mut self, admitted: &Admitted) {
        if self.config.protections && self.directory.tenant(admitted.tenant).is_some() {
            self.gate.give_back(admitted.tenant);
        }
    }

    fn pass_or_wait(
        &mut self,
        now: Timestamp,
        id: EntrantId,
        admitted: Admitted,
        answer: Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Verdict {
        match self.pass(now, &admitted) {
            Passage::In => {
                self.forget(id);
                out.extend_from_slice(&answer);
                Verdict::Admit(admitted)
            }
            Passage::Wait => {
                self.wait_for_place(id, admitted, answer);
                Verdict::Stay
            }
            Passage::Full => {
                self.forget(id);
                out.extend_from_slice(TOO_MANY);
                Verdict::Full
            }
        }
    }

    fn wait_for_place(&mut self, id: EntrantId, admitted: Admitted, answer: Vec<u8>) {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return;
        };
        let tenant = admitted.tenant;
        let figures = self.figures.tenant(tenant);
        figures
            .of_loop(self.config.loop_index)
            .connects_delayed
            .add(1);
        self.memory_bytes -= entrant.input.len();
        entrant.input = Vec::new();
        self.memory_bytes += admitted.unparsed.len();
        entrant.judged = Some(Box::new(Judged { admitted, answer }));
        let (before, source) = (entrant.claim.replace(tenant), entrant.source);
        if before != Some(tenant) {
            self.line.count_out(before, source, id);
            self.line.count_in(Some(tenant), source, id);
        }
        self.gate.wait(tenant, id);
    }

    /// Drops what has been answered, and sees whether more was said.
    fn forget_input(&mut self, id: EntrantId, len: usize) {
        if let Some(entrant) = self.entrants.get_mut(&id) {
            entrant.input.drain(..len);
            self.memory_bytes -= len;
            self.consider(id);
        }
    }

    /// Reads the claim of an entrant; one that has said something whole is put in the queue.
    pub(super) fn consider(&mut self, id: EntrantId) {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return;
        };
        let (step, protections) = (auth::decode(&entrant.input), self.config.protections);
        let is_part = matches!(step, Step::Incomplete) && entrant.input.len() < INPUT_LEN_MAX;
        let claim = match step {
            // Who sends half a login, and no more, stands there as much as others of his tenant.
            Step::Incomplete if protections => auth::username_of_part(&entrant.input)
                .and_then(|username| self.directory.claimed_tenant(username))
                .or(entrant.claim),
            Step::Attempt { username, .. } if protections => {
                self.directory.claimed_tenant(username)
            }
            _ => entrant.claim,
        };
        let (before, source) = (entrant.claim, entrant.source);
        entrant.claim = claim;
        entrant.waiting = !is_part;
        let behind = entrant.behind;
        if before != claim {
            self.line.count_out(before, source, id);
            self.line.count_in(claim, source, id);
        }
        match behind {
            _ if is_part => {}
            true => self.line.push_behind(id),
            false => self.line.push(claim, source, id),
        }
    }
}
