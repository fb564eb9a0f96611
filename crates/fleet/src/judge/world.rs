//! A small fleet in virtual time, for tests of what is done about each kind of trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use base::rng::Rng;

use super::*;
use crate::gate::Copying;
use crate::membership::{Event, Standing, State};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// What is wrong with a node, or with an observer.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Trouble {
    None,
    /// Every request takes so many milliseconds more.
    Later(f64),
    /// So many of a hundred take 5 to 15 ms more.
    Bimodal(f64),
    /// With all of its keys so many of a hundred wait for its line, and with less fewer.
    Narrow(f64),
    Silent,
    /// Asked so many times as much, of which the queue at the node is told.
    Busy(f64),
    /// Asked so many times as much, of which nine of ten are answered 10 ms later, behind many bytes of others.
    Bulky(f64),
    /// Asked no more than others; with more than 0.6 of its keys, requests wait there for 15 ms.
    Weak,
    /// Asked so many times as much; from 1.2 times on with all of its keys, requests wait for 15 ms.
    Hot(f64),
}

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) now: Timestamp,
    pub(super) standings: BTreeMap<MemberId, Standing>,
    pub(super) observers: Vec<(Observer, Trouble)>,
    pub(super) troubles: BTreeMap<MemberId, Trouble>,
    pub(super) judge: Judge,
    pub(super) per_round: u32,
    /// Takes 20 ms more to the first observer alone.
    pub(super) slow_to_first: Option<MemberId>,
    /// Of what is asked in a round, what all observers but the first ask.
    pub(super) others_ask: f64,
    /// These observers say nothing now.
    pub(super) silent: Vec<MemberId>,
    pub(super) copies_percent: f64,
    /// Observers are told which part of the keys each node has.
    pub(super) tells_parts: bool,
    pub(super) log: Vec<(Duration, MemberId, Event)>,
    /// Of what is in the log.
    pub(super) reasons: Vec<Why>,
    pub(super) notices: Vec<(Duration, Notice)>,
    pub(super) began: Timestamp,
}

impl World {
    pub(super) fn new(seed: u64, nodes: u32, observers: u32) -> Self {
        let observer = |id| {
            (
                Observer::new(START, MemberId(id), Limits::default()),
                Trouble::None,
            )
        };
        let mut world = Self {
            rng: Rng::new(seed),
            now: START,
            standings: (1..=nodes)
                .map(|id| (MemberId(id), Standing::founder(START)))
                .collect(),
            observers: (101..=100 + observers).map(observer).collect(),
            troubles: BTreeMap::new(),
            judge: Judge::new(),
            per_round: 40,
            slow_to_first: None,
            others_ask: 1.0,
            silent: Vec::new(),
            copies_percent: 5.0,
            tells_parts: true,
            log: Vec::new(),
            reasons: Vec::new(),
            notices: Vec::new(),
            began: START,
        };
        world.run(20);
        assert!(world.log.is_empty(), "calm: {:?}", world.log);
        world.began = world.now;
        world
    }

    pub(super) fn trouble(&mut self, node: u32, trouble: Trouble) {
        self.troubles.insert(MemberId(node), trouble);
    }

    pub(super) fn run(&mut self, seconds: u32) {
        for _ in 0..seconds * 4 {
            self.round();
        }
    }

    pub(super) fn round(&mut self) {
        self.now = self.now + ROUND;
        let states: Vec<(MemberId, Standing)> =
            self.standings.iter().map(|(id, it)| (*id, *it)).collect();
        let mut ballots = Vec::new();
        for place in 0..self.observers.len() {
            for (node, standing) in &states {
                let share = match standing.state() {
                    State::Shadow => self.copied_share(),
                    _ => standing.share_of(1000),
                };
                let tally = self.tally(place, *node, share);
                let (observer, _) = &mut self.observers[place];
                observer.know(self.now, *node, standing.state());
                if self.tells_parts {
                    observer.give(*node, standing.share_of(1000) as f32 / 1000.0, 1.0);
                }
                observer.note(self.now, *node, Class::Read, &tally);
            }
            let (observer, _) = &mut self.observers[place];
            observer.round(self.now);
            ballots.push(observer.ballot(self.now));
            ballots.retain(|it| !self.silent.contains(&it.observer));
        }
        let ruling = self.judge.round(self.now, &self.standings, &ballots);
        for decision in ruling.decisions {
            let standing = &self.standings[&decision.node];
            let next = standing.after(decision.event, self.now).unwrap();
            self.standings.insert(decision.node, next);
            self.log
                .push((self.now.since(self.began), decision.node, decision.event));
            self.reasons.push(decision.why);
        }
        for notice in ruling.began {
            self.notices.push((self.now.since(self.began), notice));
        }
    }

