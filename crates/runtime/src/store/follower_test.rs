//! A follower over a store that answers, or not, as the test wants.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use super::*;
use crate::state::State;
use crate::store::{Change, Commit, LeaseId, LocalStore, Revision};

const LONG: Duration = Duration::from_secs(20);

/// The embedded store behind a switch.
#[derive(Debug)]
struct Switched {
    inner: LocalStore,
    down: AtomicBool,
    fetched: AtomicUsize,
}

impl Switched {
    fn up(&self) -> Result<&LocalStore, StoreError> {
        if self.down.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("switched off".to_owned()));
        }
        Ok(&self.inner)
    }
}

impl Store for Switched {
    fn range(&self, prefix: &str, detail: Detail) -> Result<Snapshot, StoreError> {
        if detail == Detail::Values {
            self.fetched.fetch_add(1, Ordering::AcqRel);
        }
        self.up()?.range(prefix, detail)
    }

    fn commit(&self, change: &Change) -> Result<Commit, StoreError> {
        self.up()?.commit(change)
    }

    fn wait(&self, prefix: &str, after: Revision, patience: Duration) -> Result<bool, StoreError> {
        // So that tests see several questions without waiting for seconds.
        self.up()?.wait(prefix, after, patience / 20)
    }

    fn grant(&self, ttl: Duration) -> Result<LeaseId, StoreError> {
        self.up()?.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<bool, StoreError> {
        self.up()?.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.up()?.revoke(lease)
    }
}

struct Rig {
    _dir: tempfile::TempDir,
    store: Arc<Switched>,
    hear: mpsc::Receiver<Known>,
    follower: Follower,
}

fn rig(down: bool) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(State::open(dir.path()).unwrap());
    let store = Arc::new(Switched {
        inner: LocalStore::new(state, Clock::new()).unwrap(),
        down: AtomicBool::new(down),
        fetched: AtomicUsize::new(0),
    });
    let (say, hear) = mpsc::channel();
    let woken = move |known: &Known| drop(say.send(known.clone()));
    let follower = Follower::start(store.clone(), "a/", Clock::new(), woken).unwrap();
    Rig {
        _dir: dir,
        store,
        hear,
        follower,
    }
}

impl Rig {
    fn until(&self, wanted: impl Fn(&Known) -> bool) -> Known {
        loop {
            let known = self.hear.recv_timeout(LONG).unwrap();
            if wanted(&known) {
                return known;
            }
        }
    }
}

#[test]
fn what_changes_is_handed_on_and_what_does_not_is_not_fetched_again() {
    let rig = rig(false);
    rig.until(|known| known.source != Source::Nobody);
    rig.store
        .commit(&Change::default().put("a/1", "x"))
        .unwrap();
    let known = rig.until(|known| known.snapshot.get("a/1").is_some());
    assert_eq!(known.snapshot.get("a/1").unwrap().value, b"x");
    let fetched = rig.store.fetched.load(Ordering::Acquire);
    let later = rig.until(|later| later.source > known.source);
    rig.until(|even_later| even_later.source > later.source);
    assert_eq!(rig.store.fetched.load(Ordering::Acquire), fetched);
    rig.store.commit(&Change::default().delete("a/1")).unwrap();
    rig.until(|known| known.snapshot.get("a/1").is_none());
    assert_eq!(rig.follower.known().snapshot.entries.len(), 0);
}

#[test]
fn a_store_that_fails_costs_age_and_nothing_else() {
    let rig = rig(false);
    rig.store
        .commit(&Change::default().put("a/1", "x"))
        .unwrap();
    rig.until(|known| known.snapshot.get("a/1").is_some());
    rig.store.down.store(true, Ordering::Release);
    let first = rig.until(|known| known.trouble.is_some());
    let second = rig.until(|known| known.trouble.is_some());
    assert_eq!(first.trouble, second.trouble, "since when it is so stays");
    assert_eq!(first.source, second.source);
    assert_eq!(second.snapshot.get("a/1").unwrap().value, b"x");
    assert!(second.trouble.unwrap().1.contains("switched off"));
    rig.store.down.store(false, Ordering::Release);
    let back = rig.until(|known| known.trouble.is_none());
    assert!(back.source > first.source);
}

#[test]
fn a_store_that_was_never_there_is_known_as_nobody() {
    let rig = rig(true);
    let known = rig.until(|known| known.trouble.is_some());
    assert_eq!(known.source, Source::Nobody);
    assert_eq!(known.age(Timestamp::MAX), None);
    rig.store.down.store(false, Ordering::Release);
    let known = rig.until(|known| known.source != Source::Nobody);
    let Source::Store(at) = known.source else {
        panic!("nobody");
    };
    assert_eq!(known.age(at + LONG), Some(LONG));
}
