//! What every store does, whichever it is: one suite, run by the tests of each implementation.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Change, Commit, Detail, Revision, Store, StoreError};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

/// All of it, on a store that is empty.
pub(super) fn check(store: &Arc<dyn Store>) {
    reads_what_was_written(store.as_ref());
    compares_before_it_writes(store.as_ref());
    changes_are_whole_or_not_at_all(store.as_ref());
    one_of_many_wins(store);
    prefixes_are_apart(store.as_ref());
    waits_for_a_change(store);
    leases_take_their_keys_along(store.as_ref());
    leases_end_by_themselves(store);
    large_values_fit(store.as_ref());
}

pub(super) fn made(commit: Commit) -> Revision {
    match commit {
        Commit::Made(revision) => revision,
        Commit::Lost => panic!("the change was lost"),
    }
}

fn put(store: &dyn Store, key: &str, value: &str) -> Revision {
    made(store.commit(&Change::default().put(key, value)).unwrap())
}

fn value(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    let snapshot = store.range(key, Detail::Values).unwrap();
    snapshot.get(key).map(|entry| entry.value.clone())
}

fn reads_what_was_written(store: &dyn Store) {
    assert!(store.range("", Detail::Values).unwrap().entries.is_empty());
    let first = put(store, "read/a", "1");
    let second = put(store, "read/b", "2");
    assert!(second > first);
    let snapshot = store.range("read/", Detail::Values).unwrap();
    assert_eq!(snapshot.revision, second);
    let entries = snapshot.entries.iter();
    let seen: Vec<_> = entries.map(|e| (e.key.as_str(), e.revision)).collect();
    assert_eq!(seen, [("read/a", first), ("read/b", second)]);
    assert_eq!(snapshot.get("read/b").unwrap().value, b"2");
    let keys = store.range("read/", Detail::Keys).unwrap();
    assert_eq!(keys.entries.len(), 2);
    assert!(keys.entries.iter().all(|entry| entry.value.is_empty()));
    let third = put(store, "read/a", "3");
    let changed = store.range("read/a", Detail::Values).unwrap();
    assert_eq!(changed.get("read/a").unwrap().revision, third);
    made(store.commit(&Change::default().delete("read/a")).unwrap());
    assert_eq!(value(store, "read/a"), None);
}

fn compares_before_it_writes(store: &dyn Store) {
    let create = Change::default()
        .only_if("cas", Revision(0))
        .put("cas", "1");
    let first = made(store.commit(&create).unwrap());
    assert_eq!(store.commit(&create).unwrap(), Commit::Lost);
    let replace = |at| Change::default().only_if("cas", at).put("cas", "2");
    let second = made(store.commit(&replace(first)).unwrap());
    assert_eq!(store.commit(&replace(first)).unwrap(), Commit::Lost);
    assert_eq!(value(store, "cas"), Some(b"2".to_vec()));
    let wrong = Change::default().only_if("cas", first).delete("cas");
    assert_eq!(store.commit(&wrong).unwrap(), Commit::Lost);
    let right = Change::default().only_if("cas", second).delete("cas");
    made(store.commit(&right).unwrap());
    made(store.commit(&create).unwrap());
}

fn changes_are_whole_or_not_at_all(store: &dyn Store) {
    let at = put(store, "whole/a", "1");
    let both = |at| {
        let change = Change::default().only_if("whole/a", at);
        let change = change.only_if("whole/b", Revision(0));
        change.put("whole/a", "2").put("whole/b", "2")
    };
    let wrong = both(Revision(at.0 + 1));
    assert_eq!(store.commit(&wrong).unwrap(), Commit::Lost);
    assert_eq!(value(store, "whole/a"), Some(b"1".to_vec()));
    assert_eq!(value(store, "whole/b"), None);
    let revision = made(store.commit(&both(at)).unwrap());
    let snapshot = store.range("whole/", Detail::Keys).unwrap();
    assert!(snapshot.entries.iter().all(|e| e.revision == revision));
}

