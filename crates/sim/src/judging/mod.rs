//! Fleets with realistic noise and with faults: is the slow node found, and is any other one blamed?
//!
//! Observers and judge are the real ones of crate `fleet`. What they see is drawn: latencies with a
//! tail, queues that follow from load, loads that differ by a factor of three and go with the hour,
//! bursts, pauses of nodes and of gateways. Every rule is given the same requests.

mod draw;
mod fault;
mod rules;
mod scene;
mod weather;

use std::time::Duration;

use base::Timestamp;
use fleet::judge::ROUND;

pub use fault::{Fault, FaultKind, Intensity};
pub use rules::RuleKind;

use rules::Rule;
use scene::Scene;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
/// So long a fleet runs before anything counts.
const WARM_UP: Duration = Duration::from_secs(60);

/// A fleet.
#[derive(Clone, Copy, Debug)]
pub struct FleetShape {
    /// Nodes.
    pub nodes: usize,
    /// Gateways that ask them.
    pub observers: usize,
    /// Everything random comes from it.
    pub seed: u64,
}

/// What the rules made of a fleet in which nothing was wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calm {
    /// Hours, over all nodes.
    pub node_hours: f64,
    /// Times that a node was taken out, by rule; what only some of the observers do counts in part.
    pub ejections: Vec<(RuleKind, f64)>,
    /// Times that a node was suspected, by the rule that does such a thing.
    pub suspicions: f64,
}

/// What one rule made of a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The rule.
    pub rule: RuleKind,
    /// After how many seconds it gave the node less to do.
    pub noticed_s: Option<f64>,
    /// After how many it took the node out.
    pub ejected_s: Option<f64>,
    /// Times that it took another one out.
    pub wrong: f64,
}

/// What the judge of crate `fleet` made of a node that was bad for a time and then well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovered {
    /// It was taken out while it was bad.
    pub was_out: bool,
    /// After how many seconds of being well it served at its full weight.
    pub back_s: Option<f64>,
    /// Times that it was taken out after it was back.
    pub ejections_after: f64,
}

impl FleetShape {
    /// Runs it for so long without any fault.
    pub fn calm(&self, length: Duration) -> Calm {
        let mut scene = Scene::new(self, None);
        let mut rules = self.rules();
        let rounds = (length.as_secs_f64() / ROUND.as_secs_f64()) as u64;
        for _ in 0..rounds_of(WARM_UP) + rounds {
            scene.advance();
            for rule in &mut rules {
                rule.round(&mut scene);
            }
        }
        Calm {
            node_hours: self.nodes as f64 * (WARM_UP + length).as_secs_f64() / 3600.0,
            ejections: rules.iter().map(|it| (it.kind(), it.ejections())).collect(),
            suspicions: rules.iter().map(|it| it.suspicions()).sum(),
        }
    }

    /// Has one node turn bad, and looks for so long what the rules make of it.
    pub fn with_fault(&self, fault: Fault, length: Duration) -> Vec<Found> {
        let victim = self.seed as usize % self.nodes;
        let mut scene = Scene::new(self, Some((victim, fault, START + WARM_UP)));
        let mut rules = self.rules();
        let mut found: Vec<Found> = rules.iter().map(|rule| Found::none(rule.kind())).collect();
        let mut before = vec![0.0; rules.len()];
        for round in 0..rounds_of(WARM_UP) + rounds_of(length) {
            scene.advance();
            let since_s = scene.now().since(START + WARM_UP).as_secs_f64();
            let is_on = round >= rounds_of(WARM_UP);
            for (place, rule) in rules.iter_mut().enumerate() {
                rule.round(&mut scene);
                if !is_on {
                    before[place] = rule.ejections();
                    continue;
                }
                let one = &mut found[place];
                if rule.is_noticed(victim) {
                    one.noticed_s.get_or_insert(since_s);
                }
                if rule.is_out(victim) {
                    one.ejected_s.get_or_insert(since_s);
                }
                one.wrong = rule.ejections() - before[place] - rule.ejections_of(victim);
            }
            if found.iter().all(|it| it.ejected_s.is_some()) {
                break;
            }
        }
        found
    }

    /// Has one node turn bad for a time, and looks for so long what becomes of it then.
    pub fn with_recovery(&self, fault: Fault, bad: Duration, well: Duration) -> Recovered {
        let victim = self.seed as usize % self.nodes;
        let mut scene = Scene::new(self, Some((victim, fault, START + WARM_UP)));
        let mut rule = RuleKind::Cofferdam.build(self, START);
        for _ in 0..rounds_of(WARM_UP + bad) {
            scene.advance();
            rule.round(&mut scene);
        }
        scene.mend();
        let (mended_at, was_out) = (scene.now(), rule.ejections_of(victim) > 0.0);
        let mut back = None;
        for _ in 0..rounds_of(well) {
            scene.advance();
            rule.round(&mut scene);
            if !rule.is_noticed(victim) {
                back.get_or_insert((scene.now(), rule.ejections_of(victim)));
            }
        }
        Recovered {
            was_out,
            back_s: back.map(|(at, _)| at.since(mended_at).as_secs_f64()),
            ejections_after: back.map_or(0.0, |(_, then)| rule.ejections_of(victim) - then),
        }
    }

    fn rules(&self) -> Vec<Box<dyn Rule>> {
        RuleKind::ALL.map(|kind| kind.build(self, START)).into()
    }
}

impl Found {
    fn none(rule: RuleKind) -> Self {
        Self {
            rule,
            noticed_s: None,
            ejected_s: None,
            wrong: 0.0,
        }
    }
}

fn rounds_of(length: Duration) -> u64 {
    (length.as_millis() / ROUND.as_millis()) as u64
}
