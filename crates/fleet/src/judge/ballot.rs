//! What one observer says of all nodes, and upon what.

use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

use super::score::Score;
use super::tally::Class;

/// Which figure of a node was compared with its peers'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// What half of its requests take at most, in milliseconds.
    Median,
    /// What the fastest quarter takes at most without the wait for its turn, in milliseconds: load
    /// delays some requests, a slow machine all.
    FastestQuarter,
    /// How many of a hundred take several times as long as is usual among its peers, or are not
    /// answered.
    SlowShare,
    /// The same without the wait for their turn.
    SlowShareUnqueued,
}

/// A window of requests in which a node was slow, beside its peers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Of which requests.
    pub class: Class,
    /// What was compared.
    pub statistic: Statistic,
    /// The node's figure; `None`: no answer.
    pub ours: Option<f64>,
    /// The median of its peers'; `None`: no answer.
    pub peers: Option<f64>,
    /// From where on it counts as slow.
    pub limit: Option<f64>,
    /// The node's without the time for which its requests waited there for their turn; `None`: no answer.
    pub unqueued: Option<f64>,
    /// Requests in the window.
    pub requests: u32,
    /// Of them, those without an answer.
    pub unanswered: u32,
}

impl Finding {
    /// Whether the node would not have been slow but for the time for which its requests waited there.
    pub fn is_of_queue(&self) -> bool {
        let within = |ours: f64| self.limit.is_none_or(|limit| ours <= limit);
        self.unqueued.is_some_and(within)
    }
}

/// What an observer has seen of a node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// The node.
    #[serde(with = "super::number")]
    pub node: MemberId,
    /// How surely it is slow.
    pub score: Score,
    /// How surely it is slow even if it had much to do: without the time for which requests waited
    /// there, and by those that had to wait least.
    pub score_unqueued: Score,
    /// Requests a second that it is asked, for each unit of its weight.
    pub asked_per_s: f32,
    /// Of them, those that it answers.
    pub answered_per_s: f32,
    /// Bytes of values a second, both ways, likewise.
    pub bytes_per_s: f32,
    /// Requests that it has answered well since it was let in anew.
    pub proven: u32,
    /// How many seconds ago the window that was closed last was at its middle.
    pub seen_s: f32,
    /// For how many seconds it has been found slow; 0: it is not.
    pub slow_for_s: f32,
    /// The last window behind `score` in which it was slow.
    pub finding: Option<Finding>,
    /// The same behind `score_unqueued`.
    pub finding_unqueued: Option<Finding>,
}

/// Everything that an observer says at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ballot {
    /// Who says it.
    #[serde(with = "super::number")]
    pub observer: MemberId,
    /// What half of its requests take at most at the median node, in milliseconds, by class; `None`
    /// where it has asked too little or is not answered.
    pub levels_ms: [Option<f64>; Class::ALL.len()],
    /// How surely all nodes together are slower than they use to be.
    pub shift: Score,
    /// Of nodes that it has asked lately, in the order of their numbers.
    pub opinions: Vec<Opinion>,
}

impl Ballot {
    /// What it says of `node`.
    pub fn of(&self, node: MemberId) -> Option<&Opinion> {
        let place = self.opinions.binary_search_by_key(&node, |it| it.node);
        self.opinions.get(place.ok()?)
    }
}
