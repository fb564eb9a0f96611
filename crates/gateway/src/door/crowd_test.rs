//! Whose connections go when all places are taken, by weight, and that nobody is bounded before.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{TenantId, Timestamp, TrafficLimits};

use super::super::Passage;
use super::Gate;
use crate::Figures;
use crate::directory::{Directory, Tenant};

const T0: Timestamp = Timestamp::from_secs(1_000_000);
const PLACES: usize = 100;

/// A gate before a server that closes at once what it is asked to.
struct Server {
    gate: Gate,
    figures: Arc<Figures>,
    directory: Directory,
    open: BTreeMap<u32, u32>,
    now: Timestamp,
}

fn server(weights: &[u32]) -> Server {
    let tenants = weights.iter().zip(1..).map(|(weight, id)| Tenant {
        id: TenantId(id),
        name: format!("t{id}").into(),
        item_size_max: 1 << 20,
        traffic: TrafficLimits {
            weight: *weight,
            ..TrafficLimits::default()
        },
    });
    let figures = Arc::new(Figures::new(1));
    Server {
        gate: Gate::new(Arc::clone(&figures), PLACES),
        figures,
        directory: Directory::new(tenants, []),
        open: BTreeMap::new(),
        now: T0,
    }
}

impl Server {
    fn connect(&mut self, tenant: u32) -> Passage {
        let taken: u32 = self.open.values().sum();
        self.gate.crowd.taken = taken as usize;
        self.now = self.now + std::time::Duration::from_micros(1);
        let passage = self.gate.pass(self.now, TenantId(tenant), &self.directory);
        if passage == Passage::In {
            *self.open.entry(tenant).or_default() += 1;
        }
        passage
    }

    /// Closes what was asked for; whose they were.
    fn displace(&mut self) -> Vec<u32> {
        let mut from = Vec::new();
        while let Some(TenantId(tenant)) = self.gate.crowd.next_displaced() {
            self.answer(tenant);
            self.end(tenant);
            from.push(tenant);
        }
        from
    }

    fn answer(&mut self, tenant: u32) {
        let figures = self.figures.tenant(TenantId(tenant));
        figures.of_loop(0).displacements.add(1);
    }

    fn end(&mut self, tenant: u32) {
        self.figures
            .tenant(TenantId(tenant))
            .of_loop(0)
            .ended
            .add(1);
        *self.open.get_mut(&tenant).unwrap() -= 1;
    }

    fn connect_many(&mut self, tenant: u32, count: usize) -> usize {
        let mut let_in = 0;
        for _ in 0..count {
            let_in += usize::from(self.connect(tenant) == Passage::In);
            self.displace();
        }
        let_in
    }

    fn counts(&self) -> Vec<u32> {
        self.open.values().copied().collect()
    }
}

#[test]
fn one_tenant_may_have_every_place_and_no_more() {
    let mut server = server(&[100, 100]);
    assert_eq!(server.connect_many(1, PLACES + 50), PLACES);
    assert_eq!(server.counts(), [100]);
}

#[test]
fn who_comes_late_gets_his_share_from_who_has_most_above_it() {
    let mut server = server(&[100, 100, 100]);
    server.connect_many(1, 70);
    server.connect_many(2, 30);
    assert_eq!(server.connect_many(3, 200), 33);
    assert_eq!(server.counts(), [37, 30, 33]);
    // The second is below its share and gets what is left above it.
    assert_eq!(server.connect_many(2, 200), 3);
    assert_eq!(server.counts(), [34, 33, 33]);
    assert_eq!(server.connect_many(1, 200), 0);
}

#[test]
fn shares_go_by_weight() {
    let mut server = server(&[100, 300, 100]);
    server.connect_many(1, 100);
    assert_eq!(server.connect_many(2, 200), 75);
    assert_eq!(server.counts(), [25, 75]);
    assert_eq!(server.connect_many(3, 200), 20);
    assert_eq!(server.counts(), [20, 60, 20]);
}

#[test]
fn what_was_asked_for_is_asked_for_once() {
    let mut server = server(&[100, 100]);
    server.connect_many(1, PLACES);
    for _ in 0..10 {
        assert_eq!(server.connect(2), Passage::In);
    }
    // Ten too many are in, and ten are asked for: not one more for what was let in before.
    let asked: Vec<_> = std::iter::from_fn(|| server.gate.crowd.next_displaced()).collect();
    assert_eq!(asked, [TenantId(1); 10]);
    // They end without being closed by anybody, and the loop finds none to close.
    for _ in 0..10 {
        server.end(1);
        server.answer(1);
    }
    assert_eq!(server.connect_many(2, 100), 40);
    assert_eq!(server.counts(), [50, 50]);
}

#[test]
fn a_place_that_becomes_free_is_anybody_s() {
    let mut server = server(&[100, 100]);
    server.connect_many(1, 60);
    server.connect_many(2, 40);
    assert_eq!(server.connect(1), Passage::Full);
    server.end(2);
    assert_eq!(server.connect(1), Passage::In);
    assert_eq!(server.displace(), [0; 0]);
}

#[test]
fn a_tenant_that_was_removed_has_no_share_and_gives_way_first() {
    let mut server = server(&[100, 100, 100]);
    server.connect_many(1, 60);
    server.connect_many(2, 40);
    let tenants = server.directory.tenants().filter(|t| t.id != TenantId(2));
    server.directory = Directory::new(tenants.cloned().collect::<Vec<_>>(), []);
    assert_eq!(server.connect_many(3, 30), 30);
    assert_eq!(server.counts(), [60, 10, 30]);
}
