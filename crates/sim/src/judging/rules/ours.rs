//! The judge of crate `fleet`.

use std::collections::BTreeMap;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Ballot, Class, Judge, Limits, Observer};
use fleet::membership::{Event, Standing, State};

use super::super::scene::Scene;
use super::{Rule, RuleKind};

/// Observers have numbers from here on.
const OBSERVERS: u32 = 1_000_000;
const FULL: u32 = 1000;

pub(super) struct Ours {
    observers: Vec<Observer>,
    judge: Judge,
    standings: BTreeMap<MemberId, Standing>,
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
            ejections: vec![0; nodes],
            suspicions: 0,
        }
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
        for (place, observer) in self.observers.iter_mut().enumerate() {
            for (id, standing) in &self.standings {
                let node = id.0 as usize;
                match standing.share_of(FULL) {
                    FULL => {
                        let seen = scene.seen(place, node);
                        observer.note(now, *id, Class::Read, &seen.tally);
                    }
                    0 => {}
                    share => {
                        let part = f64::from(share) / f64::from(FULL);
                        let seen = scene.seen_thinned(place, node, part);
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
