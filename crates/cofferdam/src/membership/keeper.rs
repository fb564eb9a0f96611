//! The thread that keeps a member's knowledge: takes what the store says to the loops, says in the
//! store what they know, and, at the gateway that has the steward's lease, carries changes through.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};
use fleet::Ring;
use fleet::knowledge::{Knowledge, Learned, Leases};
use fleet::registry::{Registry, Role, USE_PREFIX};
use fleet::steward::Steward;
use gateway::remote::Assurance;
use runtime::store::{Follower, Known, LeaseId, Snapshot, Source, Store};
use runtime::{Clock, Published};

use super::join::Joined;
use super::kept::Kept;
use super::sight::{Seat, Sight};
use crate::failure::Failure;

/// How often it looks even if nothing wakes it.
const TICK: Duration = Duration::from_millis(100);
/// How often the loops are told how sure they may be, if nothing else is new.
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// A running member.
pub(crate) struct Membership {
    sight: Arc<Published<Sight>>,
    store: Arc<dyn Store>,
    stop: Arc<AtomicBool>,
    silence: Arc<Silence>,
    seat: Arc<dyn Seat>,
    thread: Option<JoinHandle<()>>,
    /// Ends before the thread does that it wakes.
    follower: Option<Follower>,
}

impl Membership {
    /// Goes on from where `joined` stands; `seat` is shown what is known before this returns.
    pub(crate) fn start(
        joined: Joined,
        file: PathBuf,
        store: Arc<dyn Store>,
        clock: Clock,
        role: Role,
        seat: Arc<dyn Seat>,
    ) -> Result<Self, Failure> {
        let own_seat = Arc::clone(&seat);
        let mut keeper = Keeper::new(joined, file, Arc::clone(&store), clock, role, seat);
        let silence = Arc::clone(&keeper.silence);
        keeper.show();
        let sight = Arc::clone(&keeper.sight);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (news, published) = std::sync::mpsc::sync_channel::<Arc<Published<Known>>>(1);
        let thread = thread::Builder::new()
            .name("member".into())
            .spawn(move || {
                let Ok(known) = published.recv() else {
                    return;
                };
                while !stopped.load(Ordering::Acquire) {
                    keeper.turn(&known.get());
                    thread::park_timeout(TICK);
                }
                keeper.leave();
            })?;
        let waker = thread.thread().clone();
        let follower = Follower::start(Arc::clone(&store), "", clock, move |_| waker.unpark())?;
        // The thread waits for nothing else.
        let _ = news.send(Arc::clone(follower.published()));
        Ok(Self {
            sight,
            store,
            stop,
            silence,
            seat: own_seat,
            thread: Some(thread),
            follower: Some(follower),
        })
    }

    /// What is known now.
    pub(crate) fn sight(&self) -> Arc<Sight> {
        self.sight.get()
    }

    /// From the return on another process may speak as this member: this one goes on learning, and says
    /// nothing more. Waits for what is being said.
    pub(crate) fn fall_silent(&self) {
        *self.silence.lock() = true;
    }

    /// There is no other process after all.
    pub(crate) fn speak_again(&self) {
        *self.silence.lock() = false;
    }

    /// Whether another process speaks as this member.
    pub(crate) fn is_silent(&self) -> bool {
        *self.silence.lock()
    }

    /// The newest version of the ring that all loops of this process go by.
    pub(crate) fn known(&self) -> Option<Epoch> {
        self.seat.announced()
    }

    /// The store, for whoever may wait for it.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

impl Drop for Membership {
    /// Says that a gateway has ended, so that changes need not wait for it.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
        drop(self.follower.take());
    }
}

/// Whether another process speaks as this member; held while something is being said.
#[derive(Debug, Default)]
pub(super) struct Silence(Mutex<bool>);

impl Silence {
    pub(super) fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Keeper {
    pub(super) me: MemberId,
    pub(super) role: Role,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) seat: Arc<dyn Seat>,
    pub(super) sight: Arc<Published<Sight>>,
    pub(super) silence: Arc<Silence>,
    pub(super) file: PathBuf,
    pub(super) kept: Kept,
    pub(super) knowledge: Knowledge,
    pub(super) started_at: Timestamp,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) registry: Arc<Registry>,
    pub(super) asked_at: Option<Timestamp>,
    pub(super) trouble: Option<(Timestamp, String)>,
    pub(super) lease: Option<LeaseId>,
    pub(super) kept_alive_at: Timestamp,
    pub(super) shown_at: Timestamp,
    pub(super) shared_at: Timestamp,
    pub(super) divided_at: Timestamp,
    pub(super) steward: Option<Steward>,
    pub(super) is_judged: bool,
    pub(super) is_gated: bool,
    pub(super) waits_since: Option<Timestamp>,
    pub(super) was_older: bool,
}

