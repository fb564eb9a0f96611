//! A fleet's first minutes, a node that dies and comes back, and what is never done, in virtual time.

use base::fleet::SLOT_COUNT;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_000_000);
const SECOND: Duration = Duration::from_secs(1);

/// The store, and a steward that looks at it ten times a second.
struct Fleet {
    registry: Registry,
    steward: Steward,
    answers: BTreeMap<MemberId, bool>,
    heard_at: BTreeMap<MemberId, Timestamp>,
    now: Timestamp,
}

impl Fleet {
    fn new() -> Self {
        Self {
            registry: Registry::default(),
            steward: Steward::new(false, false),
            answers: BTreeMap::new(),
            heard_at: BTreeMap::new(),
            now: START,
        }
    }

    fn of(nodes: u32) -> Self {
        let mut fleet = Self::new();
        (1..=nodes).for_each(|id| fleet.join(id));
        fleet.advance(SECOND);
        fleet
    }

    fn join(&mut self, id: u32) {
        if self.registry.is_founded_by(Role::Cache) {
            self.registry.founded = Some(self.now);
        }
        let record = MemberRecord {
            name: format!("node{id}"),
            role: Role::Cache,
            address: format!("10.0.0.{id}:1"),
            weight: 100,
            standing: self
                .registry
                .standing_of_new(Role::Cache, SECOND * 60, self.now),
            memory_bytes: 1 << 30,
        };
        self.registry.members.insert(MemberId(id), record);
        self.revive(id);
    }

    fn revive(&mut self, id: u32) {
        self.registry.alive.insert(MemberId(id));
        self.answers.insert(MemberId(id), true);
    }

    fn kill(&mut self, id: u32) {
        self.registry.alive.remove(&MemberId(id));
        self.answers.insert(MemberId(id), false);
    }

    fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = self.now + SECOND / 10;
            for (id, _) in self.answers.iter().filter(|(_, answers)| **answers) {
                self.heard_at.insert(*id, self.now);
            }
            match self.steward.next(&self.registry, &self.heard_at, self.now) {
                Some(Step::Ring(ring)) => self.put(ring),
                Some(Step::Member(id, record, _)) => {
                    self.registry.members.insert(id, record);
                }
                None => {}
            }
        }
    }

    /// Everybody who lives says at once that he knows.
    fn put(&mut self, ring: Ring) {
        let said: Vec<(String, String)> = (self.answers.iter())
            .filter(|(_, answers)| **answers)
            .map(|(id, _)| {
                (
                    crate::registry::known_key(*id),
                    ring.announced().0.to_string(),
                )
            })
            .collect();
        let said = said
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_bytes()));
        let known = Registry::read(said);
        self.registry.absorb_known(&known);
        self.registry.ring = Some(std::sync::Arc::new(ring));
    }

    fn counts(&self) -> Vec<usize> {
        let ring = self.registry.ring.as_ref().unwrap();
        let ids = self.registry.members.keys();
        ids.map(|id| ring.count(*id)).collect()
    }

    fn state(&self, id: u32) -> State {
        self.registry.members[&MemberId(id)].standing.state()
    }
}

#[test]
fn those_who_found_a_fleet_begin_at_full_weight_and_who_comes_later_ramps() {
    let mut fleet = Fleet::of(4);
    assert_eq!(fleet.counts(), [SLOT_COUNT / 4; 4]);
    fleet.advance(SECOND * 120);
    fleet.join(5);
    assert_eq!(fleet.state(5), State::Quarantined);
    fleet.advance(SECOND * 12);
    assert_eq!(fleet.state(5), State::Ramping);
    assert!((5..20).contains(&fleet.counts()[4]), "{:?}", fleet.counts());
    fleet.advance(SECOND * 60);
    assert_eq!(fleet.state(5), State::Serving);
    assert!(
        fleet
            .counts()
            .iter()
            .all(|count| (818..=821).contains(count))
    );
}

#[test]
fn where_nodes_are_judged_who_was_refused_waits_and_nobody_goes_on_by_himself() {
    let mut fleet = Fleet::of(4);
    fleet.steward = Steward::new(true, false);
    fleet.advance(SECOND * 120);
    fleet.join(5);
    fleet.advance(SECOND * 59);
    assert_eq!(fleet.state(5), State::Quarantined);
    fleet.advance(SECOND * 2);
    assert_eq!(fleet.state(5), State::Shadow);
    // The judge would say when.
    fleet.advance(SECOND * 60);
    assert_eq!(fleet.state(5), State::Shadow);
    let member = fleet.registry.members.get_mut(&MemberId(5)).unwrap();
    member.standing = member.standing.after(Event::Refused, fleet.now).unwrap();
    fleet.advance(SECOND * 59);
    assert_eq!(fleet.state(5), State::Quarantined);
}

#[test]
fn where_nodes_are_tested_the_steward_lets_nobody_in_by_himself() {
    let mut fleet = Fleet::of(4);
    fleet.steward = Steward::new(true, true);
    fleet.advance(SECOND * 120);
    fleet.join(5);
    fleet.advance(SECOND * 600);
    assert_eq!((fleet.state(5), fleet.counts()[4]), (State::Quarantined, 0));
}

