//! Health, metrics and events over real sockets.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use base::Timestamp;
use base::event::{Event, EventKind, EventState};
use runtime::Clock;
use runtime::http::{Endpoint, Guard, Listeners, Method, Response as Answer, Server, request};

use super::*;
use crate::api::OPEN_PATHS;
use crate::fake_plane::FakePlane;

struct Setup {
    dir: tempfile::TempDir,
    _server: Server,
    tcp: SocketAddr,
    ready: Arc<AtomicBool>,
    plane: Arc<FakePlane>,
    observatory: Arc<Observatory>,
}

fn start() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    let clock = Clock::new();
    let shared = Arc::clone(&plane);
    let observatory = Arc::new(Observatory::new(shared, clock, dir.path()));
    let ready = Arc::new(AtomicBool::new(true));
    let api = Api {
        ready: Arc::clone(&ready),
        observatory: Some(Arc::clone(&observatory)),
        ..Api::new(Arc::new(control), clock)
    };
    let any = Some("127.0.0.1:0".parse().unwrap());
    let listeners = Listeners::bind(&dir.path().join("admin.sock"), any).unwrap();
    let tcp = listeners.tcp_addr().unwrap();
    let guard = Guard {
        token: "secret".into(),
        hosts: Vec::new(),
        open_paths: OPEN_PATHS,
    };
    Setup {
        _server: listeners.serve(api.router(), guard).unwrap(),
        dir,
        tcp,
        ready,
        plane,
        observatory,
    }
}

impl Setup {
    fn get(&self, path: &str) -> Answer {
        let endpoint = Endpoint::Unix(self.dir.path().join("admin.sock"));
        request(&endpoint, Method::GET, path, None).unwrap()
    }

    fn stranger_gets(&self, path: &str) -> u16 {
        let endpoint = Endpoint::Port {
            origin: self.tcp.into(),
            token: "guess".into(),
        };
        request(&endpoint, Method::GET, path, None).unwrap().status
    }

    fn events(&self, query: &str) -> EventPage {
        let answer = self.get(&format!("/v1/events{query}"));
        assert_eq!(answer.status, 200);
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn happen(&self, id: u64, tenant: Option<&str>) {
        self.observatory.log.add(&Event {
            id,
            at: Timestamp::from_secs(1000 + id),
            onset: Timestamp::from_secs(1000),
            kind: EventKind::TenantThrottled,
            cause: "ops".into(),
            state: EventState::Began,
            tenant: tenant.map(Arc::from),
            sentence: format!("Event {id}."),
            advice: None,
            evidence: Vec::new(),
            held_back: 0,
        });
    }
}

fn ids(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.id).collect()
}

#[test]
fn health_is_open_and_metrics_are_not() {
    let setup = start();
    assert_eq!(setup.stranger_gets("/livez"), 200);
    assert_eq!(setup.stranger_gets("/readyz"), 200);
    assert_eq!(setup.stranger_gets("/metrics"), 401);
    assert_eq!(setup.stranger_gets("/v1/events"), 401);
    let page = setup.get("/metrics");
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("\ncofferdam_connections 7\n"), "{text}");
    assert!(
        text.contains("cofferdam_tenant_memory_quota_bytes{tenant=\"default\"}"),
        "{text}"
    );
}

#[test]
fn one_that_drains_is_alive_and_not_ready() {
    let setup = start();
    setup.ready.store(false, Ordering::Release);
    assert_eq!(setup.get("/livez").status, 200);
    assert_eq!(setup.get("/readyz").status, 503);
}

#[test]
fn a_dead_path_is_not_hidden() {
    let setup = start();
    let ages = |ages: &[u64]| {
        let ages = ages.iter().map(|age| Duration::from_millis(*age));
        *setup.plane.loop_ages.lock().unwrap() = ages.collect();
        (setup.get("/livez").status, setup.get("/readyz").status)
    };
    assert_eq!(ages(&[5, 999]), (200, 200));
    assert_eq!(ages(&[5, 1000]), (200, 503));
    assert_eq!(ages(&[5, 10_000]), (503, 503));
    assert_eq!(ages(&[5, 3]), (200, 200));
}

#[test]
fn events_since_and_by_tenant() {
    let setup = start();
    assert_eq!(setup.events("").next, 0);
    for id in 1..=3 {
        setup.happen(id, (id == 2).then_some("acme"));
    }
    assert_eq!(ids(&setup.events("")), [1, 2, 3]);
    let page = setup.events("?since=1");
    assert_eq!((ids(&page), page.next), (vec![2, 3], 3));
    let page = setup.events("?tenant=acme");
    assert_eq!((ids(&page), page.next), (vec![2], 3));
    assert_eq!(ids(&setup.events("?since=99")), [0u64; 0]);
    assert_eq!(setup.events("?since=99").next, 99);
    assert_eq!(setup.get("/v1/events?since=x").status, 400);
}

#[test]
fn a_long_past_is_told_page_by_page() {
    let setup = start();
    for id in 1..=2500 {
        setup.happen(id, None);
    }
    let mut page = setup.events("?since=0");
    let mut all = ids(&page);
    while !page.events.is_empty() {
        page = setup.events(&format!("?since={}", page.next));
        all.extend(ids(&page));
    }
    assert_eq!(all, (1..=2500).collect::<Vec<u64>>());
    // Without a beginning it is the latest.
    assert_eq!(ids(&setup.events("")).first(), Some(&1501));
}

#[test]
fn who_waits_is_told_at_once() {
    let setup = start();
    setup.happen(1, None);
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| setup.events("?since=1&wait_s=20"));
        setup.happen(2, None);
        assert_eq!(ids(&follower.join().unwrap()), [2]);
    });
}