impl Keeper {
    fn new(
        joined: Joined,
        file: PathBuf,
        store: Arc<dyn Store>,
        clock: Clock,
        role: Role,
        seat: Arc<dyn Seat>,
    ) -> Self {
        let started_at = clock.now();
        let registry = Arc::new(read(&joined.snapshot));
        let knowledge = Knowledge::new(registry.ring.clone(), Leases::default(), started_at);
        let sight = Sight {
            me: joined.me,
            registry: Arc::clone(&registry),
            snapshot: Arc::clone(&joined.snapshot),
            ring: Arc::clone(knowledge.ring()),
            announced: None,
            assurance: Assurance::NONE,
            asked_at: None,
            trouble: None,
            waiting: None,
            waits_since: None,
        };
        Self {
            me: joined.me,
            role,
            store,
            clock,
            seat,
            sight: Arc::new(Published::new(sight)),
            silence: Arc::default(),
            file,
            kept: joined.kept,
            knowledge,
            started_at,
            snapshot: joined.snapshot,
            registry,
            asked_at: None,
            trouble: None,
            lease: None,
            kept_alive_at: Timestamp::ZERO,
            shown_at: Timestamp::ZERO,
            shared_at: Timestamp::ZERO,
            divided_at: Timestamp::ZERO,
            steward: None,
            is_judged: joined.is_judged,
            is_gated: joined.is_gated,
            waits_since: None,
            was_older: false,
        }
    }

    fn turn(&mut self, known: &Known) {
        let now = self.clock.now();
        let is_news = self.learn(known);
        for report in self.seat.reports() {
            let (node, announced, at) = (report.node, report.announced, report.asked_at);
            // What was asked before this run began says nothing about it.
            if at >= self.started_at {
                self.knowledge.report(node, announced, at);
            }
        }
        if is_news || now.since(self.shown_at) >= SHOW_EVERY {
            self.show();
        }
        // While the store is away each write would wait for it, and nobody would learn anything.
        if self.trouble.is_none() && self.asked_at.is_some() {
            if let Err(error) = self.write() {
                tracing::debug!(%error, "not written to the store");
            }
        } else {
            self.steward = None;
        }
    }

    /// True if there was anything new in it.
    fn learn(&mut self, known: &Known) -> bool {
        let mut is_news = self.trouble.is_some() != known.trouble.is_some();
        if self.trouble.is_some() != known.trouble.is_some() {
            match &known.trouble {
                Some((_, why)) => tracing::warn!(why, "the store is away: serving on without it"),
                None => tracing::info!("the store is back"),
            }
        }
        self.trouble.clone_from(&known.trouble);
        let Source::Store(asked_at) = known.source else {
            return is_news;
        };
        if self.asked_at >= Some(asked_at) {
            return is_news;
        }
        is_news |= self.asked_at.is_none();
        self.asked_at = Some(asked_at);
        if !is_same(&self.snapshot, &known.snapshot) {
            is_news = true;
            self.registry = Arc::new(read(&known.snapshot));
            for (key, why) in &self.registry.problems {
                tracing::error!(key, why, "the store holds what makes no sense");
            }
            self.kept.keep(&known.snapshot);
            if !*self.silence.lock()
                && let Err(error) = self.kept.write(&self.file)
            {
                tracing::error!(%error, "what is known of the fleet is not kept");
            }
        }
        self.snapshot = Arc::clone(&known.snapshot);
        let empty = || Arc::new(Ring::empty());
        let ring = self.registry.ring.clone().unwrap_or_else(empty);
        let is_older = self.knowledge.learn(&ring, asked_at) == Learned::Older;
        if is_older && !self.was_older {
            tracing::error!(
                have = self.knowledge.ring().version().0,
                store = ring.version().0,
                "the store has an older ring than it had: was a backup put back? It is not believed: \
                 see docs/fleet.md"
            );
        }
        self.was_older = is_older;
        is_news
    }

    /// Hands on what is known to the loops and to whoever else looks.
    fn show(&mut self) {
        let leases = Leases::default();
        let assured_at = self.knowledge.assured_at();
        let until = |lease: Duration| assured_at.map_or(Timestamp::ZERO, |at| at + lease);
        let assurance = Assurance {
            read_until: until(leases.read),
            change_until: until(leases.change),
            starting_until: match assured_at {
                None => self.started_at + leases.read,
                Some(_) => Timestamp::ZERO,
            },
        };
        let waiting = self.steward.as_ref().and_then(|it| it.waiting().cloned());
        self.waits_since = match &waiting {
            None => None,
            Some(_) => self.waits_since.or(Some(self.clock.now())),
        };
        let sight = Sight {
            me: self.me,
            registry: Arc::clone(&self.registry),
            snapshot: Arc::clone(&self.snapshot),
            ring: Arc::clone(self.knowledge.ring()),
            announced: self.knowledge.announced(),
            assurance,
            asked_at: self.asked_at,
            trouble: self.trouble.clone(),
            waiting,
            waits_since: self.waits_since,
        };
        self.seat.show(&sight);
        self.sight.publish(sight);
        self.shown_at = self.clock.now();
    }
}

fn read(snapshot: &Snapshot) -> Registry {
    let entries = snapshot.entries.iter();
    Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())))
}

/// Whether the same keys were last written at the same revisions, but for what lasts only seconds.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    let keys = |snapshot: &Snapshot| -> Vec<_> {
        let entries = snapshot.entries.iter();
        let lasting = entries.filter(|e| !e.key.starts_with(USE_PREFIX));
        lasting.map(|e| (e.key.clone(), e.revision)).collect()
    };
    keys(one) == keys(other)
}

#[cfg(test)]
#[path = "keeper_test.rs"]
mod tests;
