//! TiKV's slow score, from its documentation and that of PD's `evict-slow-store-scheduler`: every ten
//! seconds the part of requests that timed out, up to a tenth, raises a score by a factor of up to 2;
//! without any it falls by 100 in five minutes. At 100 a store is evicted if it is the only slow one,
//! and comes back when its score is 1 and a while has passed.

use std::time::Duration;

use base::Timestamp;

use super::super::scene::Scene;
use super::{Rule, RuleKind};

const TICK: Duration = Duration::from_secs(10);
const RATIO_MAX: f64 = 0.1;
const FALL_PER_TICK: f64 = 100.0 * 10.0 / 300.0;
const EVICT: f64 = 100.0;
const SLOW: f64 = 80.0;
const RECOVERY: Duration = Duration::from_secs(600);

#[derive(Clone)]
struct Store {
    score: f64,
    asked: u32,
    failed: u32,
    total: u32,
    evicted: Option<Timestamp>,
}

pub(super) struct Tikv {
    stores: Vec<Store>,
    ticked: Timestamp,
}

impl Tikv {
    pub(super) fn new(nodes: usize, start: Timestamp) -> Self {
        let store = Store {
            score: 1.0,
            asked: 0,
            failed: 0,
            total: 0,
            evicted: None,
        };
        Self {
            stores: vec![store; nodes],
            ticked: start,
        }
    }

    fn tick(&mut self, now: Timestamp) {
        for store in &mut self.stores {
            store.score = match store.failed {
                0 => (store.score - FALL_PER_TICK).max(1.0),
                failed => {
                    let ratio = f64::from(failed) / f64::from(store.asked);
                    (store.score * (1.0 + ratio.min(RATIO_MAX) / RATIO_MAX)).min(100.0)
                }
            };
            (store.asked, store.failed) = (0, 0);
            let is_over = store.evicted.is_some_and(|at| now.since(at) >= RECOVERY);
            if is_over && store.score <= 1.0 {
                store.evicted = None;
            }
        }
        let slow = self.stores.iter().filter(|it| it.score >= SLOW).count();
        let is_any_out = self.stores.iter().any(|it| it.evicted.is_some());
        if slow == 1 && !is_any_out {
            let worst = self.stores.iter_mut().find(|it| it.score >= EVICT);
            if let Some(store) = worst {
                store.evicted = Some(now);
                store.total += 1;
            }
        }
    }
}

impl Rule for Tikv {
    fn kind(&self) -> RuleKind {
        RuleKind::Tikv
    }

    fn round(&mut self, scene: &mut Scene) {
        for observer in 0..scene.observers() {
            for node in 0..scene.nodes() {
                let seen = scene.seen(observer, node);
                self.stores[node].asked += seen.asked;
                self.stores[node].failed += seen.failed;
            }
        }
        if scene.now().since(self.ticked) >= TICK {
            self.ticked = scene.now();
            self.tick(scene.now());
        }
    }

    fn is_out(&self, node: usize) -> bool {
        self.stores[node].evicted.is_some()
    }

    fn ejections(&self) -> f64 {
        self.stores.iter().map(|it| it.total).sum::<u32>().into()
    }

    fn ejections_of(&self, node: usize) -> f64 {
        self.stores[node].total.into()
    }
}
