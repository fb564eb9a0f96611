//! What several observers say together: who has a vote, and what most of them agree upon.

use base::fleet::MemberId;

use super::ballot::{Ballot, Finding, Opinion};
use super::score::Score;
use super::tally::Class;

/// An observer whose level is so many times that of the others, and so much above it, is slow itself.
const SLOW_RATIO: f64 = 3.0;
const SLOW_EXCESS_MS: f64 = 0.5;
/// Who asks a node less than this part of what another one does, who finds it slow, and all that he knows of it
/// is from before, cannot speak against it. Who asks more will have looked soon enough to be waited for.
const ASKS_ENOUGH: f32 = 0.25;
/// A node that is asked so many times as much for its weight as the median of the others, in requests or bytes, is
/// busy: near saturation a little more load makes queues many times as long …
const BUSY_RATIO: f32 = 1.15;
/// … unless it does less than this part of what they do.
const BUSY_DOES: f32 = 0.8;

/// What the observers that have a vote say together.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// Observers that are slow themselves, and have no vote.
    pub slow_observers: Vec<MemberId>,
    /// How surely all nodes are slower than they use to be, as more than half of the voters say.
    pub shift: Score,
    /// Of each node that anybody with a vote has asked, in the order of their numbers.
    pub nodes: Vec<Agreed>,
}

/// What the voters say of one node.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The node.
    pub node: MemberId,
    /// How surely it is slow: what more than half of the voters say at least.
    pub score: Score,
    /// The same if it may have been busy.
    pub score_unqueued: Score,
    /// It is asked more than others, and does more.
    pub is_busy: bool,
    /// How much it is asked, of requests or bytes, beside the median of the others.
    pub load: f32,
    /// How many have asked it enough to say anything.
    pub voters: usize,
    /// Requests that it has answered well since it was let in anew.
    pub proven: u32,
    /// Who finds it slow, how surely, and by what.
    pub blaming: Vec<Blamed>,
    /// The same even if it had much to do.
    pub blaming_unqueued: Vec<Blamed>,
}

/// Who finds a node slow, how surely, and by what.
pub type Blamed = (MemberId, Score, Option<Finding>);

impl Panel {
    /// Of the latest ballots, one of each observer.
    pub fn of(ballots: &[Ballot]) -> Self {
        let slow: Vec<bool> = (0..ballots.len()).map(|it| is_slow(ballots, it)).collect();
        let with_vote = || ballots.iter().zip(&slow).filter(|(_, slow)| !**slow);
        let voters: Vec<&Ballot> = with_vote().map(|(ballot, _)| ballot).collect();
        let mut shifts: Vec<Score> = voters.iter().map(|it| it.shift).collect();
        let mut nodes: Vec<MemberId> = (voters.iter())
            .flat_map(|ballot| ballot.opinions.iter().map(|it| it.node))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut agreed: Vec<Agreed> = nodes.iter().map(|node| agree(&voters, *node)).collect();
        let loads = Loads::of(&voters, &nodes);
        for (place, one) in agreed.iter_mut().enumerate() {
            (one.is_busy, one.load) = loads.of_node(place);
        }
        let observers = ballots.iter().map(|it| it.observer).zip(slow);
        Self {
            slow_observers: observers.filter(|it| it.1).map(|it| it.0).collect(),
            shift: majority(&mut shifts),
            nodes: agreed,
        }
    }

    /// What is said of `node`.
    pub fn of_node(&self, node: MemberId) -> Option<&Agreed> {
        let place = self.nodes.binary_search_by_key(&node, |it| it.node);
        self.nodes.get(place.ok()?)
    }
}

/// Whether the median node looks much slower to this observer than to the median of the others, in
/// every class that they have in common.
fn is_slow(ballots: &[Ballot], place: usize) -> bool {
    let Some(own) = ballots.get(place) else {
        return false;
    };
    let mut is_slow = false;
    for class in Class::ALL {
        let level = |ballot: &Ballot| ballot.levels_ms[class.index()];
        let others = ballots.iter().enumerate().filter(|it| it.0 != place);
        let mut others: Vec<f64> = others.filter_map(|it| level(it.1)).collect();
        others.sort_unstable_by(f64::total_cmp);
        // Of two, the faster: an observer is slow beside any that is not.
        let median = others.get(others.len().saturating_sub(1) / 2);
        let (Some(level), Some(median)) = (level(own), median) else {
            continue;
        };
        if level <= (median * SLOW_RATIO).max(median + SLOW_EXCESS_MS) {
            return false;
        }
        is_slow = true;
    }
    is_slow
}