    /// In thousandths of what a node that serves is asked.
    pub(super) fn copied_share(&self) -> u32 {
        let serving = self.standings.values();
        let serving = serving.filter(|it| it.state() == State::Serving).count();
        let copying = Copying::of(&self.standings, self.copies_percent);
        copying.part_ppm * serving as u32 / 1000
    }

    /// A node that the gate has let through.
    pub(super) fn candidate(&mut self, node: u32) {
        let standing = Standing::new(self.now).after(Event::Passed, self.now);
        self.standings.insert(MemberId(node), standing.unwrap());
        self.began = self.now;
    }

    pub(super) fn tally(&mut self, observer: usize, node: MemberId, share: u32) -> Tally {
        let trouble = self.troubles.get(&node).copied().unwrap_or(Trouble::None);
        let own = self.observers[observer].1;
        let mut tally = Tally::default();
        let factor = match trouble {
            Trouble::Busy(times) | Trouble::Bulky(times) | Trouble::Hot(times) => times,
            _ => 1.0,
        };
        let part = if observer == 0 { 1.0 } else { self.others_ask };
        let expected = f64::from(self.per_round * share) * factor * part / 1000.0;
        let count = (expected + self.rng.unit_f64()) as u32;
        for _ in 0..count {
            let mut ms = 0.25 * (1.0 + self.rng.unit_f64().powi(4) * 4.0);
            let mut queued = 0.02;
            if observer == 0 && self.slow_to_first == Some(node) {
                ms += 20.0;
            }
            for one in [trouble, own] {
                match one {
                    Trouble::Later(more) => ms += more,
                    Trouble::Bimodal(part) if self.rng.unit_f64() * 100.0 < part => {
                        ms += 5.0 + 10.0 * self.rng.unit_f64();
                    }
                    Trouble::Narrow(part)
                        if self.rng.unit_f64() * 100.0 < part * f64::from(share) / 1000.0 =>
                    {
                        ms += 3.0 + 10.0 * self.rng.unit_f64();
                    }
                    Trouble::Hot(times) if times * f64::from(share) > 1200.0 => queued += 15.0,
                    Trouble::Weak if share > 600 => queued += 15.0,
                    Trouble::Busy(_) => queued += 4.0 * self.rng.unit_f64(),
                    _ => {}
                }
            }
            let is_behind = matches!(trouble, Trouble::Bulky(_)) && self.rng.below(10) > 0;
            match trouble {
                Trouble::Silent => tally.unanswered(1),
                _ if is_behind => tally.answered(millis(ms + 10.0), None, 100),
                _ => tally.answered(millis(ms + queued), Some(millis(queued)), 100),
            }
        }
        tally
    }

    pub(super) fn state(&self, node: u32) -> State {
        self.standings[&MemberId(node)].state()
    }

    /// When this happened first.
    pub(super) fn when(&self, node: u32, event: Event) -> Option<f64> {
        let found = self.log.iter().find(|it| (it.1.0, it.2) == (node, event));
        found.map(|it| it.0.as_secs_f64())
    }

    pub(super) fn ejected(&self) -> Vec<u32> {
        let out = self.standings.iter().filter(|it| {
            let state = it.1.state();
            matches!(state, State::Ejected | State::Probation)
        });
        out.map(|it| it.0.0).collect()
    }
}

pub(super) fn millis(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1e3)
}
