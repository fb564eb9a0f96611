//! The embedded store: the suite, and what only a file can do.

use super::super::conformance::{self, made};
use super::*;

fn open(dir: &std::path::Path) -> LocalStore {
    let state = Arc::new(State::open(dir).unwrap());
    LocalStore::new(state, Clock::new()).unwrap()
}

#[test]
fn it_is_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(dir.path()));
    conformance::check(&store);
}

#[test]
fn keys_revisions_and_leases_outlast_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let lease = store.grant(Duration::from_secs(60)).unwrap();
    let change = Change::default().put("a", "1").put_leased("b", "2", lease);
    let revision = made(store.commit(&change).unwrap());
    drop(store);
    let store = open(dir.path());
    let snapshot = store.range("", Detail::Values).unwrap();
    assert_eq!(snapshot.revision, revision);
    assert_eq!(snapshot.entries.len(), 2);
    assert!(store.keep_alive(lease).unwrap());
    let next = made(store.commit(&Change::default().put("a", "1")).unwrap());
    assert!(next > revision);
}

#[test]
fn who_asks_for_what_is_forgotten_is_told_to_look() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = made(store.commit(&Change::default().put("a", "1")).unwrap());
    assert!(!store.wait("a", first, Duration::ZERO).unwrap());
    drop(store);
    let store = open(dir.path());
    assert!(!store.wait("a", first, Duration::ZERO).unwrap());
    assert!(store.wait("a", Revision(0), Duration::ZERO).unwrap());
    let mut log = Log::default();
    log.changes.push_back((Revision(5), vec!["a".into()]));
    log.from = Revision(4);
    assert!(log.has("b", Revision(3)) && !log.has("b", Revision(4)) && log.has("a", Revision(4)));
}