#[test]
fn a_node_that_dies_is_taken_out_and_comes_back_step_by_step() {
    let mut fleet = Fleet::of(4);
    fleet.advance(SECOND * 120);
    fleet.kill(2);
    fleet.advance(SECOND * 4);
    assert_eq!(fleet.state(2), State::Serving);
    fleet.advance(SECOND * 8);
    assert_eq!((fleet.state(2), fleet.counts()[1]), (State::Ejected, 0));
    fleet.advance(SECOND * 60);
    assert_eq!(fleet.state(2), State::Ejected);
    fleet.revive(2);
    fleet.advance(SECOND);
    assert_eq!(fleet.state(2), State::Probation);
    fleet.advance(SECOND * 60);
    assert_eq!((fleet.state(2), fleet.counts()[1]), (State::Serving, 1024));
}

#[test]
fn one_that_answers_or_has_its_lease_is_not_gone() {
    let mut fleet = Fleet::of(4);
    // Cut off from the store, and from the steward.
    fleet.registry.alive.remove(&MemberId(1));
    fleet.answers.insert(MemberId(2), false);
    fleet.advance(SECOND * 60);
    assert_eq!(
        (fleet.state(1), fleet.state(2)),
        (State::Serving, State::Serving)
    );
}

#[test]
fn who_is_tried_out_again_is_out_as_well() {
    let mut fleet = Fleet::of(4);
    // Nobody lets the first one go on.
    fleet.steward = Steward::new(true, false);
    let member = fleet.registry.members.get_mut(&MemberId(1)).unwrap();
    for event in [Event::Condemned, Event::Readmit] {
        member.standing = member.standing.after(event, fleet.now).unwrap();
    }
    fleet.kill(2);
    fleet.advance(SECOND * 60);
    assert_eq!(fleet.state(2), State::Serving);
    fleet.kill(1);
    fleet.advance(SECOND * 60);
    assert_eq!(fleet.state(1), State::Ejected, "that is nobody more");
    assert_eq!(fleet.state(2), State::Serving);
}

#[test]
fn not_all_are_taken_out() {
    let mut fleet = Fleet::of(4);
    (1..=4).for_each(|id| fleet.kill(id));
    fleet.advance(SECOND * 60);
    let out = (1..=4).filter(|id| fleet.state(*id) == State::Ejected);
    assert_eq!(out.count(), 1);
    let mut alone = Fleet::of(1);
    alone.kill(1);
    alone.advance(SECOND * 60);
    assert_eq!(
        (alone.state(1), alone.counts()[0]),
        (State::Serving, SLOT_COUNT)
    );
}

#[test]
fn without_a_quorum_a_change_waits_for_an_operator() {
    let mut fleet = Fleet::of(3);
    fleet.advance(SECOND * 120);
    (1..=3).for_each(|id| {
        fleet.answers.insert(MemberId(id), false);
    });
    let record = fleet.registry.members.get_mut(&MemberId(3)).unwrap();
    record.weight = 0;
    fleet.advance(SECOND * 30);
    let ring = fleet.registry.ring.clone().unwrap();
    assert_eq!(fleet.counts()[2], 1365);
    assert!(matches!(
        fleet.steward.waiting(),
        Some(Readiness::Quorum { have: 0, need: 2 })
    ));
    fleet.registry.force = Some(ring.announced());
    fleet.advance(SECOND);
    assert_eq!(fleet.counts(), [2048, 2048, 0]);
    // It holds for that one change alone.
    fleet.registry.members.get_mut(&MemberId(3)).unwrap().weight = 100;
    fleet.advance(SECOND * 30);
    assert_eq!(fleet.counts(), [2048, 2048, 0]);
}

#[test]
fn a_fleet_grows_no_younger_by_what_its_nodes_go_through() {
    let mut fleet = Fleet::of(2);
    fleet.advance(SECOND * 120);
    for id in [1, 2] {
        let member = fleet.registry.members.get_mut(&MemberId(id)).unwrap();
        for event in [Event::Drain, Event::Readmit] {
            member.standing = member.standing.after(event, fleet.now).unwrap();
        }
    }
    fleet.advance(SECOND);
    fleet.join(3);
    assert_eq!((fleet.state(3), fleet.counts()[2]), (State::Quarantined, 0));
}

#[test]
fn a_fleet_of_unknown_age_or_with_a_founder_whose_clock_was_ahead_is_not_young() {
    let mut fleet = Fleet::of(2);
    let standing = |fleet: &Fleet| {
        let founding = SECOND * 60;
        let standing = fleet.registry.standing_of_new(Role::Cache, founding, START);
        standing.state()
    };
    fleet.registry.founded = None;
    assert_eq!(standing(&fleet), State::Quarantined);
    fleet.registry.founded = Some(START + SECOND * 3600);
    assert_eq!(standing(&fleet), State::Quarantined);
    fleet.registry.founded = Some(START + SECOND * 5);
    assert_eq!(standing(&fleet), State::Serving);
    fleet.registry.members.clear();
    fleet.registry.founded = None;
    assert_eq!(standing(&fleet), State::Serving);
}
