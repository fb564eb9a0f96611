//! A client that knows what it may read: what it wrote last, or nothing.

use std::collections::HashMap;
use std::time::Duration;

use base::Timestamp;
use base::kv::{Delete, Get, Item, Op, Outcome, Sink, Store, Value};
use base::rng::Rng;
use gateway::remote::RemoteTenant;
use gateway::{Backend, Execution};
use node_proto::RequestId;

use crate::world::{DEADLINES, TENANT, World};

const KEYS: u64 = 24;
/// Deadlines are kept to within some milliseconds, as time goes on by one.
const SLACK: Duration = Duration::from_millis(6);

struct Asked {
    key: u64,
    at: Timestamp,
    /// The version that was to be stored.
    version: Option<u64>,
    is_read: bool,
}

pub(crate) struct Client {
    rng: Rng,
    keys: u64,
    /// Of ten questions.
    reads: u64,
    tenant: Option<RemoteTenant>,
    /// By key: the version written last, none if it was removed last.
    latest: HashMap<u64, Option<u64>>,
    open: HashMap<RequestId, Asked>,
    busy: [bool; KEYS as usize],
    versions: u64,
    hits: u64,
    refused: u64,
}

/// Keeps the value of an item that comes at once.
pub(crate) struct Taken(pub(crate) Option<Vec<u8>>);

impl Sink for Taken {
    fn item(&mut self, item: &Item<'_>) {
        if let Value::Inline(value) = item.value {
            self.0 = Some(value.to_vec());
        }
    }
}

impl Client {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            keys: KEYS,
            reads: 5,
            tenant: None,
            latest: HashMap::new(),
            open: HashMap::new(),
            busy: [false; KEYS as usize],
            versions: 0,
            hits: 0,
            refused: 0,
        }
    }

    /// One that reads the same few keys over and over.
    pub(crate) fn of_few_keys(seed: u64) -> Self {
        Self {
            keys: 2,
            reads: 8,
            ..Self::new(seed)
        }
    }

    /// Asks something about a key of which it has asked nothing else.
    pub(crate) fn ask(&mut self, world: &mut World) {
        let tenant = *self
            .tenant
            .get_or_insert_with(|| world.loops[0].open(TENANT).unwrap());
        for _ in 0..self.rng.below(6) {
            let key = self.rng.below(self.keys);
            if self.busy[key as usize] {
                continue;
            }
            let name = format!("key-{key}");
            self.versions += 1;
            let version = self.versions;
            let value = version.to_string();
            let kind = self.rng.below(10);
            let op = match kind {
                _ if kind < self.reads => Op::Get(Get::plain(name.as_bytes())),
                _ if kind == self.reads => Op::Delete(Delete {
                    key: name.as_bytes(),
                    compare_cas: None,
                    new_cas: None,
                    invalidate: false,
                    touch: None,
                    clear_value: false,
                }),
                _ => Op::Store(Store::plain(name.as_bytes(), value.as_bytes())),
            };
            let asked = Asked {
                key,
                at: world.now,
                version: matches!(op, Op::Store(_)).then_some(version),
                is_read: matches!(op, Op::Get(_)),
            };
            if !asked.is_read {
                self.latest.insert(key, asked.version);
            }
            let mut taken = Taken(None);
            match world.loops[0].execute(&tenant, world.now, &op, &mut taken) {
                Execution::Pending(id) => {
                    self.busy[key as usize] = true;
                    assert!(self.open.insert(id, asked).is_none(), "a name twice");
                }
                Execution::Done(outcome) => self.judge(&asked, outcome, taken.0.as_deref()),
            }
        }
    }

    /// Asks something, and looks at what has come a moment later.
    pub(crate) fn step(&mut self, world: &mut World) {
        self.ask(world);
        world.advance();
        self.check(world);
    }

    /// Looks at the answers that have come.
    pub(crate) fn check(&mut self, world: &mut World) {
        for answer in std::mem::take(&mut world.answers) {
            let asked = self
                .open
                .remove(&answer.id)
                .expect("an answer to a question, once");
            self.busy[asked.key as usize] = false;
            let took = world.now.since(asked.at);
            assert!(took <= DEADLINES.max + SLACK, "{took:?}");
            self.judge(&asked, answer.outcome, answer.value.as_deref());
        }
    }

    pub(crate) fn check_all_answered(&self) {
        assert!(self.open.is_empty(), "{} are not answered", self.open.len());
    }

    /// Hits, and changes that were refused.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.hits, self.refused)
    }

    fn judge(&mut self, asked: &Asked, outcome: Outcome, value: Option<&[u8]>) {
        match outcome {
            Outcome::Hit => {
                let latest = self.latest.get(&asked.key).copied().flatten();
                let expected = latest.map(|version| version.to_string().into_bytes());
                assert_eq!(value, expected.as_deref(), "key {}: stale", asked.key);
                self.hits += 1;
            }
            Outcome::Miss => assert!(asked.is_read),
            Outcome::Stored { .. } => assert!(asked.version.is_some()),
            Outcome::NotStored => {
                assert!(asked.version.is_some());
                // Neither the old value nor this one is to be seen again.
                self.latest.insert(asked.key, None);
                self.refused += 1;
            }
            Outcome::Deleted | Outcome::NotFound => {
                assert!(!asked.is_read && asked.version.is_none());
            }
            other => panic!("{other:?}"),
        }
    }
}
