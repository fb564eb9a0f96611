//! A rule that is broken is told for as long as it is, and not at its very edge again and again.

use super::*;
use crate::alerts::AlertRule;
use crate::plane::Totals;
use base::TrafficLimits;
use base::kv::Stats;
use gateway::{ConnectionFigures, Delays};

struct World {
    now: Timestamp,
    rules: RulesByTenant,
    cache: Stats,
    watch: AlertWatch,
}

impl World {
    fn new(rule: AlertRule) -> Self {
        Self {
            now: Timestamp::from_secs(1_000_000),
            rules: RulesByTenant::from([(1, rule)]),
            cache: Stats::default(),
            watch: AlertWatch::default(),
        }
    }

    fn hits(percent: u8) -> Self {
        Self::new(AlertRule {
            hit_ratio_min_percent: Some(percent),
            ..AlertRule::default()
        })
    }

    fn look(&mut self) -> Vec<Signal> {
        let tenant = |id, name: &str| TenantReading {
            id: TenantId(id),
            name: Arc::from(name),
            traffic: TrafficLimits::default(),
            cache: self.cache.clone(),
            clients: ConnectionFigures::default(),
            delays: Delays::default(),
            close_waits: 0,
        };
        let reading = Reading {
            at: self.now,
            // The other one has no rule, and nothing is said of it.
            tenants: vec![tenant(1, "acme"), tenant(2, "globex")],
            totals: Totals::default(),
            loop_ages: Vec::new(),
            fleet: None,
        };
        self.now = self.now + Duration::from_secs(1);
        self.watch.observe(&self.rules, &reading)
    }

    fn run(&mut self, seconds: u32, hits: u64, misses: u64) -> Vec<Signal> {
        let mut last = Vec::new();
        for _ in 0..seconds {
            self.cache.get_hits += hits;
            self.cache.get_misses += misses;
            last = self.look();
        }
        last
    }
}

#[test]
fn too_few_hits_are_told_after_a_minute_of_them() {
    let mut world = World::hits(80);
    assert_eq!(world.run(50, 50, 50), []);
    let told = world.run(15, 50, 50);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, EventKind::HitRatioLow);
    assert!(told[0].sentence.contains("50.0 %") && told[0].sentence.contains("80 %"));
    assert_eq!(told[0].tenant.as_deref(), Some("acme"));
    assert_eq!(world.run(61, 95, 5), []);
}

#[test]
fn at_the_very_edge_it_is_told_once() {
    let mut world = World::hits(80);
    world.run(70, 79, 21);
    assert_eq!(
        world.run(70, 81, 19).len(),
        1,
        "within the margin it goes on"
    );
    assert_eq!(world.run(70, 83, 17), []);
    assert_eq!(world.run(70, 81, 19), [], "and does not come back there");
}

#[test]
fn hardly_any_reads_and_figures_that_were_set_back_say_nothing() {
    let mut world = World::hits(80);
    assert_eq!(world.run(120, 0, 1), [], "60 reads in the minute");
    assert_eq!(world.run(70, 0, 10).len(), 1);
    world.cache = Stats::default();
    assert_eq!(world.run(30, 0, 10), []);
}

#[test]
fn memory_above_its_mark_is_told_until_it_is_well_below() {
    let mut world = World::new(AlertRule {
        memory_max_percent: Some(90),
        ..AlertRule::default()
    });
    world.cache.quota_bytes = 1000;
    let mut at = |held: u64| {
        world.cache.held_bytes = held;
        world.look()
    };
    assert_eq!(at(899), []);
    assert_eq!(at(900)[0].kind, EventKind::MemoryNearlyFull);
    assert_eq!(at(889).len(), 1);
    assert_eq!(at(879), []);
    assert_eq!(at(889), []);
    world.rules.clear();
    world.cache.held_bytes = 1000;
    assert_eq!(world.look(), []);
}
