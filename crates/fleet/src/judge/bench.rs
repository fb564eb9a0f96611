//! One node's requests of one class in windows that are closed by count, and the scores they give.

use std::time::Duration;

use base::Timestamp;

use super::ballot::{Finding, Statistic};
use super::compare::{Compared, Field, Limits};
use super::score::Score;
use super::sketch::Sketch;
use super::tally::{Class, Tally};

/// Requests after which a window may close; a median needs no more to be three times off.
const COUNT: u32 = 32;
/// Requests after which it can be told which part of them is slow.
const COUNT_FOR_SHARE: u32 = 64;
/// Of fewer that did not wait for others' answers nothing can be told.
const COUNT_BARE: u32 = 8;
/// No window is shorter: a pause of the node must not fill several.
const LENGTH_MIN: Duration = Duration::from_millis(240);
const LENGTH_FOR_SHARE_MIN: Duration = Duration::from_millis(990);
/// A short window is slow, too, if this part of its requests are: on a line that is all but full some come
/// through at once and others wait, so that a median is now well and now not. Less than that of so few
/// requests may be chance; what they waited at the node for their turn may be load, and so may those without
/// an answer, which may have waited there too long.
const SLOW_PART: f64 = 0.25;
/// Figures older than this are not compared with.
const AGE_MAX: Duration = Duration::from_secs(30);
/// A class that is not asked any more says nothing of a node once its last window is older than this, and than
/// twice the time that it was open.
const SAYS_FOR: Duration = Duration::from_secs(5);

/// With the wait for their turn at the node, and without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Whole = 0,
    Unqueued = 1,
}

impl View {
    pub(super) const BOTH: [Self; 2] = [Self::Whole, Self::Unqueued];
}

/// What is compared, by view.
const TYPICAL: [Statistic; 2] = [Statistic::Median, Statistic::FastestQuarter];
const SHARE: [Statistic; 2] = [Statistic::SlowShare, Statistic::SlowShareUnqueued];

/// The figures of those who serve, to compare with, in one view.
#[derive(Debug, Default)]
pub(super) struct Peers {
    pub(super) typical_s: Field,
    /// Of the last short windows, in the view of whole times only, and of the last longer ones.
    pub(super) slow_part: Field,
    pub(super) share: Field,
}

/// A closed window.
#[derive(Clone, Copy, Debug)]
struct Closed {
    /// By view: the median, or the fastest quarter, if that can be told.
    typical_s: [Option<f64>; 2],
    /// The median without the wait for their turn.
    unqueued_s: Option<f64>,
    /// Which part was slow but for the wait for its turn, once it is known from where on a request is.
    slow_part: f64,
    requests: u32,
    unanswered: u32,
    length: Duration,
    at: Timestamp,
    is_fresh: bool,
}

