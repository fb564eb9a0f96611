//! Where a connection lives until it has said who it is.
//!
//! Nobody knows a connection's tenant before it speaks, so it is let in and read at once; from then
//! on the tenant that it claims, and within that its source, take turns. A storm of connections
//! that claim one tenant, or come from one place, therefore waits for itself.

mod counts;
mod crowd;
mod gate;
mod judge;
mod line;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Ordinal, TenantId, Timestamp};
use memcache_proto::auth::INPUT_LEN_MAX;

pub(crate) use self::counts::DoorCounts;
pub(crate) use self::counts::Shed;
pub use self::counts::{ApproachFailure, DoorFigures};
use self::gate::Gate;
pub use self::gate::Passage;
pub use self::judge::TOO_MANY;
use self::line::{Claim, Line};
pub use self::sources::Source;
use self::sources::SourceTable;
use crate::Figures;
use crate::directory::Directory;
use crate::session::{Admitted, Peer};

/// What the door allows.
#[derive(Clone, Copy, Debug)]
pub struct DoorConfig {
    /// How many connections there may be behind it, of all tenants together.
    pub connections_max: usize,
    /// How many connections may stand there at once.
    pub entrants_max: usize,
    /// Of these, how many from one source (an IPv4 address, or an IPv6 network of 64 bits) that
    /// has no authenticated connection.
    pub entrants_per_source_max: usize,
    /// New connections a second from such a source; what is above that waits behind all others.
    pub connects_per_second_per_source_max: Option<u32>,
    /// Memory in bytes for what they have sent.
    pub memory_max: usize,
    /// How long one may stand there.
    pub timeout: Duration,
    /// Whether there are turns and budgets, and tenants have their limits. Off only in the control
    /// of a drill.
    pub protections: bool,
    /// Which loop's counters the door counts in.
    pub loop_index: usize,
}

/// Names a connection to the door: its number in the order of arrival, never given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntrantId(Ordinal);

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
    /// It stays, for it may try again, has more to say, or waits until its tenant may have one
    /// connection more; see [`Door::next_admitted`].
    Stay,
    /// To be closed once its answer is written; the door has forgotten it.
    Refuse,
    /// The same, since all places are taken and its tenant has its share of them.
    Full,
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
    sources: SourceTable,
    gate: Gate,
    memory_bytes: usize,
    arrivals_total: u64,
}

#[derive(Debug)]
struct Entrant {
    link: u64,
    since: Timestamp,
    peer: Peer,
    source: Source,
    claim: Claim,
    /// It stands in the queue for a turn.
    waiting: bool,
    /// Its source is too fast: its turns come when nobody else waits.
    behind: bool,
    input: Vec<u8>,
    /// It has been judged, and waits for a place among its tenant's connections.
    judged: Option<Box<Judged>>,
}

/// One that may come in once its tenant has a place.
#[derive(Debug)]
struct Judged {
    admitted: Admitted,
    /// What it is told then.
    answer: Vec<u8>,
}

impl Door {
    /// A door with nobody before it.
    pub fn new(config: DoorConfig, directory: Arc<Directory>, figures: Arc<Figures>) -> Self {
        Self {
            config,
            directory,
            gate: Gate::new(Arc::clone(&figures), config.connections_max),
            figures,
            entrants: BTreeMap::new(),
            line: Line::default(),
            sources: SourceTable::default(),
            memory_bytes: 0,
            arrivals_total: 0,
        }
    }

    /// Takes a newer directory; those who stand here are measured by it.
    pub fn apply(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
        let directory = &self.directory;
        self.gate.forget(|id| directory.tenant(id).is_some());
    }

    /// Tells how many connections that were let in are open.
    pub fn note_connections(&mut self, count: usize) {
        self.gate.crowd.taken = count;
    }

    /// A tenant that must close the connection that has been idle for longest, since one was let in
    /// for which there was no place; see [`Shard::displace`](crate::Shard::displace).
    pub fn next_displaced(&mut self) -> Option<TenantId> {
        self.gate.crowd.next_displaced()
    }

    /// How many connections stand here.
    pub fn len(&self) -> usize {
        self.entrants.len()
    }

    /// Whether nobody stands here.
    pub fn is_empty(&self) -> bool {
        self.entrants.is_empty()
    }

    /// Whether so many more may come that nobody has to go soon.
    pub fn has_room(&self) -> bool {
        self.entrants.len() < self.config.entrants_max / 4 * 3
    }

    /// Whether somebody waits for a turn.
    pub fn has_waiting(&self) -> bool {
        self.line.has_waiting()
    }

