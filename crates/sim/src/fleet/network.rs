//! Links between members and to the store: which are cut, since when each end is whole, and delays.

use std::collections::HashSet;
use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

/// How long after healing a member counts as no longer cut off.
const HEALING: Duration = Duration::from_secs(5);

/// One end of a link to a member: its place in the world.
pub(super) type Place = usize;

#[derive(Clone, Debug)]
pub(super) struct Network {
    /// Pairs that cannot talk, the lower place first.
    cut: HashSet<(Place, Place)>,
    store_cut: Vec<bool>,
    store_down: bool,
    /// When each was last cut off from the store, or began.
    cut_until: Vec<Timestamp>,
}

impl Network {
    pub(super) fn new(places: usize, now: Timestamp) -> Self {
        Self {
            cut: HashSet::new(),
            store_cut: vec![false; places],
            store_down: false,
            cut_until: vec![now; places],
        }
    }

    pub(super) fn is_up(&self, a: Place, b: Place) -> bool {
        !self.cut.contains(&(a.min(b), a.max(b)))
    }

    pub(super) fn reaches_store(&self, place: Place) -> bool {
        !self.store_down && !self.store_cut[place]
    }

    pub(super) fn cut(&mut self, a: Place, b: Place) {
        self.cut.insert((a.min(b), a.max(b)));
    }

    pub(super) fn cut_from_store(&mut self, place: Place) {
        self.store_cut[place] = true;
    }

    pub(super) fn set_store_down(&mut self, down: bool, now: Timestamp) {
        self.note(now);
        self.store_down = down;
    }

    /// Heals everything that concerns `place`.
    pub(super) fn heal(&mut self, place: Place, now: Timestamp) {
        self.note(now);
        self.cut.retain(|(a, b)| *a != place && *b != place);
        self.store_cut[place] = false;
    }

    /// Writes down who is cut off up to `now`; to be called before anything heals.
    fn note(&mut self, now: Timestamp) {
        for place in 0..self.cut_until.len() {
            if !self.reaches_store(place) {
                self.cut_until[place] = now;
            }
        }
    }

    /// Whether `place` is cut off from the store, or was until 5 s ago.
    pub(super) fn is_cut_off(&self, place: Place, now: Timestamp) -> bool {
        !self.reaches_store(place) || now.since(self.cut_until[place]) < HEALING
    }

    /// How long a message takes between members: mostly short, sometimes seconds.
    pub(super) fn delay(rng: &mut Rng) -> Duration {
        match rng.below(100) {
            0 => Duration::from_micros(rng.below(4_000_000)),
            1..=4 => Duration::from_micros(10_000 + rng.below(150_000)),
            _ => Duration::from_micros(100 + rng.below(3_000)),
        }
    }

    /// How long a message to or from the store takes: up to 400 ms.
    pub(super) fn store_delay(rng: &mut Rng) -> Duration {
        match rng.below(10) {
            0 => Duration::from_micros(rng.below(400_000)),
            _ => Duration::from_micros(1_000 + rng.below(20_000)),
        }
    }
}
