//! A board and the virtual prober that feeds it, for tests.

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

use crate::board::{Board, Change, Kept, Rules};
use crate::component::{Component, Failed, Fault, Outcome, Stage};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_790_000_000);
const EVERY: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_millis(1_500);
pub(crate) const TIMED_OUT: Failed = Failed {
    stage: Stage::Get,
    fault: Fault::TimedOut,
};

/// A board and the virtual prober that feeds it: each component every two seconds, at once again
/// after a failure, a timeout's length after it began.
pub(crate) struct World {
    pub(crate) board: Board,
    pub(crate) now: Timestamp,
    /// When each component's next probe begins.
    due: Vec<Timestamp>,
    pub(crate) kept: Vec<Change>,
    /// Probes under way: when each ends, of which component, when it began, what comes of it.
    under_way: Vec<(Timestamp, usize, Timestamp, Outcome)>,
}

impl World {
    pub(crate) fn new(gateways: usize) -> Self {
        let components = (0..gateways)
            .flat_map(|n| Component::of_gateway(&format!("g{n}"), &format!("Gateway {n}")))
            .collect::<Vec<_>>();
        let due = vec![START; components.len()];
        Self {
            board: Board::new(&Rules::default(), components, Kept::default(), START),
            now: START,
            due,
            kept: Vec::new(),
            under_way: Vec::new(),
        }
    }

    /// Lets so much time pass; `answer` says what a probe of a component that begins at a time gets.
    pub(crate) fn pass(
        &mut self,
        length: Duration,
        mut answer: impl FnMut(usize, Timestamp) -> Outcome,
    ) {
        let end = self.now + length;
        while self.now < end {
            self.now = self.now + Duration::from_millis(100);
            for index in 0..self.due.len() {
                if self.due[index] <= self.now {
                    let began = self.now;
                    let outcome = answer(index, began);
                    let took = outcome.unwrap_or(TIMEOUT);
                    self.under_way.push((began + took, index, began, outcome));
                    self.due[index] = began + if outcome.is_ok() { EVERY } else { TIMEOUT };
                }
            }
            let now = self.now;
            for (_, index, began, outcome) in self.under_way.extract_if(.., |(end, ..)| *end <= now)
            {
                self.board.handle_probe(index, began, now, outcome);
            }
            if now.as_nanos().is_multiple_of(1_000_000_000) {
                self.board.handle_timeout(now);
            }
            self.kept
                .extend(std::iter::from_fn(|| self.board.poll_change()));
        }
    }

    pub(crate) fn until(
        &mut self,
        within: Duration,
        mut answer: impl FnMut(usize, Timestamp) -> Outcome,
        is_so: impl Fn(&Board, Timestamp) -> bool,
    ) -> Duration {
        let began = self.now;
        while !is_so(&self.board, self.now) {
            assert!(self.now.since(began) <= within, "not within {within:?}");
            self.pass(Duration::from_millis(100), &mut answer);
        }
        self.now.since(began)
    }
}

pub(crate) fn healthy(_: usize, _: Timestamp) -> Outcome {
    Ok(Duration::from_micros(800))
}

/// Latencies with a long tail, single failures, and now and then a stall of three seconds.
pub(crate) fn noise(rng: &mut Rng) -> Outcome {
    match rng.below(10_000) {
        0..3 => Err(TIMED_OUT),
        3..50 => Ok(Duration::from_millis(100 + rng.below(900))),
        _ => Ok(Duration::from_micros(200 + rng.below(30_000))),
    }
}
