//! Tests of one candidate: has it and those that serve try out their machines and the ways between them,
//! asks all for the time, and at last whether the candidate is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::gate::{Evidence, GateLimits, OwnFigures, Pair, Plan, Rates, Round, Verdict};
use node_proto::gate::{OwnExam, OwnResult, PairExam, PairResult};
use node_proto::{Exam, Examined};
use runtime::Clock;
use runtime::nodes::PeerTls;
use runtime::nodes::call::{Call, Callee};
use runtime::nodes::pairing::{Load, cannot_use, pair};

use super::way::{Unseen, of_examined, pair_figures};

/// How long a node may take to be reached.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// How long a node's own machine, and, beyond its length, a pair may take.
const OWN_PATIENCE: Duration = Duration::from_secs(12);
const PAIR_PATIENCE: Duration = Duration::from_secs(8);
/// What came to nothing is tried once more after so long: a connection may be lost by chance.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Where no node serves, a way is tried for so long, by so much.
const ALONE: Load = Load {
    length: Duration::from_millis(2500),
    requests_per_s: 100,
    bytes_per_s: 4_000_000,
};
/// Round trips by which a clock is read; the quickest counts.
const CLOCK_TRIPS: u64 = 8;
/// Of a large fleet so many nodes take part, spread over all of it: enough to know how its nodes are, and
/// a verdict within a minute.
const PEERS_MAX: usize = 24;
/// Memory of the candidate that patterns are written to, and writes to its disk if it keeps volumes.
const PATTERN_LEN: u32 = 16 << 20;
const DISK_WRITES: u32 = 60;
/// A mebibyte.
const MIB: f64 = 1_048_576.0;

/// A node to be tested, or to be compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) member: MemberId,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) keeps_volumes: bool,
}

/// What tests are done with.
pub(super) struct Trial {
    pub(super) me: String,
    /// This gateway's number.
    pub(super) member: MemberId,
    pub(super) tls: Option<PeerTls>,
    pub(super) clock: Clock,
    pub(super) limits: GateLimits,
    /// It is to end at once.
    pub(super) stop: Arc<AtomicBool>,
}

impl Trial {
    /// Tests `candidate` beside those that serve; `tell` hears how far it has got.
    ///
    /// # Errors
    /// It was broken off.
    pub(super) fn run(
        &self,
        candidate: &Subject,
        serving: &[Subject],
        tell: &mut dyn FnMut(String),
    ) -> Result<Evidence, String> {
        let mut evidence = Evidence::default();
        let peers = spread(serving, PEERS_MAX);
        tell(format!(
            "machines: {} and {} that serve",
            candidate.name,
            peers.len()
        ));
        self.look_at_machines(candidate, &peers, &mut evidence);
        if peers.is_empty() {
            tell(format!(
                "{} with {}: no node serves",
                candidate.name, self.me
            ));
            evidence.add_pair(self.pair_alone(candidate));
        }
        let members: Vec<MemberId> = peers.iter().map(|peer| peer.member).collect();
        let plan = Plan::new(candidate.member, &members);
        let mut rates = Rates::default();
        for (place, round) in plan.rounds.iter().enumerate() {
            if self.stop.load(Ordering::Acquire) {
                return Err("the gateway ends".to_owned());
            }
            let find = |member: MemberId| {
                let mut all = peers.iter().chain([candidate]);
                all.find(|it| it.member == member)
            };
            tell(told(place, &plan, round, candidate, &find));
            let pairs = round.pairs.iter();
            let pairs = pairs.filter_map(|(one, other)| find(*one).zip(find(*other)));
            let pairs: Vec<(&Subject, &Subject)> = pairs.collect();
            self.round(&pairs, candidate, plan.length, &mut rates, &mut evidence);
            let verdict = Verdict::of(candidate.member, &evidence, &self.limits);
            if verdict.is_hopeless(evidence.pairs_of(candidate.member)) {
                return Ok(evidence);
            }
        }
        if let Err(error) = self.twice(|| self.call(candidate)) {
            let name = &candidate.name;
            evidence.add_problem(format!("{name} was there, and is not any more: {error}"));
        }
        Ok(evidence)
    }

