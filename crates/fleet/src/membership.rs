//! A node's way into the fleet, out of it and back: states, what leads from one to the next, and the
//! share of its keys that each allows.

use std::time::Duration;

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// New, and not yet tested: it serves nothing.
    Quarantined,
    /// Tested, and sent copies of requests whose answers nobody waits for.
    Shadow,
    /// Given its keys step by step.
    Ramping,
    /// At its full weight.
    Serving,
    /// Looks slow: after a while at a lower weight, until that is certain or over.
    Suspect,
    /// Taken out, for a time that doubles whenever it happens again.
    Ejected,
    /// Given a few keys again, to see how it serves them.
    Probation,
    /// Taken out by an operator, until he says otherwise.
    Drained,
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The gate let it through.
    Passed,
    /// It was found bad before it ever served at full weight: back to the gate.
    Refused,
    /// It did well for as long as its state asks for ([`Standing::holds_until`]).
    Held,
    /// It looks slow.
    Suspected,
    /// It looks slow, and is given half of its keys until that is certain or over.
    Relieved,
    /// It does not look slow any more.
    Cleared,
    /// It is slow, or gone, beyond doubt.
    Condemned,
    /// An operator takes it out.
    Drain,
    /// An operator lets it in again.
    Readmit,
}

impl State {
    /// For people: a node "is" this.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Shadow => "only sent copies of requests",
            Self::Ramping => "ramping",
            Self::Serving => "serving",
            Self::Suspect => "suspect",
            Self::Ejected => "ejected",
            Self::Probation => "on probation",
            Self::Drained => "drained",
        }
    }
}

impl Event {
    /// For people: a node "was" this.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Passed => "let through to its first requests",
            Self::Refused => "sent back to the gate",
            Self::Held => "let on to the next step",
            Self::Suspected => "suspected",
            Self::Relieved => "relieved of half of its keys",
            Self::Cleared => "cleared",
            Self::Condemned => "ejected",
            Self::Drain => "drained",
            Self::Readmit => "readmitted",
        }
    }
}

/// From, by, to. What is not here does not happen.
const TRANSITIONS: [(State, Event, State); 25] = [
    (State::Quarantined, Event::Passed, State::Shadow),
    (State::Quarantined, Event::Drain, State::Drained),
    (State::Shadow, Event::Held, State::Ramping),
    (State::Shadow, Event::Refused, State::Quarantined),
    (State::Shadow, Event::Drain, State::Drained),
    (State::Ramping, Event::Held, State::Serving),
    (State::Ramping, Event::Refused, State::Quarantined),
    (State::Ramping, Event::Suspected, State::Ejected),
    (State::Ramping, Event::Condemned, State::Ejected),
    (State::Ramping, Event::Drain, State::Drained),
    (State::Serving, Event::Suspected, State::Suspect),
    (State::Serving, Event::Condemned, State::Ejected),
    (State::Serving, Event::Drain, State::Drained),
    (State::Suspect, Event::Relieved, State::Suspect),
    (State::Suspect, Event::Cleared, State::Ramping),
    (State::Suspect, Event::Condemned, State::Ejected),
    (State::Suspect, Event::Drain, State::Drained),
    (State::Ejected, Event::Held, State::Probation),
    (State::Ejected, Event::Readmit, State::Probation),
    (State::Ejected, Event::Drain, State::Drained),
    (State::Probation, Event::Held, State::Ramping),
    (State::Probation, Event::Suspected, State::Ejected),
    (State::Probation, Event::Condemned, State::Ejected),
    (State::Probation, Event::Drain, State::Drained),
    (State::Drained, Event::Readmit, State::Probation),
];

/// Parts of the weight, in thousandths, of the steps of [`State::Ramping`].
const RAMP: [u32; 4] = [10, 50, 250, 500];
/// Where a suspect that was cleared goes on.
const CLEARED_STEP: u8 = 3;
const RELIEVED: u32 = 500;
const PROBATION: u32 = 10;
const FULL: u32 = 1000;

const STEP: Duration = Duration::from_secs(10);
const EJECTION_MIN: Duration = Duration::from_secs(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(600);
/// After so long at full weight, earlier ejections and reliefs no longer count.
const FORGIVEN: Duration = Duration::from_secs(600);

/// Where a node stands, since when, and with which history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    state: State,
    /// Of the ramp, from 0; of a suspect, 1 once it is relieved.
    step: u8,
    since_ns: u64,
    /// In a row.
    ejections: u32,
    /// Likewise.
    #[serde(default)]
    reliefs: u32,
    /// It was at full weight once, so that it comes back by probation and not by the gate.
    admitted: bool,
}

