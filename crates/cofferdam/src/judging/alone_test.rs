//! From what loops count to the shares that a gateway without a store goes by.

use std::time::Duration;

use fleet::judge::{Class, Limits, ROUND};
use fleet::membership::State;
use gateway::remote::{NodeAddress, NodeTallies, Shares};

use super::super::shares;
use super::super::witness::Witness;
use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const ME: MemberId = MemberId(101);
const SLOW: MemberId = MemberId(3);

struct Setting {
    fleet: Fleet,
    witness: Witness,
    alone: Alone,
    now: Timestamp,
    report: JudgingReport,
}

impl Setting {
    fn new() -> Self {
        let nodes = (1..=6).map(|id| NodeAddress {
            member: MemberId(id),
            name: format!("node{id}"),
            addr: "127.0.0.1:1".parse().unwrap(),
        });
        let nodes: Vec<NodeAddress> = nodes.collect();
        Self {
            fleet: Fleet::of_list(START, &nodes),
            witness: Witness::new(START, ME, Limits::default()),
            alone: Alone::new(JudgeMode::On, ME, "gateway1".to_owned()),
            now: START,
            report: JudgingReport::default(),
        }
    }

    fn shares(&self) -> Shares {
        let standings = self.alone.standings();
        standings.map(|it| shares(it, true)).unwrap_or_default()
    }

    /// So many seconds in which node 3 takes `took_ms` and the others a third of one.
    fn run(&mut self, seconds: u32, took_ms: f64) {
        for _ in 0..seconds * 4 {
            self.now = self.now + ROUND;
            self.alone.begin(&self.fleet);
            self.witness.know(self.now, self.alone.standings().unwrap());
            let mut counted = BTreeMap::new();
            for node in self.fleet.standings.keys() {
                let ms = if *node == SLOW { took_ms } else { 0.3 };
                let share = self.shares().get(node).copied().unwrap_or(1000);
                let mut tallies = NodeTallies::default();
                for _ in 0..(share * 400).div_ceil(1000) {
                    let took = Duration::from_secs_f64(ms / 1e3);
                    tallies[Class::Read.index()].answered(took, Some(Duration::ZERO), 10);
                }
                counted.insert(*node, tallies);
            }
            let ballot = self.witness.round(self.now, counted);
            self.report = self.alone.round(self.now, &self.fleet, ballot, &[]);
        }
    }

    fn state(&self) -> State {
        self.alone.standings().unwrap()[&SLOW].state()
    }
}

#[test]
fn a_slow_node_gets_no_keys_until_it_is_well_again() {
    let mut setting = Setting::new();
    setting.run(5, 0.3);
    assert!(setting.shares().is_empty());
    setting.run(5, 30.0);
    assert_eq!(setting.shares(), Shares::from([(SLOW, 0)]));
    let mut seen = Vec::new();
    for _ in 0..120 {
        setting.run(1, 0.3);
        let share = setting.shares().get(&SLOW).copied();
        if seen.last() != Some(&share) {
            seen.push(share);
        }
    }
    let steps = [Some(0), Some(10), Some(50), Some(250), Some(500), None];
    assert_eq!(seen, steps);
}

#[test]
fn a_suspect_keeps_its_keys_and_is_explained() {
    let mut setting = Setting::new();
    setting.run(5, 0.3);
    setting.run(2, 30.0);
    assert_eq!(setting.state(), State::Suspect);
    assert!(setting.shares().is_empty());
    let node = setting.report.node("node3").unwrap();
    assert!(node.score >= 10.0 && node.slow_since_unix_ms.is_some());
    let blame = &node.blaming[0];
    assert_eq!(blame.observer, "gateway1");
    assert!(blame.sentence.as_ref().unwrap().contains("its peers'"));
    assert_eq!(node.past.last().unwrap().event, Event::Suspected);
    assert!(setting.report.is_alone);
}

#[test]
fn what_was_decided_alone_is_over_when_the_store_is_back() {
    let mut setting = Setting::new();
    setting.run(5, 0.3);
    setting.run(5, 30.0);
    assert_eq!(setting.state(), State::Ejected);
    setting.alone.end();
    assert_eq!(setting.alone.standings(), None);
    setting.alone.begin(&setting.fleet);
    assert_eq!(setting.state(), State::Serving);
}

#[test]
fn the_naive_rule_knows_no_cap_and_lets_in_again_after_a_while() {
    let mut setting = Setting::new();
    setting.alone = Alone::new(JudgeMode::Naive, ME, "gateway1".to_owned());
    setting.alone.begin(&setting.fleet);
    let all: Vec<MemberId> = setting.fleet.standings.keys().copied().collect();
    let report = setting.alone.round(START, &setting.fleet, None, &all);
    assert!(report.nodes.iter().all(|node| node.state == "ejected"));
    let later = START + Duration::from_secs(11);
    let report = setting.alone.round(later, &setting.fleet, None, &[]);
    assert!(report.nodes.iter().all(|node| node.state == "probation"));
}
