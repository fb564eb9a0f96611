//! The judge of crate `fleet`.

use std::collections::BTreeMap;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Ballot, Class, Judge, Limits, Observer};
use fleet::membership::{Event, Standing, State};

use super::super::scene::{Queue, Scene};
use super::{Rule, RuleKind};

/// Observers have numbers from here on.
const OBSERVERS: u32 = 1_000_000;
const FULL: u32 = 1000;

pub(super) struct Ours {
    observers: Vec<Observer>,
    judge: Judge,
    standings: BTreeMap<MemberId, Standing>,
    /// Of each node, while not all are at their full weight.
    queues: Option<Vec<Queue>>,
    ejections: Vec<u32>,
    suspicions: u32,
}

impl Ours {
    pub(super) fn new(nodes: usize, observers: usize, start: Timestamp) -> Self {
        let mut all: Vec<Observer> = (0..observers as u32)
            .map(|it| Observer::new(start, MemberId(OBSERVERS + it), Limits::default()))
            .collect();
        let ids = (0..nodes as u32).map(MemberId);
        for id in ids.clone() {
            for observer in &mut all {
                observer.know(start, id, State::Serving);
            }
        }
        Self {
            observers: all,
            judge: Judge::new(),
            standings: ids.map(|id| (id, Standing::founder(start))).collect(),
            queues: None,
            ejections: vec![0; nodes],
            suspicions: 0,
        }
    }

    /// What nodes are asked follows what they have been given.
    fn split(&mut self, scene: &Scene) {
        let shares = self.standings.values().map(|it| it.share_of(FULL));
        let parts: Vec<f64> = shares
            .map(|share| f64::from(share) / f64::from(FULL))
            .collect();
        let sum: f64 = parts.iter().sum();
        for observer in &mut self.observers {
            for (id, part) in self.standings.keys().zip(&parts) {
                observer.give(*id, (part / sum) as f32, 1.0);
            }
        }
        if parts.iter().all(|part| *part >= 1.0) {
            self.queues = None;
            return;
        }
        let queues = self.queues.get_or_insert_with(|| scene.queues().to_vec());
        scene.split(&parts, queues);
    }

    fn state(&self, node: usize) -> State {
        let standing = self.standings.get(&MemberId(node as u32));
        standing.map_or(State::Drained, Standing::state)
    }
}

impl Rule for Ours {
    fn kind(&self) -> RuleKind {
        RuleKind::Cofferdam
    }

    fn round(&mut self, scene: &mut Scene) {
        let now = scene.now();
        self.split(scene);
        for (place, observer) in self.observers.iter_mut().enumerate() {
            for (id, standing) in &self.standings {
                let node = id.0 as usize;
                match self.queues.as_ref().and_then(|it| it.get(node)) {
                    None => {
                        let seen = scene.seen(place, node);
                        observer.note(now, *id, Class::Read, &seen.tally);
                    }
                    Some(_) if standing.share_of(FULL) == 0 => {}
                    Some(queue) => {
                        let seen = scene.seen_by(place, node, queue);
                        observer.note(now, *id, Class::Read, &seen.tally);
                    }
                }
            }
            observer.round(now);
        }
        let ballots: Vec<Ballot> = self.observers.iter().map(|it| it.ballot(now)).collect();
        let ruling = self.judge.round(now, &self.standings, &ballots);
        for decision in ruling.decisions {
            let Some(standing) = self.standings.get_mut(&decision.node) else {
                continue;
            };
            let Ok(next) = standing.after(decision.event, now) else {
                continue;
            };
            let was = std::mem::replace(standing, next);
            if next.state() == State::Ejected && was.state() != State::Ejected {
                self.ejections[decision.node.0 as usize] += 1;
            }
            self.suspicions += u32::from(decision.event == Event::Suspected);
            for observer in &mut self.observers {
                observer.know(now, decision.node, next.state());
            }
        }
    }

    fn is_out(&self, node: usize) -> bool {
        matches!(self.state(node), State::Ejected | State::Probation)
    }

    fn is_noticed(&self, node: usize) -> bool {
        self.state(node) != State::Serving
    }

    fn ejections(&self) -> f64 {
        self.ejections.iter().sum::<u32>().into()
    }

    fn ejections_of(&self, node: usize) -> f64 {
        self.ejections[node].into()
    }

    fn suspicions(&self) -> f64 {
        self.suspicions.into()
    }
}
