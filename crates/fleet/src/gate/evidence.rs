//! Everything that was seen of the candidate and of those that serve, pair by pair, and what it comes
//! to for each node.

use std::collections::BTreeMap;

use base::fleet::MemberId;

use super::figures::{NodeFigures, OwnFigures, PairFigures, Test};

/// Two nodes that have tried out the way between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Who called.
    pub caller: MemberId,
    /// Who was called.
    pub called: MemberId,
    /// What was seen, or why nothing was.
    pub seen: Result<PairFigures, String>,
}

/// All that was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    pairs: Vec<Pair>,
    own: BTreeMap<MemberId, OwnFigures>,
    clocks_ms: BTreeMap<MemberId, f64>,
    problems: Vec<String>,
    untried: Vec<String>,
}

impl Evidence {
    /// Adds a pair.
    pub fn add_pair(&mut self, pair: Pair) {
        self.pairs.push(pair);
    }

    /// Adds what a node found of its own machine.
    pub fn add_own(&mut self, node: MemberId, own: OwnFigures) {
        self.own.insert(node, own);
    }

    /// Adds how far ahead a node's clock is of the caller's, in milliseconds.
    pub fn add_clock(&mut self, node: MemberId, ahead_ms: f64) {
        self.clocks_ms.insert(node, ahead_ms);
    }

    /// Adds something of the candidate that is wrong or could not be tried out, for people.
    pub fn add_problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Adds a way to the candidate that nobody has tried, and why, for people: the other end could not
    /// be asked to.
    pub fn add_untried(&mut self, why: String) {
        self.untried.push(why);
    }

    /// Pairs of `candidate` so far.
    pub fn pairs_of(&self, candidate: MemberId) -> usize {
        self.ways_to(candidate).count()
    }

    #[cfg(test)]
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(super) fn untried(&self) -> &[String] {
        &self.untried
    }

    /// The ways to the candidate that were tried.
    pub(super) fn ways_to(&self, candidate: MemberId) -> impl Iterator<Item = &Pair> {
        self.pairs
            .iter()
            .filter(move |pair| pair.called == candidate)
    }

    /// Whether `caller` can use none of those that serve that it has tried: then that it cannot use the
    /// candidate either says nothing of the candidate.
    pub(super) fn is_helpless(&self, caller: MemberId, candidate: MemberId) -> bool {
        let others = |pair: &&Pair| pair.caller == caller && pair.called != candidate;
        let mut others = self.pairs.iter().filter(others).peekable();
        others.peek().is_some() && others.all(|pair| pair.seen.is_err())
    }

    /// Those nodes that serve of which anything is known.
    pub(super) fn peers(&self, candidate: MemberId) -> Vec<MemberId> {
        let known = self.own.keys().filter(|node| **node != candidate);
        known.copied().collect()
    }

    /// Those of them of which also a way to another one is known: they can be compared with.
    pub(super) fn comparable(&self, candidate: MemberId) -> Vec<MemberId> {
        let mut peers = self.peers(candidate);
        peers.retain(|peer| self.good_pairs(*peer, candidate).next().is_some());
        peers
    }

    /// What is known of a node. Of its pairs the median one counts, so that a bad moment, or one
    /// bad partner, says nothing. A pair with the candidate says nothing of those that serve, and one
    /// that came to nothing has no figures.
    pub(super) fn of(&self, node: MemberId, candidate: MemberId) -> NodeFigures {
        let mut figures = BTreeMap::new();
        for test in Test::ALL {
            let pairs = self.good_pairs(node, candidate);
            let of_pairs =
                pairs.filter_map(|(pair, seen)| of_pair(seen, pair.called == node, test));
            // What half of the fleet finds bad of a candidate is bad; what half of it finds good of one
            // that serves is the fleet's measure.
            let is_upper = test.is_better_high() != (node == candidate);
            if let Some(figure) = middle(of_pairs.collect(), is_upper) {
                figures.insert(test, figure);
            }
        }
        if let Some(own) = self.own.get(&node) {
            figures.insert(Test::Engine, own.engine_us);
            figures.insert(Test::Steal, own.steal_percent);
            figures.insert(Test::Memory, own.memory_mib_s);
            let faults = own.pattern_faults.map(f64::from);
            figures.extend(faults.map(|faults| (Test::Pattern, faults)));
            figures.extend(own.disk_ms.map(|ms| (Test::Disk, ms)));
        }
        if let Some(ahead_ms) = self.clocks_ms.get(&node) {
            // Beside those that serve: the caller's own clock may be the wrong one.
            let peers = self
                .clocks_ms
                .iter()
                .filter(|(other, _)| **other != candidate);
            let usual_ms = middle(peers.map(|(_, ms)| *ms).collect(), false).unwrap_or(0.0);
            figures.insert(Test::Clock, (ahead_ms - usual_ms).abs());
        }
        NodeFigures(figures)
    }

    fn good_pairs(
        &self,
        node: MemberId,
        candidate: MemberId,
    ) -> impl Iterator<Item = (&Pair, &PairFigures)> {
        let concerns = move |pair: &&Pair| {
            let with = [pair.caller, pair.called];
            with.contains(&node) && (node == candidate || !with.contains(&candidate))
        };
        let pairs = self.pairs.iter().filter(concerns);
        pairs.filter_map(|pair| Some((pair, pair.seen.as_ref().ok()?)))
    }
}

/// What a pair says of one of its two, the one that was called or the other.
fn of_pair(seen: &PairFigures, is_called: bool, test: Test) -> Option<f64> {
    let percent = |part: u32, of: u32| f64::from(part) * 100.0 / f64::from(of.max(1));
    let (inward, outward) = match is_called {
        true => (seen.to_called_mbit_s, seen.to_caller_mbit_s),
        false => (seen.to_caller_mbit_s, seen.to_called_mbit_s),
    };
    match test {
        Test::RoundTrip => Some(seen.median_ms.unwrap_or(f64::INFINITY)),
        Test::RoundTripP99 => Some(seen.p99_ms.unwrap_or(f64::INFINITY)),
        Test::RoundTripP999 => Some(seen.p999_ms.unwrap_or(f64::INFINITY)),
        Test::Unanswered => Some(percent(seen.unanswered, seen.asked)),
        Test::Inward => Some(inward),
        Test::Outward => Some(outward),
        Test::Resent => Some(percent(seen.resent, seen.segments)),
        _ => None,
    }
}

/// The median; of the two in the middle the upper or the lower one.
fn middle(mut figures: Vec<f64>, is_upper: bool) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    let lower = figures.len().checked_sub(1)? / 2;
    let place = if is_upper { figures.len() / 2 } else { lower };
    figures.get(place).copied()
}
