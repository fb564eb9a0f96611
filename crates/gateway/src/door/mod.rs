//! Where a connection lives until it has said who it is.
//!
//! Nobody knows a connection's tenant before it speaks, so it is let in and read at once; from then
//! on the tenant that it claims, and within that its source, take turns. A storm of connections
//! that claim one tenant, or come from one place, therefore waits for itself.

mod line;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use memcache_proto::auth::{self, INPUT_LEN_MAX, Step};

use self::line::{Claim, Line};
use crate::Figures;
use crate::directory::Directory;
use crate::session::{Admitted, Peer};

/// What the door allows.
#[derive(Clone, Copy, Debug)]
pub struct DoorConfig {
    /// How many connections may stand there at once.
    pub entrants_max: usize,
    /// How long one may stand there.
    pub timeout: Duration,
    /// Which loop's counters the door counts in.
    pub loop_index: usize,
}

/// Names a connection to the door: its number in the order of arrival, never given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntrantId(u64);

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The newcomer.
    pub id: EntrantId,
    /// The driver's name for the connection that had to go to make room; close it.
    pub shed: Option<u64>,
}

/// What became of an entrant in its turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may come in; the door has forgotten it.
    Admit(Admitted),
    /// It stays, for it may try again or has more to say.
    Stay,
    /// To be closed once its answer is written; the door has forgotten it.
    Refuse,
}

/// Holds the connections of one loop that have not said who they are.
#[derive(Debug)]
pub struct Door {
    config: DoorConfig,
    directory: Arc<Directory>,
    figures: Arc<Figures>,
    /// In the order of arrival, which is the order of the deadlines.
    entrants: BTreeMap<EntrantId, Entrant>,
    line: Line,
    arrivals_total: u64,
}

#[derive(Debug)]
struct Entrant {
    link: u64,
    since: Timestamp,
    peer: Peer,
    claim: Claim,
    waiting: bool,
    input: Vec<u8>,
}

impl Door {
    /// A door with nobody before it.
    pub fn new(config: DoorConfig, directory: Arc<Directory>, figures: Arc<Figures>) -> Self {
        Self {
            config,
            directory,
            figures,
            entrants: BTreeMap::new(),
            line: Line::default(),
            arrivals_total: 0,
        }
    }

    /// Takes a newer directory; those who stand here are measured by it.
    pub fn apply(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
    }

    /// How many connections stand here.
    pub fn len(&self) -> usize {
        self.entrants.len()
    }

    /// Whether nobody stands here.
    pub fn is_empty(&self) -> bool {
        self.entrants.is_empty()
    }

    /// Whether somebody waits for a turn.
    pub fn has_waiting(&self) -> bool {
        self.line.has_waiting()
    }

    /// Lets a connection stand here. If the door is full, the oldest of the fattest source of the
    /// fattest claim must go: shedding the newest would turn the victims of a storm away.
    pub fn enter(&mut self, now: Timestamp, peer: Peer, link: u64) -> Entry {
        let shed = if self.entrants.len() >= self.config.entrants_max {
            self.shed()
        } else {
            None
        };
        self.arrivals_total += 1;
        let entrant = Entrant {
            link,
            since: now,
            peer,
            claim: None,
            waiting: false,
            input: Vec::new(),
        };
        let id = EntrantId(self.arrivals_total);
        self.line.count_in(entrant.claim, peer.into(), id);
        self.entrants.insert(id, entrant);
        Entry { id, shed }
    }

    /// How many bytes more an entrant may send before it has said who it is.
    pub fn input_len_left(&self, id: EntrantId) -> usize {
        self.entrants.get(&id).map_or(0, |entrant| {
            INPUT_LEN_MAX.saturating_sub(entrant.input.len())
        })
    }

    /// Takes what an entrant sent. Once that says something, it waits for its turn.
    pub fn receive(&mut self, id: EntrantId, bytes: &[u8]) {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return;
        };
        entrant.input.extend_from_slice(bytes);
        if !entrant.waiting {
            self.consider(id);
        }
    }

    /// The entrant whose turn it is, and the driver's name for it.
    pub fn next_entrant(&mut self) -> Option<(EntrantId, u64)> {
        while let Some(id) = self.line.pop() {
            if let Some(entrant) = self.entrants.get_mut(&id)
                && entrant.waiting
            {
                entrant.waiting = false;
                return Some((id, entrant.link));
            }
        }
        None
    }

    /// Judges what an entrant has said, appending the answer to `out`.
    pub fn judge(&mut self, id: EntrantId, out: &mut Vec<u8>) -> Verdict {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return Verdict::Refuse;
        };
        match auth::decode(&entrant.input) {
            Step::Incomplete if entrant.input.len() < INPUT_LEN_MAX => Verdict::Stay,
            Step::Incomplete => {
                self.leave(id);
                Verdict::Refuse
            }
            Step::Refuse { reply } => {
                reply.answer(out);
                self.leave(id);
                Verdict::Refuse
            }
            Step::Answer { consumed, reply } => {
                reply.answer(out);
                entrant.input.drain(..consumed);
                self.consider(id);
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
                    entrant.input.drain(..consumed);
                    self.consider(id);
                    return Verdict::Stay;
                };
                reply.accepted(out);
                let admitted = Admitted {
                    tenant: credential.tenant,
                    rights: credential.rights,
                    credential: Some(credential.id),
                    peer: entrant.peer,
                    unparsed: entrant.input.split_off(consumed),
                };
                self.leave(id);
                Verdict::Admit(admitted)
            }
        }
    }

    /// Forgets an entrant, for instance because it has gone.
    pub fn leave(&mut self, id: EntrantId) {
        if let Some(entrant) = self.entrants.remove(&id) {
            self.line.count_out(entrant.claim, entrant.peer.into(), id);
        }
    }

    /// When the next entrant's time is up.
    pub fn deadline(&self) -> Option<Timestamp> {
        let (_, oldest) = self.entrants.first_key_value()?;
        Some(oldest.since + self.config.timeout)
    }

    /// Forgets one whose time is up; close the connection of this name.
    pub fn expire(&mut self, now: Timestamp) -> Option<u64> {
        let (id, oldest) = self.entrants.first_key_value()?;
        if oldest.since + self.config.timeout > now {
            return None;
        }
        let (id, link) = (*id, oldest.link);
        self.leave(id);
        Some(link)
    }

    /// Reads the claim of an entrant that has said something whole, and puts it in the queue.
    fn consider(&mut self, id: EntrantId) {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return;
        };
        let claim = match auth::decode(&entrant.input) {
            Step::Incomplete if entrant.input.len() < INPUT_LEN_MAX => return,
            Step::Attempt { username, .. } => self.directory.claimed_tenant(username),
            _ => entrant.claim,
        };
        let (before, source) = (entrant.claim, entrant.peer.into());
        entrant.claim = claim;
        entrant.waiting = true;
        if before != claim {
            self.line.count_out(before, source, id);
            self.line.count_in(claim, source, id);
        }
        self.line.push(claim, source, id);
    }

    fn shed(&mut self) -> Option<u64> {
        let (claim, id) = self.line.oldest_of_fattest()?;
        let link = self.entrants.get(&id)?.link;
        self.leave(id);
        if let Some(tenant) = claim {
            let figures = self.figures.tenant(tenant);
            figures.of_loop(self.config.loop_index).shed.add(1);
        }
        Some(link)
    }
}

#[cfg(test)]
#[path = "door_test.rs"]
mod door_test;