fn one_of_many_wins(store: &Arc<dyn Store>) {
    const ROUNDS: usize = 25;
    put(store.as_ref(), "count", "0");
    let count = |store: &dyn Store| loop {
        let snapshot = store.range("count", Detail::Values).unwrap();
        let entry = snapshot.get("count").unwrap();
        let number: usize = String::from_utf8_lossy(&entry.value).parse().unwrap();
        let change = Change::default().only_if("count", entry.revision);
        let change = change.put("count", (number + 1).to_string());
        if store.commit(&change).unwrap() != Commit::Lost {
            break;
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..ROUNDS).for_each(|_| count(store.as_ref())));
        }
    });
    let total = (4 * ROUNDS).to_string();
    assert_eq!(value(store.as_ref(), "count"), Some(total.into_bytes()));
}

fn prefixes_are_apart(store: &dyn Store) {
    for key in ["p/a", "p/b", "p0", "p", "q/a", "P/a", "p/_", "p/%"] {
        put(store, key, "x");
    }
    let snapshot = store.range("p/", Detail::Keys).unwrap();
    let keys: Vec<_> = snapshot.entries.iter().map(|e| e.key.as_str()).collect();
    assert_eq!(keys, ["p/%", "p/_", "p/a", "p/b"]);
    assert!(store.range("", Detail::Keys).unwrap().entries.len() >= 8);
}

fn waits_for_a_change(store: &Arc<dyn Store>) {
    let before = put(store.as_ref(), "wait/a", "1");
    assert!(!store.wait("wait/", before, SHORT).unwrap());
    put(store.as_ref(), "elsewhere", "1");
    assert!(
        !store.wait("wait/", before, SHORT).unwrap(),
        "not in this prefix"
    );
    // What happened before the question counts too.
    let written = put(store.as_ref(), "wait/b", "1");
    assert!(store.wait("wait/", before, LONG).unwrap());
    made(store.commit(&Change::default().delete("wait/b")).unwrap());
    assert!(
        store.wait("wait/", written, LONG).unwrap(),
        "a removal is a change"
    );
    let now = store.range("wait/", Detail::Keys).unwrap().revision;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.wait("wait/", now, LONG).unwrap());
        put(store.as_ref(), "wait/c", "1");
        assert!(waiting.join().unwrap());
    });
}

fn leases_take_their_keys_along(store: &dyn Store) {
    let lease = store.grant(Duration::from_secs(60)).unwrap();
    let other = store.grant(Duration::from_secs(60)).unwrap();
    assert_ne!(lease, other);
    let change = Change::default().put_leased("lease/a", "1", lease);
    let change = change.put_leased("lease/b", "1", other).put("lease/c", "1");
    let before = made(store.commit(&change).unwrap());
    assert!(store.keep_alive(lease).unwrap());
    store.revoke(lease).unwrap();
    store.revoke(lease).unwrap();
    assert!(!store.keep_alive(lease).unwrap());
    assert!(store.wait("lease/", before, LONG).unwrap());
    let snapshot = store.range("lease/", Detail::Keys).unwrap();
    let keys: Vec<_> = snapshot.entries.iter().map(|e| e.key.as_str()).collect();
    assert_eq!(keys, ["lease/b", "lease/c"]);
    let late = Change::default()
        .put("lease/d", "1")
        .put_leased("lease/a", "1", lease);
    assert!(matches!(store.commit(&late), Err(StoreError::Refused(_))));
    assert_eq!(value(store, "lease/d"), None);
    // Written anew without it, a key no longer ends with its lease.
    put(store, "lease/b", "2");
    store.revoke(other).unwrap();
    assert_eq!(value(store, "lease/b"), Some(b"2".to_vec()));
}

/// Takes as long as the shortest lease of the store, which for etcd is some seconds.
fn leases_end_by_themselves(store: &Arc<dyn Store>) {
    let lease = store.grant(Duration::from_secs(1)).unwrap();
    let change = Change::default().put_leased("mortal", "1", lease);
    let before = made(store.commit(&change).unwrap());
    assert!(value(store.as_ref(), "mortal").is_some());
    assert!(store.wait("mortal", before, LONG).unwrap());
    assert_eq!(value(store.as_ref(), "mortal"), None);
    assert!(!store.keep_alive(lease).unwrap());
}

fn large_values_fit(store: &dyn Store) {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    made(
        store
            .commit(&Change::default().put("large", bytes.clone()))
            .unwrap(),
    );
    assert_eq!(value(store, "large"), Some(bytes));
}
