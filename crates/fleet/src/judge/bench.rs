//! One node's requests of one class in windows that are closed by count, and the scores they give.

use std::time::Duration;

use base::Timestamp;

use super::ballot::{Finding, Statistic};
use super::compare::{Field, Limits};
use super::score::Score;
use super::tally::{Class, Tally};

/// Requests after which a window may close; a median needs no more to be three times off.
const COUNT: u32 = 32;
/// Requests after which it can be told which part of them is slow.
const COUNT_FOR_SHARE: u32 = 64;
/// No window is shorter: a pause of the node must not fill several.
const LENGTH_MIN: Duration = Duration::from_millis(240);
const LENGTH_FOR_SHARE_MIN: Duration = Duration::from_millis(990);
/// Figures older than this are not compared with.
const AGE_MAX: Duration = Duration::from_secs(30);

/// With the wait for their turn at the node, and without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Whole = 0,
    Unqueued = 1,
}

impl View {
    pub(super) const BOTH: [Self; 2] = [Self::Whole, Self::Unqueued];
}

/// A closed window.
#[derive(Clone, Copy, Debug)]
struct Closed {
    /// By view: the median, or the fastest quarter.
    typical_s: [f64; 2],
    requests: u32,
    unanswered: u32,
    length: Duration,
    at: Timestamp,
    is_fresh: bool,
}

/// A longer one, of which the slow part is known.
#[derive(Clone, Copy, Debug)]
struct ClosedShare {
    /// By view.
    share: [f64; 2],
    requests: u32,
    unanswered: u32,
    length: Duration,
    at: Timestamp,
    is_fresh: bool,
}

/// Windows and scores of one node and class.
#[derive(Clone, Debug)]
pub(super) struct Bench {
    open: Tally,
    opened: Timestamp,
    long: Tally,
    long_opened: Timestamp,
    closed: Option<Closed>,
    closed_share: Option<ClosedShare>,
    /// By view: of whole windows, and of slow parts.
    scores: [(Score, Score); 2],
    findings: [(Option<Finding>, Option<Finding>); 2],
    proven: u32,
}

