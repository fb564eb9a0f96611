//! Where a connection lives until it has said who it is.
//!
//! Nobody knows a connection's tenant before it speaks, so it is let in and read at once; from then
//! on the tenant that it claims, and within that its source, take turns. A storm of connections
//! that claim one tenant, or come from one place, therefore waits for itself.

mod line;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use memcache_proto::auth::{self, INPUT_LEN_MAX, Step};
use slab::Slab;

use self::line::{Claim, Line, Source};
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

/// Names a connection to the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntrantId(u32);

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
    entrants: Slab<Entrant>,
    line: Line,
    /// Everybody in the order of arrival, which is the order of the deadlines; those who have gone
    /// are passed over.
    arrivals: VecDeque<(u64, EntrantId)>,
    arrivals_total: u64,
}

#[derive(Debug)]
struct Entrant {
    link: u64,
    /// Tells it from others that had its place before.
    arrival: u64,
    since: Timestamp,
    source: Source,
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
            entrants: Slab::new(),
            line: Line::default(),
            arrivals: VecDeque::new(),
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
            arrival: self.arrivals_total,
            since: now,
            source: peer.into(),
            claim: None,
            waiting: false,
            input: Vec::new(),
        };
        self.line.count_in(entrant.claim, entrant.source);
        let arrival = entrant.arrival;
        let id = EntrantId(u32::try_from(self.entrants.insert(entrant)).unwrap_or(u32::MAX));
        self.arrivals.push_back((arrival, id));
        Entry { id, shed }
    }

    /// How many bytes more an entrant may send before it has said who it is.
    pub fn input_len_left(&self, id: EntrantId) -> usize {
        self.entrants.get(id.0 as usize).map_or(0, |entrant| {
            INPUT_LEN_MAX.saturating_sub(entrant.input.len())
        })
    }

    /// Takes what an entrant sent. Once that says something, it waits for its turn.
    pub fn receive(&mut self, id: EntrantId, bytes: &[u8]) {
        let Some(entrant) = self.entrants.get_mut(id.0 as usize) else {
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
            if let Some(entrant) = self.entrants.get_mut(id.0 as usize)
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
        let Some(entrant) = self.entrants.get_mut(id.0 as usize) else {
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
                    unparsed: entrant.input.split_off(consumed),
                };
                self.leave(id);
                Verdict::Admit(admitted)
            }
        }
    }

    /// Forgets an entrant, for instance because it has gone.
    pub fn leave(&mut self, id: EntrantId) {
        if let Some(entrant) = self.entrants.try_remove(id.0 as usize) {
            self.line.count_out(entrant.claim, entrant.source);
        }
    }

    /// When the next entrant's time is up.
    pub fn deadline(&mut self) -> Option<Timestamp> {
        self.oldest()
            .and_then(|id| self.entrants.get(id.0 as usize))
            .map(|entrant| entrant.since + self.config.timeout)
    }

    /// Forgets one whose time is up; close the connection of this name.
    pub fn expire(&mut self, now: Timestamp) -> Option<u64> {
        let id = self.oldest()?;
        let entrant = self.entrants.get(id.0 as usize)?;
        if entrant.since + self.config.timeout > now {
            return None;
        }
        let link = entrant.link;
        self.leave(id);
        Some(link)
    }

    /// Reads the claim of an entrant that has said something whole, and puts it in the queue.
    fn consider(&mut self, id: EntrantId) {
        let Some(entrant) = self.entrants.get_mut(id.0 as usize) else {
            return;
        };
        let claim = match auth::decode(&entrant.input) {
            Step::Incomplete if entrant.input.len() < INPUT_LEN_MAX => return,
            Step::Attempt { username, .. } => self.directory.claimed_tenant(username),
            _ => entrant.claim,
        };
        let (before, source) = (entrant.claim, entrant.source);
        entrant.claim = claim;
        entrant.waiting = true;
        if before != claim {
            self.line.count_out(before, source);
            self.line.count_in(claim, source);
        }
        self.line.push(claim, source, id);
    }

    fn shed(&mut self) -> Option<u64> {
        let (claim, source) = self.line.fattest()?;
        let (_, id) = *self.arrivals.iter().find(|(arrival, id)| {
            self.entrants.get(id.0 as usize).is_some_and(|entrant| {
                entrant.arrival == *arrival && entrant.claim == claim && entrant.source == source
            })
        })?;
        let link = self.entrants.get(id.0 as usize)?.link;
        self.leave(id);
        if let Some(tenant) = claim {
            let figures = self.figures.tenant(tenant);
            figures.of_loop(self.config.loop_index).shed.add(1);
        }
        Some(link)
    }

    fn oldest(&mut self) -> Option<EntrantId> {
        while let Some((arrival, id)) = self.arrivals.front().copied() {
            match self.entrants.get(id.0 as usize) {
                Some(entrant) if entrant.arrival == arrival => return Some(id),
                _ => self.arrivals.pop_front(),
            };
        }
        None
    }
}

#[cfg(test)]
#[path = "door_test.rs"]
mod door_test;