    /// All at once: each looks at itself.
    fn look_at_machines(&self, candidate: &Subject, peers: &[Subject], evidence: &mut Evidence) {
        let looked = thread::scope(|scope| {
            let all = peers.iter().chain([candidate]);
            let all = all.map(|subject| {
                let is_candidate = subject == candidate;
                (
                    subject,
                    scope.spawn(move || self.twice(|| self.look_at(subject, is_candidate))),
                )
            });
            let all: Vec<_> = all.collect();
            let done = all.into_iter().map(|(subject, look)| {
                let broken = |_| Err("the test broke off".to_owned());
                (subject, look.join().unwrap_or_else(broken))
            });
            done.collect::<Vec<_>>()
        });
        for (subject, looked) in looked {
            match looked {
                Ok((own, ahead_ms)) => {
                    evidence.add_own(subject.member, own);
                    evidence.add_clock(subject.member, ahead_ms);
                }
                Err(why) if subject == candidate => evidence.add_problem(why),
                // Who serves and does not answer now is another's affair.
                Err(why) => tracing::warn!(why, "the gate compares without this node"),
            }
        }
    }

    /// A node's machine, and how far its clock is ahead, in milliseconds.
    fn look_at(&self, subject: &Subject, is_candidate: bool) -> Result<(OwnFigures, f64), String> {
        let failed = |error| format!("{} at {}: {error}", subject.name, subject.address);
        let mut call = self.call(subject).map_err(failed)?;
        let ahead_ms = self.clock_of(&mut call).map_err(failed)?;
        let exam = OwnExam {
            pattern_len: if is_candidate { PATTERN_LEN } else { 0 },
            disk_writes: if subject.keeps_volumes {
                DISK_WRITES
            } else {
                0
            },
        };
        let examined = call.examine(Exam::Own(exam), OWN_PATIENCE);
        match examined.map_err(failed)? {
            Examined::Own(own) => Ok((own_figures(&own, exam), ahead_ms)),
            Examined::Failed(why) => Err(why),
            Examined::Pair(_) => Err(format!("{} answers what was not asked", subject.name)),
        }
    }

    /// The node's clock beside this one's, half a round trip ago (RFC 5905, section 8); the quickest
    /// round trip knows best.
    fn clock_of(&self, call: &mut Call) -> std::io::Result<f64> {
        let mut best: Option<(Duration, f64)> = None;
        for token in 0..CLOCK_TRIPS {
            let began = self.clock.now();
            let answer = call.round_trip(token, b"", 0, began + CONNECT_PATIENCE)?;
            let middle = began + answer.took / 2;
            let ahead_ms = millis(answer.at, middle);
            if best.is_none_or(|(took, _)| answer.took < took) {
                best = Some((answer.took, ahead_ms));
            }
        }
        Ok(best.map_or(0.0, |(_, ahead_ms)| ahead_ms))
    }

    /// All pairs of a round at once.
    fn round(
        &self,
        pairs: &[(&Subject, &Subject)],
        candidate: &Subject,
        length: Duration,
        rates: &mut Rates,
        evidence: &mut Evidence,
    ) {
        let results = thread::scope(|scope| {
            let begun = pairs.iter().map(|(caller, called)| {
                let both = [caller.member, called.member].into_iter();
                let serving: Vec<_> = both.filter(|it| *it != candidate.member).collect();
                let budget = rates.budget(&serving);
                let exam = PairExam {
                    name: &called.name,
                    address: &called.address,
                    length,
                    requests_per_s: budget.requests_per_s,
                    bytes_per_s: budget.bytes_per_s,
                };
                scope.spawn(move || self.pair(caller, exam))
            });
            let begun: Vec<_> = begun.collect();
            let broken = |_| Err(Unseen::Untried("the test broke off".to_owned()));
            let ended = begun.into_iter().map(|it| it.join().unwrap_or_else(broken));
            ended.collect::<Vec<_>>()
        });
        for ((caller, called), result) in pairs.iter().zip(results) {
            let result = match result {
                Ok(seen) => Ok(seen),
                Err(Unseen::CannotUse(why)) => Err(why),
                Err(Unseen::Untried(why)) => {
                    tracing::warn!(why, "the gate goes on without this pair");
                    if called.member == candidate.member {
                        evidence.add_untried(why);
                    }
                    continue;
                }
            };
            if let Ok(seen) = &result {
                let bytes_per_s = seen.up_per_s.max(seen.down_per_s) as f64;
                let served = Duration::from_nanos(seen.served_ns.into());
                rates.note(caller.member, None, bytes_per_s);
                rates.note(called.member, Some(served), bytes_per_s);
            }
            evidence.add_pair(Pair {
                caller: caller.member,
                called: called.member,
                seen: result.map(|seen| pair_figures(&seen)),
            });
        }
    }

