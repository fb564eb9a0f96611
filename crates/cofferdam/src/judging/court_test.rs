//! Gateways over one store: who decides, by whose ballots, and what the others are told.

use std::sync::Arc;

use base::fleet::Epoch;
use fleet::Ring;
use fleet::deeds::By;
use fleet::judge::{Class, Opinion, Score};
use fleet::operator::Act;
use fleet::registry::{Registry, Role, STEWARD, alive_key, member_key};
use gateway::remote::Assurance;
use runtime::Clock;
use runtime::state::State as StateFile;
use runtime::store::LocalStore;
use tempfile::TempDir;

use super::*;
use crate::membership::{Order, operate};

const NODES: u32 = 6;
const SLOW: MemberId = MemberId(3);
const GATEWAYS: [MemberId; 2] = [MemberId(101), MemberId(102)];

/// A store for the fleet, one for ballots, and two gateways; the first has the steward's lease.
struct World {
    _dir: TempDir,
    fleet: Arc<dyn Store>,
    ballots: Arc<dyn Store>,
    courts: [Court; 2],
    now: Timestamp,
}

impl World {
    fn new(mode: JudgeMode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::new();
        let open = |name: &str| -> Arc<dyn Store> {
            let file = StateFile::open(&dir.path().join(name)).unwrap();
            Arc::new(LocalStore::new(Arc::new(file), clock).unwrap())
        };
        let (fleet, ballots) = (open("fleet"), open("ballots"));
        let now = clock.now();
        let mut change = Change::default().put(STEWARD, GATEWAYS[0].0.to_string());
        let nodes = (1..=NODES).map(|id| (MemberId(id), Role::Cache));
        for (id, role) in nodes.chain(GATEWAYS.map(|id| (id, Role::Gateway))) {
            let record = MemberRecord {
                name: format!("m{}", id.0),
                role,
                address: "127.0.0.1:1".to_owned(),
                weight: 100,
                standing: Standing::founder(now),
                memory_bytes: 1 << 30,
            };
            change = change.put(&member_key(id), json(&record));
            change = change.put(&alive_key(id), "");
        }
        fleet.commit(&change).unwrap();
        let court = |id| Court::new(mode, Arc::clone(&ballots), id);
        Self {
            courts: GATEWAYS.map(court),
            _dir: dir,
            fleet,
            ballots,
            now,
        }
    }

    fn sight(&self, me: MemberId) -> Sight {
        let snapshot = self.fleet.range("", Detail::Values).unwrap();
        let entries = snapshot.entries.iter();
        let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
        Sight {
            me,
            registry: Arc::new(registry),
            snapshot: Arc::new(snapshot),
            ring: Arc::new(Ring::empty()),
            announced: Some(Epoch(0)),
            assurance: Assurance::NONE,
            asked_at: Some(self.now),
            trouble: None,
            waiting: None,
            waits_since: None,
        }
    }

    /// One exchange of a gateway that finds node 3 slow so surely.
    fn sit(&mut self, gateway: usize, score: Score, condemned: &[MemberId]) -> JudgingReport {
        let ballot = ballot(GATEWAYS[gateway], score);
        self.exchange(gateway, Some(ballot), condemned)
    }

    /// One of a gateway that has just stood still.
    fn sit_blind(&mut self, gateway: usize) -> JudgingReport {
        self.exchange(gateway, None, &[])
    }

    fn exchange(
        &mut self,
        gateway: usize,
        ballot: Option<Ballot>,
        condemned: &[MemberId],
    ) -> JudgingReport {
        self.now = self.now + Duration::from_millis(250);
        let sight = self.sight(GATEWAYS[gateway]);
        let fleet = Arc::clone(&self.fleet);
        let court = &mut self.courts[gateway];
        let report = court.sit(self.now, &sight, &*fleet, ballot, condemned);
        report.unwrap().unwrap_or_default()
    }

    fn both(&mut self, scores: [Score; 2]) -> [JudgingReport; 2] {
        let other = self.sit(1, scores[1], &[]);
        [self.sit(0, scores[0], &[]), other]
    }

    fn state(&self) -> State {
        self.sight(GATEWAYS[0]).registry.members[&SLOW]
            .standing
            .state()
    }
}

fn ballot(observer: MemberId, score: Score) -> Ballot {
    let opinion = |node| Opinion {
        node: MemberId(node),
        score: if MemberId(node) == SLOW {
            score
        } else {
            Score::CLEAR
        },
        score_unqueued: if MemberId(node) == SLOW {
            score
        } else {
            Score::CLEAR
        },
        asked_per_s: 100.0,
        answered_per_s: 100.0,
        bytes_per_s: 1000.0,
        proven: 0,
        seen_s: 0.2,
        slow_for_s: 0.0,
        finding: None,
        finding_unqueued: None,
    };
    Ballot {
        observer,
        levels_ms: [Some(0.3); Class::ALL.len()],
        shift: Score::CLEAR,
        opinions: (1..=NODES).map(opinion).collect(),
    }
}

#[test]
fn both_must_agree_and_one_decides_in_the_store() {
    let mut world = World::new(JudgeMode::On);
    for _ in 0..4 {
        world.both([Score::CERTAIN, Score::CLEAR]);
    }
    assert_eq!(world.state(), State::Serving);
    let [decided, _] = world.both([Score::SUSPECT, Score::SUSPECT]);
    assert_eq!(world.state(), State::Suspect);
    assert_eq!(decided.judge.as_deref(), Some("m101"));
    world.both([Score::CERTAIN, Score::CERTAIN]);
    assert_eq!(world.state(), State::Ejected);
    // The other one tells what was decided, and by whom.
    let [_, told] = world.both([Score::CLEAR, Score::CLEAR]);
    assert_eq!(told.judge.as_deref(), Some("m101"));
    let node = told.node("m3").unwrap();
    assert_eq!(node.state, "ejected");
    let past: Vec<_> = node.past.iter().map(|it| it.event).collect();
    assert_eq!(past, [Event::Suspected, Event::Condemned]);
    assert_eq!(node.past[1].blaming.len(), 2);
}

