//! Judging in a gateway: what its requests show of the nodes, what it says of that in the store, and
//! what becomes of nodes that are slow.
//!
//! Two threads. `judge` looks at what the loops have counted, four times a second, and never waits. `court`
//! exchanges ballots with the other gateways through the store, and, at the gateway that has the
//! steward's lease, decides. Without a store, and while it is away, a gateway decides for itself alone:
//! what it takes out is a miss here, and goes to no other node.

mod alone;
mod court;
mod explain;
mod given;
mod naive;
mod past;
mod report;
mod witness;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::gate::Copying;
use fleet::judge::{Ballot, ROUND, Score};
use fleet::membership::{Standing, State};
use gateway::remote::Shares;
use runtime::Clock;

use crate::config::{Config, JudgeMode};
use crate::data::Data;
use crate::failure::Failure;
use crate::fleet_data::FleetData;
use crate::gate::Gate;
use crate::membership::{self, Membership, Sight};
use alone::Alone;
use court::Court;
pub(crate) use explain::{evidence_of, lines_of};
use given::Given;
use naive::Naive;
use report::{Docket, Fleet};
pub(crate) use report::{JudgingReport, NodeReport, NoticeReport, PastReport};
use witness::Witness;

/// All of a node's keys, in thousandths.
const ALL: u32 = 1000;
/// A gateway of a list that has no number.
const ME: MemberId = MemberId(u32::MAX);

/// Judges until it is dropped.
#[derive(Debug)]
pub(crate) struct Judging {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Whoever keeps it sends on to the judge whom it lets through.
    _gate: Option<Gate>,
}

/// What the two threads have in common.
#[derive(Default)]
struct Shared {
    /// What this gateway says of its nodes; none while it has stood still itself.
    ballot: Mutex<Option<Ballot>>,
    /// Nodes that the naive rule wants to be out.
    condemned: Mutex<Vec<MemberId>>,
}

