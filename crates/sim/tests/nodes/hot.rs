//! What is read while gateways keep the answers for busy keys: how old it may be, and what it never is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use base::kv::{Delete, Get, Op, Outcome, Store};
use base::rng::Rng;
use fleet::Weights;
use gateway::remote::{FleetView, HotTerms, RemoteTenant};
use gateway::{Backend, Execution};
use node_proto::RequestId;

use crate::client::{Client, Taken};
use crate::view::view;
use crate::world::{TENANT, World};

const AGE_MAX: Duration = Duration::from_millis(300);
const TERMS: HotTerms = HotTerms {
    age_max: AGE_MAX,
    room_bytes: 1 << 20,
};
/// Two loops of one gateway, and one of another.
const GATEWAYS: [usize; 2] = [2, 1];
const LOOPS: u64 = 3;
const MS: Duration = Duration::from_millis(1);
const KEYS: u64 = 2;

/// Which gateway a loop is of.
fn gateway_of(at: usize) -> usize {
    usize::from(at >= GATEWAYS[0])
}

/// A change that was carried out, by its place among those of its key.
struct Change {
    at: usize,
    answered_at: Timestamp,
}

struct Asked {
    key: u64,
    since: Timestamp,
    is_read: bool,
}

/// Asks through all loops, changes each key one after the other, and knows what it may read.
struct Watcher {
    rng: Rng,
    tenants: Vec<RemoteTenant>,
    open: HashMap<(usize, RequestId), Asked>,
    /// By key; its value is the number of the change.
    changes: HashMap<u64, Vec<Change>>,
    is_changing: [bool; KEYS as usize],
    fresh: u64,
    /// Read after another gateway had changed it.
    stale: u64,
    stalest: Duration,
}

impl Watcher {
    fn new(seed: u64, world: &World) -> Self {
        let loops = world.loops.iter();
        Self {
            rng: Rng::new(seed),
            tenants: loops.map(|it| it.open(TENANT).unwrap()).collect(),
            open: HashMap::new(),
            changes: HashMap::new(),
            is_changing: [false; KEYS as usize],
            fresh: 0,
            stale: 0,
            stalest: Duration::ZERO,
        }
    }

    fn ask(&mut self, world: &mut World) {
        for _ in 0..8 {
            let (key, at) = (self.rng.below(KEYS), self.rng.below(LOOPS) as usize);
            let name = format!("key-{key}");
            let value = self.changes.entry(key).or_default().len().to_string();
            let wants_change = self.rng.below(400) == 0;
            let op = match wants_change && !self.is_changing[key as usize] {
                false => Op::Get(Get::plain(name.as_bytes())),
                true if self.rng.below(4) == 0 => Op::Delete(delete(name.as_bytes())),
                true => Op::Store(set(name.as_bytes(), value.as_bytes())),
            };
            let asked = Asked {
                key,
                since: world.now,
                is_read: matches!(op, Op::Get(_)),
            };
            let mut taken = Taken(None);
            let tenant = self.tenants[at];
            match world.loops[at].execute(&tenant, world.now, &op, &mut taken) {
                Execution::Pending(id) => {
                    self.is_changing[key as usize] |= !asked.is_read;
                    self.open.insert((at, id), asked);
                }
                Execution::Done(outcome) => self.judge(world.now, at, &asked, outcome, taken.0),
            }
        }
    }

    fn check(&mut self, world: &mut World) {
        for answer in std::mem::take(&mut world.answers) {
            let asked = self.open.remove(&(answer.at, answer.id)).unwrap();
            if !asked.is_read {
                self.is_changing[asked.key as usize] = false;
            }
            self.judge(world.now, answer.at, &asked, answer.outcome, answer.value);
        }
    }

    fn judge(
        &mut self,
        now: Timestamp,
        at: usize,
        asked: &Asked,
        outcome: Outcome,
        value: Option<Vec<u8>>,
    ) {
        let changes = self.changes.entry(asked.key).or_default();
        match (asked.is_read, outcome) {
            (true, Outcome::Miss) => {}
            (true, Outcome::Hit) => {
                let text = String::from_utf8(value.unwrap()).unwrap();
                let number: usize = text.parse().unwrap();
                let later = changes.iter().skip(number + 1);
                let later = later.filter(|change| change.answered_at < asked.since);
                let mut is_stale = false;
                for change in later {
                    assert_ne!(
                        gateway_of(change.at),
                        gateway_of(at),
                        "loop {at} does not see what loop {} has changed",
                        change.at
                    );
                    let age = asked.since.since(change.answered_at);
                    assert!(age < AGE_MAX, "{age:?} too old");
                    self.stalest = self.stalest.max(age);
                    is_stale = true;
                }
                self.stale += u64::from(is_stale);
                self.fresh += u64::from(!is_stale);
            }
            (false, Outcome::Stored { .. } | Outcome::Deleted | Outcome::NotFound) => {
                changes.push(Change {
                    at,
                    answered_at: now,
                });
            }
            (_, other) => panic!("{other:?}"),
        }
    }
}