#[test]
fn who_has_fallen_silent_while_there_is_something_to_say_is_not_waited_for() {
    let mut world = World::new(JudgeMode::On);
    world.both([Score::CLEAR, Score::CLEAR]);
    let mut rounds = 0;
    while world.state() != State::Ejected {
        world.sit(0, Score::CERTAIN, &[]);
        rounds += 1;
        assert!(rounds < 20, "{:?}", world.state());
    }
    assert!(rounds >= 8, "at once: {rounds}");
}

#[test]
fn a_judge_that_stood_still_does_not_go_by_what_another_says_against_him() {
    let mut world = World::new(JudgeMode::On);
    for _ in 0..8 {
        world.both([Score::CLEAR, Score::CERTAIN]);
    }
    assert_eq!(world.state(), State::Serving);
    let mut rounds = 0;
    while world.state() == State::Serving {
        world.sit(1, Score::CERTAIN, &[]);
        world.sit_blind(0);
        rounds += 1;
        assert!(rounds < 20);
    }
    assert!(rounds >= 4, "at once: {rounds}");
}

#[test]
fn a_new_judge_goes_on_with_what_was_decided() {
    let mut world = World::new(JudgeMode::On);
    world.both([Score::SUSPECT, Score::SUSPECT]);
    let change = Change::default().put(STEWARD, GATEWAYS[1].0.to_string());
    world.fleet.commit(&change).unwrap();
    let [_, told] = world.both([Score::SUSPECT, Score::SUSPECT]);
    assert_eq!(told.judge.as_deref(), Some("m102"));
    assert_eq!(told.node("m3").unwrap().past.len(), 1);
}

#[test]
fn with_nothing_to_say_little_is_written() {
    let mut world = World::new(JudgeMode::On);
    let before = world.ballots.range("", Detail::Keys).unwrap().revision;
    for _ in 0..20 {
        world.both([Score::CLEAR, Score::CLEAR]);
    }
    let after = world.ballots.range("", Detail::Keys).unwrap().revision;
    // Two leases, two ballots with a report, and signs of life.
    assert!(after.0 - before.0 <= 25, "{before:?} {after:?}");
}

#[test]
fn a_dead_node_is_not_let_in() {
    let mut world = World::new(JudgeMode::On);
    world.both([Score::CERTAIN, Score::CERTAIN]);
    world.both([Score::CERTAIN, Score::CERTAIN]);
    assert_eq!(world.state(), State::Ejected);
    let gone = Change::default().delete(&alive_key(SLOW));
    world.fleet.commit(&gone).unwrap();
    world.now = world.now + Duration::from_secs(60);
    world.both([Score::CLEAR, Score::CLEAR]);
    assert_eq!(world.state(), State::Ejected);
    let back = Change::default().put(&alive_key(SLOW), "");
    world.fleet.commit(&back).unwrap();
    world.both([Score::CLEAR, Score::CLEAR]);
    assert_eq!(world.state(), State::Probation);
}

#[test]
fn what_an_operator_does_is_told_at_every_gateway_at_once_and_by_whom() {
    let mut world = World::new(JudgeMode::On);
    world.both([Score::CLEAR, Score::CLEAR]);
    let order = Order {
        act: Act::Eject { force: false },
        through: "m102".to_owned(),
        why: Some("a new disk".to_owned()),
    };
    operate(&*world.fleet, "m3", &order, world.now).unwrap();
    world.sit(0, Score::CLEAR, &[]);
    for gateway in [0, 1] {
        let told = world.sit(gateway, Score::CLEAR, &[]);
        let node = told.node("m3").unwrap();
        assert_eq!(node.state, "ejected");
        let past = node.past.last().unwrap();
        assert_eq!((past.by, past.event), (By::Operator, Event::Condemned));
        assert_eq!(past.doer(), "an operator at m102");
        assert_eq!(past.why.as_deref(), Some("a new disk"));
    }
    // What others did is not taken for decisions by who judges next.
    let change = Change::default().put(STEWARD, GATEWAYS[1].0.to_string());
    world.fleet.commit(&change).unwrap();
    let [_, told] = world.both([Score::CLEAR, Score::CLEAR]);
    assert_eq!(told.node("m3").unwrap().past.len(), 1);
}

#[test]
fn nobody_is_taken_out_by_the_judge_while_an_operator_has_taken_the_place() {
    let mut world = World::new(JudgeMode::On);
    world.both([Score::CLEAR, Score::CLEAR]);
    let order = Order {
        act: Act::Eject { force: false },
        through: "m102".to_owned(),
        why: None,
    };
    operate(&*world.fleet, "m1", &order, world.now).unwrap();
    for _ in 0..4 {
        world.both([Score::CERTAIN, Score::CERTAIN]);
    }
    assert_eq!(world.state(), State::Suspect);
    let [told, _] = world.both([Score::CERTAIN, Score::CERTAIN]);
    assert_eq!(told.notices[0].kind, "cap_holds");
    assert_eq!(told.notices[0].members, ["m1", "m3"]);
}

#[test]
fn the_naive_rule_asks_nobody() {
    let mut world = World::new(JudgeMode::Naive);
    let report = world.sit(1, Score::CLEAR, &[SLOW]);
    assert_eq!(world.state(), State::Ejected);
    assert_eq!(report.mode, "naive");
    let past = report.node("m3").unwrap().past.last().unwrap();
    assert_eq!(past.doer(), "the judge at m102");
}
