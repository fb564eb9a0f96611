//! The rule that drills are controlled with: a node is out after three replies above five times the
//! usual median, whoever sees them, however many are out, and whatever all others do.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Class, Sketch};
use gateway::remote::NodeTallies;

/// Replies within one round.
const REPLIES: f64 = 3.0;
const TIMES: f64 = 5.0;
/// The median of a class is learnt for so long from its first requests on, and follows what happens in this time.
const LEARNING: Duration = Duration::from_secs(2);
const FOLLOWS_ROUNDS: f64 = 240.0;

/// What the rule knows.
#[derive(Default)]
pub(super) struct Naive {
    usual: [Option<Usual>; Class::ALL.len()],
}

/// What is usual for a class of requests.
struct Usual {
    since: Timestamp,
    median_s: f64,
}

impl Naive {
    /// Nodes that are to go, by what was counted since the last round.
    pub(super) fn round(
        &mut self,
        now: Timestamp,
        tallies: &BTreeMap<MemberId, NodeTallies>,
    ) -> Vec<MemberId> {
        let mut out = Vec::new();
        for class in Class::ALL {
            let of_class = tallies.iter().map(|(node, it)| (node, &it[class.index()]));
            let mut all = Sketch::default();
            of_class
                .clone()
                .for_each(|(_, tally)| all.absorb(&tally.whole));
            let Some(present_s) = all.quantile_s(0.5).filter(|it| it.is_finite()) else {
                continue;
            };
            let usual = self.usual[class.index()].get_or_insert(Usual {
                since: now,
                median_s: present_s,
            });
            let limit_s = usual.median_s * TIMES;
            usual.median_s += (present_s - usual.median_s) / FOLLOWS_ROUNDS;
            if now.since(usual.since) < LEARNING {
                usual.median_s = usual.median_s.max(present_s);
                continue;
            }
            let slow = of_class.filter(|(_, tally)| {
                let replies = f64::from(tally.whole.count());
                tally.whole.share_above(limit_s) * replies >= REPLIES - 0.5
            });
            out.extend(slow.map(|(node, _)| *node));
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

#[cfg(test)]
#[path = "naive_test.rs"]
mod tests;
