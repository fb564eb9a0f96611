//! Members over one store, turn by turn: what they say and when, and what the steward makes of it.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use base::fleet::{Epoch, SLOT_COUNT};
use gateway::remote::Report;
use runtime::store::Detail;

use super::super::testing::TestStore;
use super::*;

/// Loops that go by what they are shown, once they get round to it.
#[derive(Default)]
struct Loops {
    shown: Mutex<Option<Sight>>,
    /// The newest version that they go by, and one.
    announced: AtomicU64,
    reports: Mutex<Vec<Report>>,
}

impl Loops {
    fn get_round(&self) {
        let shown = self.shown.lock().unwrap();
        let version = shown
            .as_ref()
            .map_or(0, |sight| sight.ring.announced().0 + 1);
        self.announced.store(version, Ordering::Release);
    }

    fn sight(&self) -> Sight {
        self.shown.lock().unwrap().clone().unwrap()
    }
}

impl Seat for Loops {
    fn show(&self, sight: &Sight) {
        *self.shown.lock().unwrap() = Some(sight.clone());
    }

    fn announced(&self) -> Option<Epoch> {
        self.announced
            .load(Ordering::Acquire)
            .checked_sub(1)
            .map(Epoch)
    }

    fn reports(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }
}

struct Member {
    keeper: Keeper,
    loops: Arc<Loops>,
}

impl Member {
    fn new(fleet: &TestStore, name: &str, role: Role) -> Self {
        let joined = fleet.join(name, role);
        let loops = Arc::new(Loops::default());
        let (store, seat) = (Arc::clone(&fleet.store), Arc::clone(&loops));
        let keeper = Keeper::new(joined, fleet.file(name), store, fleet.clock, role, seat);
        Self { keeper, loops }
    }

    /// What a follower would hand on now.
    fn turn(&mut self, fleet: &TestStore) {
        let asked_at = fleet.clock.now();
        let snapshot = fleet.store.range("", Detail::Values).unwrap();
        self.keeper.turn(&Known {
            snapshot: Arc::new(snapshot),
            source: Source::Store(asked_at),
            trouble: None,
        });
    }

    fn turn_without_store(&mut self, fleet: &TestStore) {
        let known = Known {
            snapshot: Arc::default(),
            source: Source::Nobody,
            trouble: Some((fleet.clock.now(), "away".to_owned())),
        };
        self.keeper.turn(&known);
    }
}

#[test]
fn a_ring_changes_once_all_loops_have_said_that_they_know() {
    let fleet = TestStore::new();
    let mut node = Member::new(&fleet, "node1", Role::Cache);
    let mut gateway = Member::new(&fleet, "gateway1", Role::Gateway);
    node.turn(&fleet);
    // Alive, steward, announced, made: nobody had anything before.
    (0..4).for_each(|_| gateway.turn(&fleet));
    let registry = fleet.registry();
    assert_eq!(registry.steward, Some(gateway.keeper.me));
    assert!(registry.alive.contains(&node.keeper.me));
    let ring = registry.ring.unwrap();
    assert_eq!(
        (ring.version(), ring.count(node.keeper.me)),
        (Epoch(1), SLOT_COUNT)
    );
    let mut second = Member::new(&fleet, "node2", Role::Cache);
    second.turn(&fleet);
    (0..3).for_each(|_| gateway.turn(&fleet));
    let half = SLOT_COUNT / 2;
    assert_eq!(fleet.registry().ring.unwrap().moving().len(), half);
    // The loops have been shown, and have not looked yet.
    (0..3).for_each(|_| {
        node.turn(&fleet);
        gateway.turn(&fleet);
    });
    assert_eq!(fleet.registry().known(node.keeper.me), None);
    assert_eq!(fleet.registry().ring.unwrap().version(), Epoch(1));
    for _ in 0..3 {
        for member in [&mut node, &mut gateway] {
            member.loops.get_round();
            member.turn(&fleet);
        }
    }
    let ring = fleet.registry().ring.unwrap();
    assert_eq!(
        (ring.version(), ring.count(second.keeper.me)),
        (Epoch(2), half)
    );
    let sight = gateway.loops.sight();
    assert!(sight.assurance.change_until > fleet.clock.now());
}

#[test]
fn a_member_that_has_not_heard_from_the_store_says_nothing_and_serves_nothing() {
    let fleet = TestStore::new();
    let mut node = Member::new(&fleet, "node1", Role::Cache);
    node.turn_without_store(&fleet);
    node.loops.get_round();
    node.turn_without_store(&fleet);
    let (sight, now) = (node.loops.sight(), fleet.clock.now());
    assert_eq!((sight.announced, sight.age(now)), (None, None));
    assert!(sight.assurance.read_until < now && sight.assurance.starting_until > now);
    assert!(sight.trouble.is_some());
    assert_eq!(fleet.registry().known(node.keeper.me), None);
    node.turn(&fleet);
    let sight = node.loops.sight();
    assert!(sight.trouble.is_none() && sight.announced.is_some());
}

#[test]
fn what_the_store_holds_is_kept_for_a_start_without_it() {
    let fleet = TestStore::new();
    let mut node = Member::new(&fleet, "node1", Role::Cache);
    let mut gateway = Member::new(&fleet, "gateway1", Role::Gateway);
    (0..4).for_each(|_| gateway.turn(&fleet));
    node.turn(&fleet);
    let kept = Kept::read(&fleet.file("node1")).unwrap();
    assert_eq!(read(&kept.snapshot()).ring, fleet.registry().ring);
}

#[test]
fn a_gateway_that_ends_is_not_waited_for_and_leaves_its_office() {
    let fleet = TestStore::new();
    let mut gateway = Member::new(&fleet, "gateway1", Role::Gateway);
    (0..3).for_each(|_| gateway.turn(&fleet));
    assert!(
        fleet
            .registry()
            .heard()
            .gateways
            .contains_key(&gateway.keeper.me)
    );
    gateway.turn(&fleet);
    gateway.keeper.leave();
    let registry = fleet.registry();
    assert!(registry.heard().gateways.is_empty());
    assert_eq!(registry.steward, None);
    // The process that has taken its place meanwhile serves on, and is waited for.
    gateway.turn(&fleet);
    let registry = fleet.registry();
    assert!(registry.heard().gateways.contains_key(&gateway.keeper.me));
}