    /// Lets a connection stand here. If its source has too many here, its oldest must go; if the
    /// door is full, the oldest of the fattest source of the fattest claim: shedding the newest
    /// would turn the victims of a storm away.
    pub fn enter(&mut self, now: Timestamp, peer: Peer, link: u64) -> Entry {
        let source = match self.config.protections {
            true => peer.into(),
            false => Source::Unix,
        };
        let is_stranger = self.config.protections && !self.sources.is_trusted(source);
        let is_too_many = self.sources.count(source) >= self.config.entrants_per_source_max;
        let shed = if is_stranger && is_too_many {
            let oldest = self.sources.oldest(source);
            oldest.and_then(|id| self.shed(id, Shed::Source))
        } else if self.entrants.len() >= self.config.entrants_max {
            self.shed_fattest(Shed::Full)
        } else {
            None
        };
        let behind = is_stranger
            && self
                .config
                .connects_per_second_per_source_max
                .is_some_and(|most| self.sources.is_too_fast(now, source, most));
        self.arrivals_total += 1;
        let counts = self.figures.door_counts();
        counts.arrivals.add(1);
        counts.behind.add(behind.into());
        let id = EntrantId(Ordinal::new(self.arrivals_total));
        let entrant = Entrant {
            link,
            since: now,
            peer,
            source,
            claim: None,
            waiting: false,
            behind,
            input: Vec::new(),
            judged: None,
        };
        self.line.count_in(entrant.claim, source, id);
        self.sources.count_in(source, id);
        self.entrants.insert(id, entrant);
        Entry { id, shed }
    }

    /// How many bytes more an entrant may send before it has said who it is.
    pub fn input_len_left(&self, id: EntrantId) -> usize {
        self.entrants
            .get(&id)
            .filter(|entrant| entrant.judged.is_none())
            .map_or(0, |entrant| {
                INPUT_LEN_MAX.saturating_sub(entrant.input.len())
            })
    }

    /// Takes what an entrant sent. Once that says something, it waits for its turn.
    pub fn receive(&mut self, id: EntrantId, bytes: &[u8]) {
        let Some(entrant) = self.entrants.get_mut(&id) else {
            return;
        };
        entrant.input.extend_from_slice(bytes);
        self.memory_bytes += bytes.len();
        if !entrant.waiting {
            self.consider(id);
        }
        self.count_memory();
    }

    /// Who must go since those here have sent more than there is memory for; close the connection of
    /// this name, and ask again.
    pub fn shed_for_memory(&mut self) -> Option<u64> {
        match self.config.protections && self.memory_bytes > self.config.memory_max {
            true => self.shed_fattest(Shed::Memory),
            false => None,
        }
    }

    /// Who must go since a newcomer finds no descriptor else; close the connection of this name.
    pub fn shed_for_newcomer(&mut self) -> Option<u64> {
        self.shed_fattest(Shed::Full)
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

    /// Forgets an entrant that has gone.
    pub fn leave(&mut self, id: EntrantId) {
        let entrant = self.entrants.get(&id);
        if let Some(judged) = entrant.and_then(|entrant| entrant.judged.as_ref()) {
            let figures = self.figures.tenant(judged.admitted.tenant);
            let figures = figures.of_loop(self.config.loop_index);
            figures.connects_abandoned.add(1);
        }
        self.forget(id);
    }

    fn forget(&mut self, id: EntrantId) {
        if let Some(entrant) = self.entrants.remove(&id) {
            self.memory_bytes -= entrant.memory_bytes();
            self.line.count_out(entrant.claim, entrant.source, id);
            self.sources.count_out(entrant.source, id);
            self.count_memory();
        }
    }

    /// When it must be looked at next: an entrant's time is up, or one may have found a place.
    pub fn deadline(&self) -> Option<Timestamp> {
        let (_, oldest) = self.entrants.first_key_value()?;
        let end = oldest.since + self.config.timeout;
        Some(self.gate.next_look().map_or(end, |look| look.min(end)))
    }

    /// Forgets one whose time is up; close the connection of this name.
    pub fn expire(&mut self, now: Timestamp) -> Option<u64> {
        let (id, oldest) = self.entrants.first_key_value()?;
        if oldest.since + self.config.timeout > now {
            return None;
        }
        let (id, link) = (*id, oldest.link);
        self.figures.door_counts().timed_out.add(1);
        if let Some(judged) = &oldest.judged {
            let figures = self.figures.tenant(judged.admitted.tenant);
            figures
                .of_loop(self.config.loop_index)
                .connects_refused
                .add(1);
        }
        self.forget(id);
        Some(link)
    }

    fn shed_fattest(&mut self, why: Shed) -> Option<u64> {
        let (_, id) = self.line.oldest_of_fattest()?;
        self.shed(id, why)
    }

    fn count_memory(&self) {
        let counts = self.figures.door_counts();
        counts.memory_bytes.set(self.memory_bytes as u64);
    }

    fn shed(&mut self, id: EntrantId, why: Shed) -> Option<u64> {
        let entrant = self.entrants.get(&id)?;
        self.figures.door_counts().shed(why, entrant.peer);
        let (link, claim) = (entrant.link, entrant.claim);
        if let Some(tenant) = claim {
            let figures = self.figures.tenant(tenant);
            figures.of_loop(self.config.loop_index).shed.add(1);
        }
        self.forget(id);
        Some(link)
    }
}

impl Entrant {
    fn memory_bytes(&self) -> usize {
        let judged = self.judged.as_deref();
        self.input.len() + judged.map_or(0, |judged| judged.admitted.unparsed.len())
    }
}

#[cfg(test)]
mod budgets_test;
#[cfg(test)]
#[path = "door_test.rs"]
mod door_test;
