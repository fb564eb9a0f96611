//! The store in a real etcd: the suite, certificates, and etcd killed, cut off and back again.

use std::sync::mpsc;

use super::super::conformance;
use super::super::etcd_server::EtcdServer;
use super::super::{EtcdTls, Follower, Known, Source, connect};
use super::*;
use crate::Clock;

const LONG: Duration = Duration::from_secs(20);

fn server() -> Option<EtcdServer> {
    let server = EtcdServer::start();
    if server.is_none() {
        eprintln!(
            "NOT TESTED: etcd is missing (Debian's etcd-server; scripts/test.sh installs it)"
        );
    }
    server
}

#[test]
fn it_is_a_store() {
    let Some(server) = server() else {
        return;
    };
    let store: Arc<dyn Store> = server.connect();
    conformance::check(&store);
    // Fleets that share an etcd do not see each other.
    let other = connect(&server.config(), "other").unwrap();
    assert!(other.range("", Detail::Keys).unwrap().entries.is_empty());
}

#[test]
fn only_who_has_the_right_certificates_gets_in() {
    let Some(server) = server() else {
        return;
    };
    let range = |config| connect(&config, "test").unwrap().range("", Detail::Keys);
    let config = server.config();
    let tls = config.tls.clone().unwrap();
    assert!(range(config.clone()).is_ok());
    let with = |tls| EtcdConfig {
        tls: Some(tls),
        ..config.clone()
    };
    let nobody = with(EtcdTls {
        identity: None,
        ..tls.clone()
    });
    assert!(matches!(range(nobody), Err(StoreError::Unavailable(_))));
    let stranger = with(EtcdTls {
        authority: tls.identity.unwrap().0,
        identity: None,
    });
    assert!(matches!(range(stranger), Err(StoreError::Unavailable(_))));
}

#[test]
fn an_endpoint_that_is_down_is_passed_over() {
    let Some(server) = server() else {
        return;
    };
    let mut config = server.config();
    config.endpoints.insert(0, "https://127.0.0.1:1".to_owned());
    let store = connect(&config, "test").unwrap();
    for _ in 0..3 {
        assert!(store.range("", Detail::Keys).is_ok());
    }
}

#[test]
fn what_cannot_work_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.pem");
    let tls = |authority: std::path::PathBuf| EtcdTls {
        authority,
        identity: None,
    };
    let config = |endpoint: &str, tls| {
        let endpoints = vec![endpoint.to_owned()];
        let error = connect(&EtcdConfig { endpoints, tls }, "test").unwrap_err();
        assert!(matches!(error, StoreError::Config(_)), "{error}");
        error.to_string()
    };
    assert!(config("http://10.0.0.1:2379", None).contains("use https"));
    assert!(config("http://etcd.example:2379", None).contains("use https"));
    assert!(config("https://10.0.0.1:2379", None).contains("authority"));
    assert!(config("ftp://10.0.0.1", None).contains("neither"));
    assert!(config("10.0.0.1", None).contains("10.0.0.1"));
    let said = config("https://10.0.0.1:2379", Some(tls(missing.clone())));
    assert!(said.contains("missing.pem"), "{said}");
    std::fs::write(&missing, "nothing").unwrap();
    let said = config("https://10.0.0.1:2379", Some(tls(missing)));
    assert!(said.contains("no certificate"), "{said}");
    let none = EtcdConfig {
        endpoints: Vec::new(),
        tls: None,
    };
    assert!(connect(&none, "test").is_err());
    for loopback in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
        let endpoints = vec![loopback.to_owned()];
        let store = connect(
            &EtcdConfig {
                endpoints,
                tls: None,
            },
            "test",
        )
        .unwrap();
        assert!(matches!(store.grant(LONG), Err(StoreError::Unavailable(_))));
    }
}

/// What a follower says, as it says it.
fn follow(store: Arc<dyn Store>) -> (Follower, mpsc::Receiver<Known>) {
    let (say, hear) = mpsc::channel();
    let woken = move |known: &Known| drop(say.send(known.clone()));
    let follower = Follower::start(store, "ring", Clock::new(), woken).unwrap();
    (follower, hear)
}

fn until(hear: &mpsc::Receiver<Known>, wanted: impl Fn(&Known) -> bool) -> Known {
    loop {
        let known = hear.recv_timeout(LONG).expect("the follower says nothing");
        if wanted(&known) {
            return known;
        }
    }
}

fn has(known: &Known, value: &str) -> bool {
    let ring = known.snapshot.get("ring");
    known.trouble.is_none() && ring.is_some_and(|entry| entry.value == value.as_bytes())
}

#[test]
fn a_killed_etcd_leaves_the_last_state_and_its_age() {
    let Some(mut server) = server() else {
        return;
    };
    let store = server.connect();
    store.commit(&Change::default().put("ring", "1")).unwrap();
    let (follower, hear) = follow(store.clone());
    let before = until(&hear, |known| has(known, "1"));
    server.kill();
    let during = until(&hear, |known| known.trouble.is_some());
    assert_eq!(during.snapshot.get("ring").unwrap().value, b"1");
    assert!(during.source >= before.source);
    let Source::Store(asked_at) = during.source else {
        panic!("it has forgotten");
    };
    assert!(follower.known().age(asked_at + LONG) <= Some(LONG));
    server.resume();
    store.commit(&Change::default().put("ring", "2")).unwrap();
    let after = until(&hear, |known| has(known, "2"));
    assert!(after.source > during.source);
}

#[test]
fn a_cut_off_etcd_is_noticed_and_nobody_waits_for_it() {
    let Some(server) = server() else {
        return;
    };
    let store = server.connect();
    store.commit(&Change::default().put("ring", "1")).unwrap();
    let (follower, hear) = follow(store.clone());
    until(&hear, |known| has(known, "1"));
    server.freeze();
    let during = until(&hear, |known| known.trouble.is_some());
    assert_eq!(follower.known().snapshot, during.snapshot);
    server.thaw();
    until(&hear, |known| has(known, "1"));
    store.commit(&Change::default().put("ring", "2")).unwrap();
    until(&hear, |known| has(known, "2"));
}