fn agree(voters: &[&Ballot], node: MemberId) -> Agreed {
    let found = || {
        let found = voters
            .iter()
            .map(|ballot| (ballot.observer, ballot.of(node)));
        found.filter_map(|(observer, opinion)| Some((observer, opinion?)))
    };
    let blaming = found().map(|it| it.1).filter(|it| it.slow_for_s > 0.0);
    let (slow_for_s, asked_per_s) = blaming.fold((0.0, 0.0), |(longest, most): (f32, f32), it| {
        (longest.max(it.slow_for_s), most.max(it.asked_per_s))
    });
    let has_looked = |it: &Opinion| {
        it.slow_for_s > 0.0 || it.seen_s < slow_for_s || it.asked_per_s >= asked_per_s * ASKS_ENOUGH
    };
    let opinions = || found().filter(|it| has_looked(it.1));
    let mut scores: Vec<Score> = opinions().map(|it| it.1.score).collect();
    let mut unqueued: Vec<Score> = opinions().map(|it| it.1.score_unqueued).collect();
    let blaming = |of: fn(&Opinion) -> (Score, Option<Finding>)| -> Vec<Blamed> {
        let all = opinions().map(|(observer, opinion)| (observer, of(opinion)));
        let blamed = all.filter(|(_, (score, _))| *score > Score::CLEAR);
        blamed
            .map(|(observer, (score, finding))| (observer, score, finding))
            .collect()
    };
    Agreed {
        node,
        voters: scores.len(),
        score: majority(&mut scores),
        score_unqueued: majority(&mut unqueued),
        is_busy: false,
        load: 0.0,
        proven: found().fold(0, |sum: u32, it| sum.saturating_add(it.1.proven)),
        blaming: blaming(|it| (it.score, it.finding)),
        blaming_unqueued: blaming(|it| (it.score_unqueued, it.finding_unqueued)),
    }
}

/// The highest that more than half say at least.
fn majority(scores: &mut [Score]) -> Score {
    scores.sort_unstable_by(|one, other| other.order(one));
    scores.get(scores.len() / 2).copied().unwrap_or_default()
}

/// How much each node is asked and does, over all who have a vote.
struct Loads {
    asked: Vec<f32>,
    answered: Vec<f32>,
    bytes: Vec<f32>,
}

impl Loads {
    fn of(voters: &[&Ballot], nodes: &[MemberId]) -> Self {
        let sums = |figure: fn(&Opinion) -> f32| -> Vec<f32> {
            let of_node = |node: &MemberId| {
                let opinions = voters.iter().filter_map(|ballot| ballot.of(*node));
                opinions.map(figure).sum::<f32>()
            };
            nodes.iter().map(of_node).collect()
        };
        Self {
            asked: sums(|it| it.asked_per_s),
            answered: sums(|it| it.answered_per_s),
            bytes: sums(|it| it.bytes_per_s),
        }
    }

    /// Whether it is busy, and how much it is asked beside the median of the others.
    fn of_node(&self, place: usize) -> (bool, f32) {
        let [asked, answered, bytes] =
            [&self.asked, &self.answered, &self.bytes].map(|of| beside_others(of, place));
        let load = asked.max(bytes);
        (load >= BUSY_RATIO && answered.max(bytes) >= BUSY_DOES, load)
    }
}

/// How many times the median of the others this figure is; once where they have nothing.
fn beside_others(figures: &[f32], place: usize) -> f32 {
    let mut others = figures.to_vec();
    if place >= others.len() {
        return 1.0;
    }
    let own = others.swap_remove(place);
    others.sort_unstable_by(f32::total_cmp);
    let middle = |rank: usize| others.get(rank).copied().unwrap_or(0.0);
    let (lower, upper) = (others.len().saturating_sub(1) / 2, others.len() / 2);
    let median = (middle(lower) + middle(upper)) / 2.0;
    if median > 0.0 { own / median } else { 1.0 }
}

#[cfg(test)]
#[path = "panel_test.rs"]
mod tests;
