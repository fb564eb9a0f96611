//! Whose turn it is at the gate: one candidate at a time, from quarantine to its full weight.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;

use crate::membership::{Standing, State};

/// After a refusal a candidate waits for so long, and twice as long each time.
const RETRY_MIN: Duration = Duration::from_secs(60);
const RETRY_MAX: Duration = Duration::from_secs(3600);

/// How often a candidate was refused in a row, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// In a row, by the tests or on its way in.
    pub refusals: u32,
    /// When.
    pub refused_at: Timestamp,
}

impl Attempts {
    /// Once more.
    pub fn refused(self, now: Timestamp) -> Self {
        Self {
            refusals: self.refusals.saturating_add(1),
            refused_at: now,
        }
    }

    /// When it may be tried again.
    pub fn retry_at(&self) -> Timestamp {
        match self.refusals {
            0 => Timestamp::ZERO,
            count => {
                let wait = RETRY_MIN * (1 << (count - 1).min(10));
                self.refused_at + wait.min(RETRY_MAX)
            }
        }
    }
}

/// What the gate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It tests this one.
    Test(MemberId),
    /// It waits for this one, which has passed and is on its way in.
    OnItsWay(MemberId),
    /// Nobody is to be tested now.
    Nobody,
}

/// Whose turn it is, of nodes that are there. Who has been there longest comes first; one that an
/// operator has `asked` for comes before all others and does not wait.
pub fn next(
    standings: &BTreeMap<MemberId, Standing>,
    attempts: &BTreeMap<MemberId, Attempts>,
    asked: Option<MemberId>,
    now: Timestamp,
) -> Next {
    let is_on_its_way =
        |it: &Standing| !it.is_admitted() && matches!(it.state(), State::Shadow | State::Ramping);
    let mut all = standings.iter();
    if let Some((node, _)) = all.find(|(_, it)| is_on_its_way(it)) {
        return Next::OnItsWay(*node);
    }
    let is_quarantined = |node: &MemberId| {
        let standing = standings.get(node);
        standing.is_some_and(|it| it.state() == State::Quarantined)
    };
    if let Some(node) = asked.filter(is_quarantined) {
        return Next::Test(node);
    }
    let may = |node: &MemberId| {
        let attempts = attempts.get(node).copied().unwrap_or_default();
        now >= attempts.retry_at()
    };
    let waiting = standings
        .keys()
        .filter(|node| is_quarantined(node) && may(node));
    let since = |node: &&MemberId| standings.get(node).map(|it| (it.since(), **node));
    match waiting.min_by_key(since) {
        Some(node) => Next::Test(*node),
        None => Next::Nobody,
    }
}

#[cfg(test)]
#[path = "course_test.rs"]
mod tests;
