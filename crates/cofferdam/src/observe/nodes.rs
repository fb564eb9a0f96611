//! The nodes of a fleet as one of its gateways knows them at one moment.

use base::Timestamp;
use fleet::judge::{Beside, Class};
use fleet::membership::{Standing, State};

/// What half of a node's requests take at most beside its peers, by class.
pub(crate) type PeerView = [Option<Beside>; Class::ALL.len()];

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct NodeReading {
    pub(crate) name: String,
    /// Where this gateway asks it.
    pub(crate) address: String,
    /// Where the store says that it stands; none where the configuration lists the nodes.
    pub(crate) standing: Option<Standing>,
    /// Where it stands for this gateway, and since when, if that is known.
    pub(crate) state: State,
    pub(crate) since: Option<Timestamp>,
    /// How many of the 4,096 parts of the keys it owns.
    pub(crate) slots: usize,
    /// Its lease in the store holds; so it does where there is no store.
    pub(crate) is_alive: bool,
    /// It has answered this gateway within the last seconds.
    pub(crate) is_heard: bool,
    /// What this gateway sees of it.
    pub(crate) beside: PeerView,
    /// What its callers hold against it, where they are asked.
    pub(crate) case: Option<NodeCase>,
}

/// What callers of a node find, beside its peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeCase {
    /// How surely it is slow, from 1, not at all, to 100.
    pub(crate) score: f32,
    /// Upon what: who finds it slow by which figure, since when; a line each.
    pub(crate) evidence: Vec<String>,
}

/// Looks slower than its peers, though not enough to say so.
const WARM: f32 = 2.0;
const HOT: f32 = 5.0;

/// How a node fares, the worst last; the numbers are those of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Heat {
    /// It serves as its peers do.
    Well,
    /// It serves, and something speaks against it.
    Warm,
    /// It serves, and much does.
    Hot,
    /// It is on its way in.
    Entering,
    /// It looks slow.
    Suspect,
    /// An operator has taken it out.
    Drained,
    /// It is out for being slow.
    Ejected,
    /// It does not answer.
    Gone,
}

impl Heat {
    const ALL: [Self; 8] = [
        Self::Well,
        Self::Warm,
        Self::Hot,
        Self::Entering,
        Self::Suspect,
        Self::Drained,
        Self::Ejected,
        Self::Gone,
    ];

    /// Of a node.
    pub(crate) fn of(node: &NodeReading) -> Self {
        let state = node.state;
        if state != State::Drained && !(node.is_alive && node.is_heard) {
            return Self::Gone;
        }
        match state {
            State::Serving => match node.case.as_ref().map_or(1.0, |case| case.score) {
                score if score < WARM => Self::Well,
                score if score < HOT => Self::Warm,
                _ => Self::Hot,
            },
            State::Quarantined | State::Shadow | State::Ramping | State::Probation => {
                Self::Entering
            }
            State::Suspect => Self::Suspect,
            State::Drained => Self::Drained,
            State::Ejected => Self::Ejected,
        }
    }

    /// Its number in the history, where the greatest of a time is the worst of it.
    pub(crate) fn number(self) -> f32 {
        let place = Self::ALL.iter().position(|heat| *heat == self);
        place.map_or(f32::NAN, |place| place as f32)
    }

    /// What a number of the history means.
    pub(crate) fn of_number(number: f32) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|heat| heat.number() == number)
    }
}

/// The name of a node's figure in the history.
pub(crate) fn node_series(node: &str, figure: &str) -> String {
    format!("node/{node}/{figure}")
}

#[cfg(test)]
#[path = "nodes_testing.rs"]
pub(crate) mod testing;

#[cfg(test)]
#[path = "nodes_test.rs"]
mod tests;
