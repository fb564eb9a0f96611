//! What a gateway's loops tell those who are no loop: which ring they route by, what nodes said, how
//! requests fared.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use base::fleet::{Epoch, MemberId};

use super::{RemoteFigures, Report};

/// One place for each loop, which only that loop writes.
#[derive(Debug, Default)]
pub struct RemoteBoard(Box<[Place]>);

#[derive(Debug, Default)]
struct Place {
    /// The newest version that the loop knows of, and one; 0 before it has heard of any.
    announced: AtomicU64,
    is_behind: AtomicBool,
    figures: [AtomicU64; FIGURES],
    reports: Mutex<BTreeMap<MemberId, Report>>,
}

const FIGURES: usize = 10;

impl RemoteBoard {
    /// For so many loops.
    pub fn new(loops: usize) -> Self {
        Self((0..loops.max(1)).map(|_| Place::default()).collect())
    }

    /// How many loops there are.
    pub(super) fn loops(&self) -> usize {
        self.0.len().max(1)
    }

    /// The newest version of the ring that every loop knows of; `None` as long as one knows of none.
    pub fn announced(&self) -> Option<Epoch> {
        let places = self.0.iter();
        let least = places.map(|place| place.announced.load(Ordering::Acquire));
        least.min()?.checked_sub(1).map(Epoch)
    }

    /// Whether a node has named a newer ring than a loop knows: the store is to be asked.
    pub fn is_behind(&self) -> bool {
        let mut places = self.0.iter();
        places.any(|place| place.is_behind.load(Ordering::Relaxed))
    }

    /// What each node last answered to each loop.
    pub fn reports(&self) -> Vec<Report> {
        let mut all = Vec::new();
        for place in &self.0 {
            let reports = place.reports.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(reports.values().copied());
        }
        all
    }

    /// How all loops' requests fared.
    pub fn figures(&self) -> RemoteFigures {
        let of = |at: usize| {
            let each = self.0.iter().map(|place| &place.figures[at]);
            each.map(|figure| figure.load(Ordering::Relaxed)).sum()
        };
        RemoteFigures {
            sent: of(0),
            answered: of(1),
            timed_out: of(2),
            late: of(3),
            refused: of(4),
            old_epochs: of(5),
            in_doubt: of(6),
            copies: of(7),
            copies_answered: of(8),
            copies_unanswered: of(9),
        }
    }

    pub(super) fn note_ring(&self, loop_index: u32, announced: Epoch) {
        if let Some(place) = self.0.get(loop_index as usize) {
            place.announced.store(announced.0 + 1, Ordering::Release);
        }
    }

    pub(super) fn note_behind(&self, loop_index: u32, is_behind: bool) {
        if let Some(place) = self.0.get(loop_index as usize) {
            place.is_behind.store(is_behind, Ordering::Relaxed);
        }
    }

    pub(super) fn note_report(&self, loop_index: u32, report: Report) {
        if let Some(place) = self.0.get(loop_index as usize) {
            let mut reports = place.reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.insert(report.node, report);
        }
    }

    pub(super) fn note_figures(&self, loop_index: u32, figures: &RemoteFigures) {
        let Some(place) = self.0.get(loop_index as usize) else {
            return;
        };
        let numbers = [
            figures.sent,
            figures.answered,
            figures.timed_out,
            figures.late,
            figures.refused,
            figures.old_epochs,
            figures.in_doubt,
            figures.copies,
            figures.copies_answered,
            figures.copies_unanswered,
        ];
        for (place, number) in place.figures.iter().zip(numbers) {
            place.store(number, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[path = "board_test.rs"]
mod tests;