fn delete(key: &[u8]) -> Delete<'_> {
    Delete {
        key,
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    }
}

fn set<'a>(key: &'a [u8], value: &'a [u8]) -> Store<'a> {
    Store::plain(key, value)
}

/// Lets so much time pass, and looks each time that something happens.
fn pass(world: &mut World, span: Duration, mut look: impl FnMut(&mut World)) {
    let until = world.now + span;
    while world.now < until {
        world.advance();
        look(world);
    }
}

fn hot_hits(world: &World) -> u64 {
    world.board.sum(TENANT).hot_hits
}

#[test]
fn a_gateways_own_changes_are_seen_at_once_and_those_of_others_in_time() {
    let (mut hits, mut fresh, mut stale, mut stalest) = (0, 0, 0, Duration::ZERO);
    for seed in 0..8 {
        let mut world = World::with_gateways(seed, 2, &GATEWAYS, Some(TERMS));
        world.is_swift = true;
        // Until there is a way to every node.
        pass(&mut world, 50 * MS, |_| ());
        let mut watcher = Watcher::new(seed, &world);
        for _ in 0..3000 {
            watcher.ask(&mut world);
            pass(&mut world, MS, |world| watcher.check(world));
        }
        hits += hot_hits(&world);
        fresh += watcher.fresh;
        stale += watcher.stale;
        stalest = stalest.max(watcher.stalest);
    }
    // The test means something: much was answered from memory, and what others had changed was, too.
    assert!(hits > 10_000, "{hits}");
    assert!(fresh > 10_000 && stale > 1000, "{fresh} {stale}");
    assert!(stalest > AGE_MAX / 2, "{stalest:?}");
}

#[test]
fn one_loop_reads_nothing_that_it_replaced_whatever_breaks() {
    let mut hits = 0;
    for seed in 0..60 {
        let mut world = World::with_gateways(seed, 3, &[1], Some(TERMS));
        let mut client = Client::of_few_keys(seed);
        for _ in 0..1500 {
            world.do_harm();
            client.step(&mut world);
        }
        hits += hot_hits(&world);
    }
    assert!(hits > 1000, "{hits}");
}

#[test]
fn nothing_is_answered_from_before_a_slot_changed_hands() {
    for key in 0..8u64 {
        let mut world = World::with_gateways(key, 2, &[1], Some(TERMS));
        world.is_swift = true;
        let tenant = world.loops[0].open(TENANT).unwrap();
        let name = format!("key-{key}");
        let get = Op::Get(Get::plain(name.as_bytes()));
        let store = Op::Store(set(name.as_bytes(), b"1"));
        pass(&mut world, 50 * MS, |_| ());
        world.loops[0].execute(&tenant, world.now, &store, &mut Taken(None));
        for _ in 0..2000 {
            world.loops[0].execute(&tenant, world.now, &get, &mut Taken(None));
            pass(&mut world, MS, |_| ());
        }
        let ask = |world: &mut World| {
            let mut taken = Taken(None);
            let execution = world.loops[0].execute(&tenant, world.now, &get, &mut taken);
            (execution, taken.0)
        };
        // Whoever comes first may be sent for the next answer.
        ask(&mut world);
        let (before, value) = ask(&mut world);
        assert_eq!(
            (before, value),
            (Execution::Done(Outcome::Hit), Some(b"1".to_vec()))
        );
        for next in steps() {
            let slot = next.hasher.tenant(TENANT).slot(name.as_bytes());
            let moved = next.ring.holding(slot);
            world.learn(&next);
            let is_kept = moved.epoch == steps()[0].ring.holding(slot).epoch
                && next.ring.moving().iter().all(|step| step.slot != slot);
            let (after, _) = ask(&mut world);
            assert_eq!(after == Execution::Done(Outcome::Hit), is_kept, "{after:?}");
        }
    }
}

/// The fleet as it is, as a change is announced, and as it is made: all of the first node's slots go.
fn steps() -> [FleetView; 3] {
    let first = view(&[1, 2].map(MemberId), Some(TERMS));
    let weights: Weights = [(MemberId(2), 1)].into();
    let announced = first.ring.propose(&weights).unwrap().unwrap();
    let made = announced.commit().unwrap();
    let with = |ring| FleetView {
        ring: Arc::new(ring),
        ..first.clone()
    };
    [first.clone(), with(announced), with(made)]
}
