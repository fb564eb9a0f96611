//! How much the gate may ask of a node that serves: a twentieth of what it can do.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;

/// Of a serving node's capacity, the part that the gate takes at most.
pub const SHARE_MAX: f64 = 0.05;
/// What no node is too weak for, whatever is known of it or not: 2,000 requests and 80 Mbit a second.
const LEAST: Rate = Rate {
    requests_per_s: 2_000.0,
    bytes_per_s: 10_000_000.0,
};

/// A round trip costs both machines some 50 µs of a processor beside what the node itself works on it:
/// so many a second are a twentieth of one processor, whatever the node says.
const REQUESTS_MAX: f64 = 1_000.0;

/// How much a pair may exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Round trips a second.
    pub requests_per_s: u32,
    /// Bytes a second, both ways together.
    pub bytes_per_s: u64,
}

/// What a node can do.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    requests_per_s: f64,
    bytes_per_s: f64,
}

/// What nodes have shown to be able to do.
#[derive(Clone, Debug, Default)]
pub struct Rates(BTreeMap<MemberId, Rate>);

impl Rates {
    /// Takes note of what a pair showed of one of its nodes: how long it worked on a request, if it
    /// was asked any, and the bytes a second that went through. It can do as much, at least.
    pub fn note(&mut self, node: MemberId, served: Option<Duration>, bytes_per_s: f64) {
        let seconds = served.map_or(f64::INFINITY, |served| served.as_secs_f64());
        let requests_per_s = if seconds > 0.0 { 1.0 / seconds } else { 0.0 };
        let known = self.0.entry(node).or_insert(LEAST);
        known.requests_per_s = known.requests_per_s.max(requests_per_s);
        known.bytes_per_s = known.bytes_per_s.max(bytes_per_s);
    }

    /// For a pair in which these nodes serve: what the weakest of them can spare.
    pub fn budget(&self, serving: &[MemberId]) -> Budget {
        let known = serving.iter().map(|node| self.0.get(node));
        let rates = known.map(|rate| rate.copied().unwrap_or(LEAST));
        let weakest = rates.reduce(|one, other| Rate {
            requests_per_s: one.requests_per_s.min(other.requests_per_s),
            bytes_per_s: one.bytes_per_s.min(other.bytes_per_s),
        });
        let weakest = weakest.unwrap_or(LEAST);
        Budget {
            requests_per_s: (weakest.requests_per_s * SHARE_MAX).clamp(1.0, REQUESTS_MAX) as u32,
            bytes_per_s: (weakest.bytes_per_s * SHARE_MAX).max(1.0) as u64,
        }
    }
}

/// Keeps to a rate: what was spent is waited for before more is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    per_s: f64,
    due: Timestamp,
}

impl Pace {
    /// So much a second, from now on.
    pub fn new(now: Timestamp, per_s: f64) -> Self {
        Self { per_s, due: now }
    }

    /// When more may be spent.
    pub fn due(&self) -> Timestamp {
        self.due
    }

    /// Notes that so much was spent from `now` on. What was not spent before is not made up for.
    pub fn spend(&mut self, now: Timestamp, amount: f64) {
        let wait = Duration::try_from_secs_f64(amount / self.per_s).unwrap_or(Duration::MAX);
        self.due = self.due.max(now) + wait;
    }
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