impl Bench {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            open: Tally::default(),
            opened: now,
            long: Tally::default(),
            long_opened: now,
            closed: None,
            closed_share: None,
            scores: Default::default(),
            findings: Default::default(),
            proven: 0,
        }
    }

    pub(super) fn note(&mut self, tally: &Tally) {
        self.open.absorb(tally);
    }

    /// Closes the window if enough was asked in it.
    pub(super) fn close(&mut self, now: Timestamp) {
        if let Some(closed) = &mut self.closed {
            closed.is_fresh = false;
        }
        let (requests, length) = (self.open.asked(), now.since(self.opened));
        if requests < COUNT || length < LENGTH_MIN {
            return;
        }
        let typical = |sketch: &super::Sketch, part| sketch.quantile_s(part).unwrap_or(0.0);
        self.closed = Some(Closed {
            typical_s: [
                typical(&self.open.whole, 0.5),
                typical(&self.open.bare, 0.25),
            ],
            requests,
            unanswered: self.open.whole.unanswered(),
            length,
            at: now,
            is_fresh: true,
        });
        self.long.absorb(&self.open);
        self.open = Tally::default();
        self.opened = now;
    }

    /// Closes the longer window, where a request is slow above `slow_s` (by view).
    pub(super) fn close_share(&mut self, now: Timestamp, slow_s: [f64; 2]) {
        if let Some(closed) = &mut self.closed_share {
            closed.is_fresh = false;
        }
        let (requests, length) = (self.long.asked(), now.since(self.long_opened));
        if requests < COUNT_FOR_SHARE || length < LENGTH_FOR_SHARE_MIN {
            return;
        }
        let [whole_s, bare_s] = slow_s;
        self.closed_share = Some(ClosedShare {
            share: [
                self.long.whole.share_above(whole_s),
                self.long.bare.share_above(bare_s),
            ],
            requests,
            unanswered: self.long.whole.unanswered(),
            length,
            at: now,
            is_fresh: true,
        });
        self.long = Tally::default();
        self.long_opened = now;
    }

    /// What its requests typically took lately.
    pub(super) fn typical_s(&self, now: Timestamp, view: View) -> Option<f64> {
        let closed = self.closed.filter(|it| now.since(it.at) <= AGE_MAX)?;
        Some(closed.typical_s[view as usize])
    }

    /// Which part of them was slow lately.
    pub(super) fn share(&self, now: Timestamp, view: View) -> Option<f64> {
        let closed = self.closed_share.filter(|it| now.since(it.at) <= AGE_MAX)?;
        Some(closed.share[view as usize])
    }

    /// Whether a window has been closed just now.
    pub(super) fn is_fresh(&self) -> bool {
        self.closed.is_some_and(|it| it.is_fresh)
    }

    /// Compares what has just been closed with its peers'.
    pub(super) fn judge(&mut self, class: Class, view: View, peers: &Field, limits: &Limits) {
        let Some(closed) = self.closed.filter(|it| it.is_fresh) else {
            return;
        };
        let own = closed.typical_s[view as usize];
        let Some(median) = peers.median_beside(own) else {
            return;
        };
        let limit = peers.limit(median, limits.ratio, limits.excess_s);
        let score = &mut self.scores[view as usize].0;
        if own > limit {
            *score = score.raised(closed.length);
            self.findings[view as usize].0 = Some(Finding {
                class,
                statistic: match view {
                    View::Whole => Statistic::Median,
                    View::Unqueued => Statistic::FastestQuarter,
                },
                ours: told(own * 1e3),
                peers: told(median * 1e3),
                limit: told(limit * 1e3),
                requests: closed.requests,
                unanswered: closed.unanswered,
            });
        } else {
            *score = score.lowered(closed.length);
            if view == View::Whole {
                let answered = closed.requests - closed.unanswered;
                self.proven = self.proven.saturating_add(answered);
            }
        }
    }

    /// The same with the slow parts.
    pub(super) fn judge_share(&mut self, class: Class, view: View, peers: &Field, limits: &Limits) {
        let Some(closed) = self.closed_share.filter(|it| it.is_fresh) else {
            return;
        };
        let own = closed.share[view as usize];
        let Some(median) = peers.median_beside(own) else {
            return;
        };
        let limit = peers.limit(median, limits.ratio, limits.slow_share);
        let score = &mut self.scores[view as usize].1;
        if own > limit {
            *score = score.raised_by_share(closed.length);
            self.findings[view as usize].1 = Some(Finding {
                class,
                statistic: match view {
                    View::Whole => Statistic::SlowShare,
                    View::Unqueued => Statistic::SlowShareUnqueued,
                },
                ours: told(own * 100.0),
                peers: told(median * 100.0),
                limit: told(limit * 100.0),
                requests: closed.requests,
                unanswered: closed.unanswered,
            });
        } else {
            *score = score.lowered(closed.length);
        }
    }

    /// The score, and what it is from.
    pub(super) fn verdict(&self, view: View) -> (Score, Option<Finding>) {
        let (whole, share) = self.scores[view as usize];
        let (by_whole, by_share) = self.findings[view as usize];
        match share > whole {
            true => (share, by_share),
            false => (whole, by_whole),
        }
    }

    /// Whether anything was closed lately.
    pub(super) fn has_seen(&self, now: Timestamp) -> bool {
        self.closed.is_some_and(|it| now.since(it.at) <= AGE_MAX)
    }

    /// Requests answered in windows that were not slow.
    pub(super) fn proven(&self) -> u32 {
        self.proven
    }
}

/// As it is told: what has no end is nothing.
fn told(figure: f64) -> Option<f64> {
    figure.is_finite().then_some(figure)
}
