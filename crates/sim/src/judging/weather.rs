//! What happens to healthy nodes and gateways: load that differs and changes, bursts, pauses.

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

use super::draw::{exponential, log_uniform};

/// A node's load is up to so many times that of the least loaded.
const IMBALANCE: f64 = 3.0;
/// Means, in seconds, between …
const BURSTS_S: f64 = 120.0;
const PAUSES_S: f64 = 600.0;
const HOT_S: f64 = 3600.0;
const OBSERVER_PAUSES_S: f64 = 600.0;
/// … and their lengths, each doubling equally likely.
const BURST_LENGTH_S: (f64, f64) = (0.1, 2.0);
const PAUSE_LENGTH_S: (f64, f64) = (0.02, 0.6);
const HOT_LENGTH_S: (f64, f64) = (30.0, 900.0);
const BURST_FACTOR: (f64, f64) = (1.5, 5.0);
const HOT_FACTOR: (f64, f64) = (1.5, 4.0);
/// By how much the load of the busiest hour differs from the mean.
const DIURNAL: f64 = 0.4;
const DAY_S: f64 = 86_400.0;

/// A time in which something is different, and the next one.
#[derive(Clone, Debug)]
pub(super) struct Spell {
    from: Timestamp,
    until: Timestamp,
    factor: f64,
    every_s: f64,
    length_s: (f64, f64),
    factors: (f64, f64),
}

impl Spell {
    fn new(
        rng: &mut Rng,
        now: Timestamp,
        every_s: f64,
        length_s: (f64, f64),
        factors: (f64, f64),
    ) -> Self {
        let mut spell = Self {
            from: now,
            until: now,
            factor: 1.0,
            every_s,
            length_s,
            factors,
        };
        spell.plan(rng, now);
        spell
    }

    fn plan(&mut self, rng: &mut Rng, now: Timestamp) {
        self.from = now + Duration::from_secs_f64(exponential(rng, self.every_s));
        let (least, most) = self.length_s;
        self.until = self.from + Duration::from_secs_f64(log_uniform(rng, least, most));
        let (least, most) = self.factors;
        self.factor = log_uniform(rng, least, most);
    }

    fn advance(&mut self, rng: &mut Rng, now: Timestamp) {
        if self.until <= now {
            self.plan(rng, now);
        }
    }

    fn factor(&self, now: Timestamp) -> f64 {
        if self.from <= now { self.factor } else { 1.0 }
    }

    /// How long something that begins at `at` has to wait for its end.
    pub(super) fn wait_s(&self, at: Timestamp) -> f64 {
        match self.from <= at {
            true => self.until.since(at).as_secs_f64(),
            false => 0.0,
        }
    }

    /// Whether any of it is before `end`.
    pub(super) fn begins_before(&self, end: Timestamp) -> bool {
        self.from < end
    }
}

/// One node's.
#[derive(Clone, Debug)]
pub(super) struct NodeWeather {
    load: f64,
    burst: Spell,
    hot: Spell,
    /// It does nothing.
    pub(super) pause: Spell,
    /// It says that requests waited there meanwhile; else nobody knows where they were.
    pub(super) pause_is_told: bool,
}

impl NodeWeather {
    pub(super) fn new(rng: &mut Rng, now: Timestamp) -> Self {
        Self {
            load: log_uniform(rng, 1.0 / IMBALANCE.sqrt(), IMBALANCE.sqrt()),
            burst: Spell::new(rng, now, BURSTS_S, BURST_LENGTH_S, BURST_FACTOR),
            hot: Spell::new(rng, now, HOT_S, HOT_LENGTH_S, HOT_FACTOR),
            pause: Spell::new(rng, now, PAUSES_S, PAUSE_LENGTH_S, (1.0, 1.0)),
            pause_is_told: rng.below(2) == 0,
        }
    }

    pub(super) fn advance(&mut self, rng: &mut Rng, now: Timestamp) {
        self.burst.advance(rng, now);
        self.hot.advance(rng, now);
        if self.pause.until <= now {
            self.pause.plan(rng, now);
            self.pause_is_told = rng.below(2) == 0;
        }
    }

    /// How much it is asked, beside the mean node in the mean hour.
    pub(super) fn load(&self, now: Timestamp) -> f64 {
        self.load * self.burst.factor(now) * self.hot.factor(now)
    }
}

/// What all nodes have in common.
#[derive(Clone, Debug)]
pub(super) struct FleetWeather {
    hour_s: f64,
    burst: Spell,
}

impl FleetWeather {
    pub(super) fn new(rng: &mut Rng, now: Timestamp) -> Self {
        Self {
            hour_s: rng.unit_f64() * DAY_S,
            burst: Spell::new(rng, now, 10.0 * BURSTS_S, BURST_LENGTH_S, BURST_FACTOR),
        }
    }

    pub(super) fn advance(&mut self, rng: &mut Rng, now: Timestamp) {
        self.burst.advance(rng, now);
    }

    pub(super) fn load(&self, now: Timestamp, start: Timestamp) -> f64 {
        let of_day = (now.since(start).as_secs_f64() + self.hour_s) / DAY_S;
        let diurnal = 1.0 + DIURNAL * (std::f64::consts::TAU * of_day).sin();
        diurnal * self.burst.factor(now)
    }
}

/// When a gateway does nothing.
pub(super) fn observer_pauses(rng: &mut Rng, now: Timestamp) -> Spell {
    Spell::new(rng, now, OBSERVER_PAUSES_S, PAUSE_LENGTH_S, (1.0, 1.0))
}

/// Plans the next of a spell that is over.
pub(super) fn advance(spell: &mut Spell, rng: &mut Rng, now: Timestamp) {
    spell.advance(rng, now);
}
