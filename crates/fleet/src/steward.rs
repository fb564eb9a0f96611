//! What is to be written to the store next, by whoever has the steward's lease: members' standings and
//! changes of the ring.
//!
//! One member does this at a time, but nothing depends on that: each write is compared with what was
//! read, and one that takes over waits anew. Times are the steward's own clock; a standing's `since`
//! may come from another's, which makes a step of a ramp longer or shorter by the difference of the
//! two, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};

use crate::assignment::Weights;
use crate::cap::Cap;
use crate::change::{Patience, Readiness};
use crate::membership::{Event, Standing, State};
use crate::registry::{MemberRecord, Registry, Role};
use crate::ring::Ring;

/// A node is gone whose lease has ended and that has not answered the steward for so long.
pub const GONE_AFTER: Duration = Duration::from_secs(5);
/// Where nodes are judged, who has come late, or was found slow on his way in, waits for so long before
/// he is let in: else one that is slow would be in and out again all the time.
const QUARANTINE: Duration = Duration::from_secs(60);

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// This ring in the place of the one that was read.
    Ring(Ring),
    /// This record in the place of the member's, and why.
    Member(MemberId, MemberRecord, Event),
}

/// Decides what is to be written.
#[derive(Clone, Debug, Default)]
pub struct Steward {
    /// Somebody judges nodes, and says when one goes on.
    is_judged: bool,
    /// Somebody tests who is quarantined, and lets him through.
    is_gated: bool,
    patience: Patience,
    /// Since when each node has seemed to be gone.
    gone_since: BTreeMap<MemberId, Timestamp>,
    /// The ring's version and the weights that need no change of it.
    settled: Option<(Epoch, Weights)>,
    /// What the change under way waits for.
    waiting: Option<Readiness>,
}

impl Steward {
    /// Who has just got the lease. Where nodes are judged it is the judge who lets them go on from
    /// step to step, and where they are tested the [gate](crate::gate) lets them begin; a steward
    /// alone does it as soon as they may.
    pub fn new(is_judged: bool, is_gated: bool) -> Self {
        Self {
            is_judged,
            is_gated,
            ..Self::default()
        }
    }

    /// What the change under way waits for; `None` without one.
    pub fn waiting(&self) -> Option<&Readiness> {
        self.waiting.as_ref()
    }

    /// The next write, if there is one, by what the store holds and when each node last answered the
    /// steward's own gateway.
    pub fn next(
        &mut self,
        registry: &Registry,
        heard_at: &BTreeMap<MemberId, Timestamp>,
        now: Timestamp,
    ) -> Option<Step> {
        self.watch(registry, heard_at, now);
        if let Some(step) = self.standing(registry, now) {
            return Some(step);
        }
        self.ring(registry, now).map(Step::Ring)
    }

    fn watch(
        &mut self,
        registry: &Registry,
        heard_at: &BTreeMap<MemberId, Timestamp>,
        now: Timestamp,
    ) {
        let gone = |id: &MemberId| {
            let is_silent = |at: &Timestamp| now.since(*at) >= GONE_AFTER;
            !registry.alive.contains(id) && heard_at.get(id).is_none_or(is_silent)
        };
        let nodes = registry.nodes().map(|(id, _)| *id);
        let gone: Vec<MemberId> = nodes.filter(gone).collect();
        self.gone_since.retain(|id, _| gone.contains(id));
        for id in gone {
            self.gone_since.entry(id).or_insert(now);
        }
    }

    fn standing(&self, registry: &Registry, now: Timestamp) -> Option<Step> {
        for (id, record) in registry.nodes() {
            let gone = self.gone_since.get(id);
            let is_gone = gone.is_some_and(|since| now.since(*since) >= GONE_AFTER);
            let event = match record.standing.state() {
                State::Serving | State::Suspect | State::Ramping | State::Probation if is_gone => {
                    if !may_eject(registry, *id) {
                        continue;
                    }
                    Event::Condemned
                }
                State::Quarantined if gone.is_none() && self.may_pass(record, now) => Event::Passed,
                State::Shadow | State::Ramping | State::Probation | State::Ejected
                    if gone.is_none() && !self.is_judged =>
                {
                    Event::Held
                }
                _ => continue,
            };
            if let Ok(standing) = record.standing.after(event, now)
                && standing != record.standing
            {
                let record = MemberRecord {
                    standing,
                    ..record.clone()
                };
                return Some(Step::Member(*id, record, event));
            }
        }
        None
    }

    fn may_pass(&self, record: &MemberRecord, now: Timestamp) -> bool {
        let has_waited = !self.is_judged || now.since(record.standing.since()) >= QUARANTINE;
        has_waited && !self.is_gated
    }

    fn ring(&mut self, registry: &Registry, now: Timestamp) -> Option<Ring> {
        self.waiting = None;
        let weights = registry.weights();
        let empty = Ring::empty();
        let ring = registry.ring.as_deref().unwrap_or(&empty);
        if !ring.moving().is_empty() {
            let readiness = self.patience.ready(ring, &registry.heard(), now);
            let forced = registry.force == Some(ring.announced());
            let may = match readiness {
                Readiness::Ready => true,
                Readiness::Quorum { .. } => forced,
                Readiness::Silence(_) => false,
            };
            self.waiting = (!may).then_some(readiness);
            return may.then(|| ring.commit().ok()).flatten();
        }
        // A ring without owners would serve nobody; who owns nothing any more can still be asked.
        let is_settled = matches!(&self.settled, Some((version, of)) if *version == ring.version() && *of == weights);
        if is_settled || weights.values().all(|weight| *weight == 0) {
            return None;
        }
        let next = ring.propose(&weights).ok().flatten();
        if next.is_none() {
            self.settled = Some((ring.version(), weights));
        }
        next
    }
}

/// No more than [may be](Cap) are out at a time by themselves, and never the last one that serves. One
/// that is tried out again is out already.
fn may_eject(registry: &Registry, id: MemberId) -> bool {
    let standing = registry.members.get(&id).map(|record| &record.standing);
    let counts = standing.is_some_and(Cap::counts);
    let others = registry
        .weights()
        .into_iter()
        .filter(|(other, weight)| *other != id && *weight > 0);
    (!counts || registry.cap().room() > 0) && others.count() > 0
}

impl Registry {
    /// Where a node stands that joins now. In a fleet younger than `founding` there is nothing to
    /// compare it with, and nothing warm to take keys from: it begins at its full weight.
    pub fn standing_of_new(&self, role: Role, founding: Duration, now: Timestamp) -> Standing {
        match role {
            Role::Cache if !self.is_founded_by(role) && !self.is_young(founding, now) => {
                Standing::new(now)
            }
            _ => Standing::founder(now),
        }
    }

    /// Whether a member that joins as this is the fleet's first cache node.
    pub fn is_founded_by(&self, role: Role) -> bool {
        role == Role::Cache && self.nodes().next().is_none()
    }

    /// No standing tells that: who was drained and is back stands where he does since a moment ago. A
    /// fleet of which it is not known was founded by an earlier release.
    fn is_young(&self, founding: Duration, now: Timestamp) -> bool {
        // A founder's clock that was far ahead does not leave the gate open until then.
        let is_near = |at: Timestamp| now.since(at).max(at.since(now)) < founding;
        self.founded.is_some_and(is_near)
    }
}

#[cfg(test)]
#[path = "steward_test.rs"]
mod tests;
