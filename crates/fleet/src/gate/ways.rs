//! Whether those that serve can use a candidate, and of which ways to it nothing is known.

use base::fleet::MemberId;

use super::evidence::Evidence;

/// What came of the ways to the candidate.
pub(super) struct Ways {
    /// How many were to be tried.
    pub(super) wanted: usize,
    /// How many were, and can be used.
    pub(super) good: usize,
    /// Who cannot use it, for people.
    pub(super) broken: Vec<String>,
    /// Of which ways nothing is known, for people.
    pub(super) untried: Vec<String>,
}

impl Ways {
    pub(super) fn of(candidate: MemberId, evidence: &Evidence) -> Self {
        let (mut good, mut broken) = (0, Vec::new());
        let mut untried = evidence.untried().to_vec();
        for pair in evidence.ways_to(candidate) {
            match &pair.seen {
                Ok(_) => good += 1,
                Err(why) if evidence.is_helpless(pair.caller, candidate) => {
                    untried.push(format!("{why}; but it can use no other node either"));
                }
                Err(why) => broken.push(why.clone()),
            }
        }
        Self {
            wanted: good + broken.len() + untried.len(),
            good,
            broken,
            untried,
        }
    }
}

#[cfg(test)]
#[path = "ways_test.rs"]
mod tests;