/// An event that the state does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node that is {} cannot be {}", .state.in_words(), .event.in_words())]
pub struct NotPossible {
    /// The state.
    pub state: State,
    /// The event.
    pub event: Event,
}

impl Standing {
    /// A node that has just joined.
    pub fn new(now: Timestamp) -> Self {
        Self {
            state: State::Quarantined,
            step: 0,
            since_ns: now.as_nanos(),
            ejections: 0,
            reliefs: 0,
            admitted: false,
        }
    }

    /// A node of a fleet that has none yet, with which there is nothing to compare.
    pub fn founder(now: Timestamp) -> Self {
        Self {
            state: State::Serving,
            admitted: true,
            ..Self::new(now)
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when it is in this state, or at this step of it.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_nanos(self.since_ns)
    }

    /// Whether it was at full weight once, so that it comes back without the gate.
    pub fn is_admitted(&self) -> bool {
        self.admitted
    }

    /// How much of `weight` it gets now; what is allowed anything gets at least 1.
    pub fn share_of(&self, weight: u32) -> u32 {
        let part = match self.state {
            State::Quarantined | State::Shadow | State::Ejected | State::Drained => return 0,
            State::Ramping => RAMP.get(usize::from(self.step)).copied().unwrap_or(FULL),
            State::Suspect if self.is_relieved() => RELIEVED,
            State::Serving | State::Suspect => FULL,
            State::Probation => PROBATION,
        };
        let share = u64::from(weight) * u64::from(part) / u64::from(FULL);
        (share as u32).max(u32::from(weight > 0))
    }

    /// When [`Event::Held`] may come at the earliest; `None` where it means nothing.
    pub fn holds_until(&self) -> Option<Timestamp> {
        match self.state {
            State::Ramping if self.step == CLEARED_STEP => {
                Some(self.since() + doubled(STEP, self.reliefs))
            }
            State::Shadow | State::Ramping | State::Probation => Some(self.since() + STEP),
            State::Ejected => Some(self.since() + doubled(EJECTION_MIN, self.ejections)),
            State::Quarantined | State::Serving | State::Suspect | State::Drained => None,
        }
    }

    /// Whether it is a suspect that has been given half of its keys.
    pub fn is_relieved(&self) -> bool {
        self.state == State::Suspect && self.step > 0
    }

    /// Where `event` leads. A fault of a node that was never at full weight sends it back to the
    /// gate; one `Held` too early, or a second `Relieved`, leads nowhere.
    pub fn after(&self, event: Event, now: Timestamp) -> Result<Self, NotPossible> {
        let asked = event;
        let event = match event {
            Event::Suspected | Event::Condemned if !self.admitted => Event::Refused,
            event => event,
        };
        let state = self.state;
        let found = TRANSITIONS
            .iter()
            .find(|(from, by, _)| (*from, *by) == (state, event));
        let refused = NotPossible {
            state,
            event: asked,
        };
        let (_, _, to) = found.ok_or(refused)?;
        if event == Event::Held && self.holds_until().is_some_and(|until| now < until) {
            return Ok(*self);
        }
        if event == Event::Relieved {
            let reliefs = self.reliefs.saturating_add(u32::from(!self.is_relieved()));
            return Ok(Self {
                step: 1,
                reliefs,
                ..*self
            });
        }
        if state == State::Ramping && event == Event::Held && self.has_more_steps() {
            return Ok(self.at(State::Ramping, self.step + 1, now));
        }
        // Who was never at full weight has the gate before him, whoever lets him in.
        let to = match (*to, self.admitted) {
            (State::Probation, false) => State::Quarantined,
            (to, _) => to,
        };
        Ok(self.entering(to, now))
    }

    fn has_more_steps(&self) -> bool {
        usize::from(self.step) + 1 < RAMP.len()
    }

    fn entering(&self, to: State, now: Timestamp) -> Self {
        let step = match (self.state, to) {
            (State::Suspect, State::Ramping) => CLEARED_STEP,
            _ => 0,
        };
        let mut next = self.at(to, step, now);
        let forgiven = self.state == State::Serving && now.since(self.since()) >= FORGIVEN;
        if forgiven || to == State::Drained {
            (next.ejections, next.reliefs) = (0, 0);
        }
        if to == State::Ejected {
            next.ejections += 1;
        }
        next.admitted |= to == State::Serving;
        next
    }

    fn at(&self, state: State, step: u8, now: Timestamp) -> Self {
        Self {
            state,
            step,
            since_ns: now.as_nanos(),
            ..*self
        }
    }
}

/// From the second time in a row on twice as long each time.
fn doubled(first: Duration, times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(16);
    (first * (1 << doublings)).min(BACK_OFF_MAX)
}

#[cfg(test)]
#[path = "membership_test.rs"]
mod tests;