impl Shared {
    fn ballot(&self) -> MutexGuard<'_, Option<Ballot>> {
        self.ballot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn condemned(&self) -> MutexGuard<'_, Vec<MemberId>> {
        let condemned = self.condemned.lock();
        condemned.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Judging {
    /// Over the nodes of a gateway; `None` where there are none, or where nobody is to judge.
    pub(crate) fn start(
        config: &Config,
        clock: Clock,
        data: &Data,
        member: Option<&Arc<Membership>>,
    ) -> Result<Option<Self>, Failure> {
        let Data::Nodes(data) = data else {
            return Ok(None);
        };
        let mode = config.judge.mode;
        data.show_judging(JudgingReport::nothing(mode));
        if mode == JudgeMode::Off {
            return Ok(None);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        let mut court = None;
        if let Some(member) = member {
            let store = membership::judging_store(config)?;
            let thread = Sitting {
                court: Court::new(mode, store, member.sight().me),
                member: Arc::clone(member),
                data: Arc::clone(data),
                shared: Arc::clone(&shared),
                clock,
            };
            let thread = spawn("court", &stop, thread)?;
            court = Some(thread.thread().clone());
            threads.push(thread);
        }
        let now = clock.now();
        let me = match member {
            Some(member) => member.sight().me,
            None if config.fleet.member > 0 => MemberId(config.fleet.member),
            None => ME,
        };
        let name = config.fleet.name.clone();
        threads.push(spawn(
            "judge",
            &stop,
            Looking {
                mode,
                copies_percent: config.gate.copies_percent,
                witness: Witness::new(now, me, config.judge.limits()),
                given: Given::default(),
                naive: Naive::default(),
                alone: Alone::new(mode, me, name),
                member: member.map(Arc::clone),
                data: Arc::clone(data),
                shared,
                court,
                clock,
            },
        )?);
        let gate = match member {
            Some(member) => Gate::start(config, clock, data, member)?,
            None => None,
        };
        Ok(Some(Self {
            stop,
            threads,
            _gate: gate,
        }))
    }
}

impl Drop for Judging {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

/// Where nodes stand and who brought them there, where nobody judges them.
pub(crate) fn unjudged(report: JudgingReport, sight: &Sight, now: Timestamp) -> JudgingReport {
    let told = Docket::new(sight.me).report(now, JudgeMode::Off, None, &Fleet::of_store(sight));
    JudgingReport {
        mode: report.mode,
        ..told.with_deeds(&sight.registry.deeds)
    }
}

/// Something that is done again and again.
trait Turns: Send + 'static {
    fn turn(&mut self);
}

fn spawn(
    name: &str,
    stop: &Arc<AtomicBool>,
    mut turns: impl Turns,
) -> std::io::Result<JoinHandle<()>> {
    let stopped = Arc::clone(stop);
    thread::Builder::new().name(name.into()).spawn(move || {
        while !stopped.load(Ordering::Acquire) {
            thread::park_timeout(ROUND);
            turns.turn();
        }
    })
}

/// The thread that looks at what was counted.
struct Looking {
    mode: JudgeMode,
    /// Who is to be let in is sent copies of so many of a hundred requests of one node.
    copies_percent: f64,
    witness: Witness,
    given: Given,
    naive: Naive,
    alone: Alone,
    member: Option<Arc<Membership>>,
    data: Arc<FleetData>,
    shared: Arc<Shared>,
    /// Whom to wake when a node looks slow.
    court: Option<thread::Thread>,
    clock: Clock,
}

impl Turns for Looking {
    fn turn(&mut self) {
        let now = self.clock.now();
        let sight = self.member.as_ref().map(|member| member.sight());
        let fleet = match &sight {
            Some(sight) => Fleet::of_store(sight),
            None => Fleet::of_list(now, &self.data.nodes()),
        };
        let is_alone = sight.as_ref().is_none_or(|sight| is_cut_off(sight));
        match is_alone {
            true => self.alone.begin(&fleet),
            false => self.alone.end(),
        }
        let standings = self.alone.standings().unwrap_or(&fleet.standings);
        self.witness.know(now, standings);
        let shares_now = shares(standings, sight.is_none());
        let registry = sight.as_ref().map(|sight| &*sight.registry);
        self.given.learn(self.data.ring());
        self.given
            .show(&mut self.witness, standings, &shares_now, registry);
        let tallies = self.data.board().watch().take();
        let condemned = match self.mode {
            JudgeMode::Naive => self.naive.round(now, &tallies),
            JudgeMode::On | JudgeMode::Off => Vec::new(),
        };
        let ballot = self.witness.round(now, tallies);
        self.data.show_beside(self.witness.beside(now));
        if is_alone {
            let report = self.alone.round(now, &fleet, ballot, &condemned);
            self.data.show_judging(match registry {
                Some(registry) => report.with_deeds(&registry.deeds),
                None => report,
            });
        } else {
            self.hand_over(ballot, condemned);
        }
        let standings = self.alone.standings().unwrap_or(&fleet.standings);
        let watch = self.data.board().watch();
        watch.limit(shares(standings, sight.is_none()));
        if self.mode == JudgeMode::On {
            watch.copy(Copying::of(standings, self.copies_percent));
        }
    }
}

impl Looking {
    fn hand_over(&mut self, ballot: Option<Ballot>, mut condemned: Vec<MemberId>) {
        let says = ballot.as_ref().is_some_and(is_any_slow) || !condemned.is_empty();
        *self.shared.ballot() = ballot;
        self.shared.condemned().append(&mut condemned);
        if says && let Some(court) = &self.court {
            court.unpark();
        }
    }
}

/// The thread that waits for the store.
struct Sitting {
    court: Court,
    member: Arc<Membership>,
    data: Arc<FleetData>,
    shared: Arc<Shared>,
    clock: Clock,
}

impl Turns for Sitting {
    fn turn(&mut self) {
        let sight = self.member.sight();
        if is_cut_off(&sight) {
            return;
        }
        let ballot = self.shared.ballot().clone();
        let condemned = std::mem::take(&mut *self.shared.condemned());
        let now = self.clock.now();
        let fleet = &**self.member.store();
        match self.court.sit(now, &sight, fleet, ballot, &condemned) {
            Ok(Some(report)) => self.data.show_judging(report),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "ballots are not exchanged"),
        }
    }
}

/// Nobody can agree: the store does not answer, or has not yet.
fn is_cut_off(sight: &Sight) -> bool {
    sight.trouble.is_some() || sight.asked_at.is_none()
}

/// Whether a ballot says anything of a node, or of all.
fn is_any_slow(ballot: &Ballot) -> bool {
    let mut opinions = ballot.opinions.iter();
    let is_slow = |score: Score| score > Score::CLEAR;
    is_slow(ballot.shift) || opinions.any(|it| is_slow(it.score) || is_slow(it.score_unqueued))
}

/// What each node that does not get all of its keys gets of them. Where a ring can change that says
/// what a node has, and only who is out gets nothing, until it has. Where none can a suspect gets all:
/// nobody else would have its keys.
fn shares(standings: &BTreeMap<MemberId, Standing>, is_all: bool) -> Shares {
    let share = |standing: &Standing| match standing.state() {
        State::Suspect => ALL,
        State::Ejected => 0,
        _ if is_all => standing.share_of(ALL),
        _ => ALL,
    };
    let shares = standings.iter().map(|(node, it)| (*node, share(it)));
    shares.filter(|(_, share)| *share < ALL).collect()
}

/// How long a ballot may be without news while there is something to say of a node.
const MUTE_AFTER: Duration = Duration::from_millis(2500);

/// Milliseconds of Unix time.
fn unix_ms(at: Timestamp) -> u64 {
    at.as_nanos() / 1_000_000
}

#[cfg(test)]
#[path = "judging_test.rs"]
mod tests;