/// A longer one, of which the slow part is known.
#[derive(Clone, Copy, Debug)]
struct ClosedShare {
    /// By view, if that can be told.
    share: [Option<f64>; 2],
    /// Of those without the wait for their turn, by what is slow with it.
    unqueued: f64,
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
    /// The window that was closed last.
    last: Tally,
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
            last: Tally::default(),
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
        let bare = Some(&self.open.bare).filter(|it| it.count() >= COUNT_BARE);
        let whole_s = self.open.whole.quantile_s(0.5);
        self.closed = Some(Closed {
            typical_s: [whole_s, bare.and_then(|it| it.quantile_s(0.25))],
            unqueued_s: bare.and_then(|it| it.quantile_s(0.5)).or(whole_s),
            slow_part: 0.0,
            requests,
            unanswered: self.open.whole.unanswered(),
            length,
            at: now,
            is_fresh: true,
        });
        self.long.absorb(&self.open);
        self.last = std::mem::take(&mut self.open);
        self.opened = now;
    }

    /// Looks which part of the requests is slow, above `slow_s` (by view), and closes the longer window.
    pub(super) fn close_share(&mut self, now: Timestamp, slow_s: [f64; 2]) {
        if let Some(closed) = self.closed.as_mut().filter(|it| it.is_fresh) {
            closed.slow_part = answered_late(&self.last.bare, slow_s[View::Whole as usize]);
        }
        if let Some(closed) = &mut self.closed_share {
            closed.is_fresh = false;
        }
        let (requests, length) = (self.long.asked(), now.since(self.long_opened));
        if requests < COUNT_FOR_SHARE || length < LENGTH_FOR_SHARE_MIN {
            return;
        }
        let [whole_s, bare_s] = slow_s;
        let whole = self.long.whole.share_above(whole_s);
        let bare = Some(&self.long.bare).filter(|it| it.count() >= COUNT_BARE);
        self.closed_share = Some(ClosedShare {
            share: [Some(whole), bare.map(|it| it.share_above(bare_s))],
            unqueued: bare.map_or(whole, |it| it.share_above(whole_s)),
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
        closed.typical_s[view as usize]
    }

    /// Which part of them was slow lately.
    pub(super) fn share(&self, now: Timestamp, view: View) -> Option<f64> {
        let closed = self.closed_share.filter(|it| now.since(it.at) <= AGE_MAX)?;
        closed.share[view as usize]
    }

    /// Whether a window has been closed just now.
    pub(super) fn is_fresh(&self) -> bool {
        self.closed.is_some_and(|it| it.is_fresh)
    }

    /// Which part of the requests of its last short window was slow but for the wait for their turn.
    pub(super) fn slow_part(&self, now: Timestamp) -> Option<f64> {
        let closed = self.closed.filter(|it| now.since(it.at) <= AGE_MAX)?;
        Some(closed.slow_part)
    }

    /// Compares what has just been closed with its peers'.
    pub(super) fn judge(&mut self, class: Class, view: View, peers: &Peers, limits: &Limits) {
        let Some(closed) = self.closed.filter(|it| it.is_fresh) else {
            return;
        };
        let Some(own_s) = closed.typical_s[view as usize] else {
            return;
        };
        let Some(typical) = peers.typical_s.beside(own_s, limits.ratio, limits.excess_s) else {
            return;
        };
        let slow_part = match view {
            View::Whole => {
                let least = limits.slow_share.max(SLOW_PART);
                peers
                    .slow_part
                    .beside(closed.slow_part, limits.ratio, least)
            }
            // Load delays some requests: it takes all of them to tell that it is not load.
            View::Unqueued => None,
        };
        let score = &mut self.scores[view as usize].0;
        let found = match (typical.is_slow(), slow_part.filter(Compared::is_slow)) {
            (true, _) => {
                let unqueued_s = match view {
                    View::Whole => closed.unqueued_s.unwrap_or(own_s),
                    View::Unqueued => own_s,
                };
                Some((TYPICAL[view as usize], typical.times(1e3), unqueued_s * 1e3))
            }
            (false, Some(part)) => {
                let part = part.times(100.0);
                Some((Statistic::SlowShareUnqueued, part, part.ours))
            }
            (false, None) => None,
        };
        if let Some((statistic, figures, unqueued)) = found {
            *score = score.raised(closed.length);
            let of = (class, closed.requests, closed.unanswered);
            let found = finding(statistic, figures, unqueued, of);
            self.findings[view as usize].0 = Some(found);
            return;
        }
        *score = score.lowered(closed.length);
        if view == View::Whole {
            let answered = closed.requests - closed.unanswered;
            self.proven = self.proven.saturating_add(answered);
        }
    }

    /// The same with the slow parts of the longer window.
    pub(super) fn judge_share(&mut self, class: Class, view: View, peers: &Peers, limits: &Limits) {
        let Some(closed) = self.closed_share.filter(|it| it.is_fresh) else {
            return;
        };
        let Some(own) = closed.share[view as usize] else {
            return;
        };
        let Some(share) = peers.share.beside(own, limits.ratio, limits.slow_share) else {
            return;
        };
        let score = &mut self.scores[view as usize].1;
        if share.is_slow() {
            *score = score.raised_by_share(closed.length);
            let of = (class, closed.requests, closed.unanswered);
            let unqueued = match view {
                View::Whole => closed.unqueued * 100.0,
                View::Unqueued => own * 100.0,
            };
            let found = finding(SHARE[view as usize], share.times(100.0), unqueued, of);
            self.findings[view as usize].1 = Some(found);
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

    /// How long ago its last window was at its middle; none if that says nothing of now.
    pub(super) fn seen_ago(&self, now: Timestamp) -> Option<Duration> {
        let closed = self.closed?;
        let age = now.since(closed.at);
        let says_for = (closed.length * 2).clamp(SAYS_FOR, AGE_MAX);
        (age <= says_for).then(|| age + closed.length / 2)
    }

    /// Requests answered in windows that were not slow.
    pub(super) fn proven(&self) -> u32 {
        self.proven
    }
}

/// Which part of the requests was answered, and later than that.
fn answered_late(sketch: &Sketch, slow_s: f64) -> f64 {
    if sketch.count() < COUNT_BARE {
        return 0.0;
    }
    let unanswered = f64::from(sketch.unanswered()) / f64::from(sketch.count());
    sketch.share_above(slow_s) - unanswered
}

/// In a window of this class, with so many requests and so many without an answer.
fn finding(
    statistic: Statistic,
    figures: Compared,
    unqueued: f64,
    of: (Class, u32, u32),
) -> Finding {
    // What has no end is told as nothing.
    let told = |figure: f64| figure.is_finite().then_some(figure);
    let (class, requests, unanswered) = of;
    Finding {
        class,
        statistic,
        ours: told(figures.ours),
        peers: told(figures.peers),
        limit: told(figures.limit),
        unqueued: told(unqueued),
        requests,
        unanswered,
    }
}