    /// What a pair showed; what came to nothing is tried once more.
    fn pair(&self, caller: &Subject, exam: PairExam<'_>) -> Result<PairResult, Unseen> {
        self.twice(|| {
            let patience = exam.length + PAIR_PATIENCE;
            let examined = self
                .call(caller)
                .and_then(|mut call| call.examine(Exam::Pair(exam), patience));
            of_examined(&caller.name, exam.name, examined)
        })
    }

    /// Where nobody serves who could try the way out, this gateway does.
    fn pair_alone(&self, candidate: &Subject) -> Pair {
        let seen = self.twice(|| {
            let result = pair(&self.callee(candidate), &ALONE).map_err(|error| {
                let told = cannot_use(&self.me, &candidate.name);
                format!("{told} at {}: {error}", candidate.address)
            });
            let examined = result.map_or_else(Examined::Failed, Examined::Pair);
            of_examined(&self.me, &candidate.name, Ok(examined))
        });
        let seen = seen.map_err(|(Unseen::CannotUse(why) | Unseen::Untried(why))| why);
        Pair {
            caller: self.member,
            called: candidate.member,
            seen: seen.map(|seen| pair_figures(&seen)),
        }
    }

    fn twice<T, E>(&self, attempt: impl Fn() -> Result<T, E>) -> Result<T, E> {
        match attempt() {
            Err(_) if !self.stop.load(Ordering::Acquire) => {
                thread::park_timeout(AGAIN_AFTER);
                attempt()
            }
            result => result,
        }
    }

    fn call(&self, subject: &Subject) -> std::io::Result<Call> {
        Call::open(&self.callee(subject), CONNECT_PATIENCE)
    }

    fn callee(&self, subject: &Subject) -> Callee {
        Callee {
            name: subject.name.clone(),
            address: subject.address.clone(),
            tls: self.tls.clone(),
            me: self.me.clone(),
            clock: self.clock,
        }
    }
}

/// So many of them, from all parts of the fleet.
fn spread(all: &[Subject], most: usize) -> Vec<Subject> {
    let count = all.len().min(most);
    let places = (0..count).map(|place| place * all.len() / count.max(1));
    places.filter_map(|place| all.get(place).cloned()).collect()
}

fn told<'a>(
    place: usize,
    plan: &Plan,
    round: &Round,
    candidate: &Subject,
    find: &dyn Fn(MemberId) -> Option<&'a Subject>,
) -> String {
    let with = round
        .pairs
        .iter()
        .find(|(_, called)| *called == candidate.member);
    let with = with.and_then(|(caller, _)| find(*caller));
    let (place, count) = (place + 1, plan.rounds.len());
    match with {
        Some(peer) => format!(
            "round {place} of {count}: {} with {}",
            candidate.name, peer.name
        ),
        None => format!("round {place} of {count}: those that serve among themselves"),
    }
}

fn own_figures(own: &OwnResult, exam: OwnExam) -> OwnFigures {
    OwnFigures {
        engine_us: f64::from(own.engine_ns) / 1e3,
        steal_percent: f64::from(own.steal_ppm) / 1e4,
        memory_mib_s: own.memory_per_s as f64 / MIB,
        pattern_faults: (exam.pattern_len > 0).then_some(own.pattern_faults),
        disk_ms: (exam.disk_writes > 0).then_some(own.disk_ns as f64 / 1e6),
    }
}

/// From the second to the first.
fn millis(later: Timestamp, earlier: Timestamp) -> f64 {
    (later.as_nanos() as f64 - earlier.as_nanos() as f64) / 1e6
}

#[cfg(test)]
#[path = "trial_test.rs"]
mod tests;
