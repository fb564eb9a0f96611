//! mcrouter's TKO, from its wiki ("Features", "Command line options"): three timeouts in a row mark a
//! destination as down; a probe, `version`, after 10 s and then ever later up to 60 s brings it back
//! when it is answered. Each router decides for itself, and there is no cap.

use std::time::Duration;

use base::Timestamp;

use super::super::scene::Scene;
use super::{Rule, RuleKind};

const TIMEOUTS: u32 = 3;
const PROBE_FIRST: Duration = Duration::from_secs(10);
const PROBE_LAST: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Destination {
    in_a_row: u32,
    total: u32,
    probe: Option<(Timestamp, Duration)>,
}

pub(super) struct Mcrouter {
    nodes: usize,
    routers: Vec<Vec<Destination>>,
}

impl Mcrouter {
    pub(super) fn new(nodes: usize, observers: usize) -> Self {
        Self {
            nodes,
            routers: vec![vec![Destination::default(); nodes]; observers],
        }
    }
}

impl Rule for Mcrouter {
    fn kind(&self) -> RuleKind {
        RuleKind::Mcrouter
    }

    fn round(&mut self, scene: &mut Scene) {
        let now = scene.now();
        for (place, destinations) in self.routers.iter_mut().enumerate() {
            for (node, destination) in destinations.iter_mut().enumerate() {
                if let Some((at, wait)) = destination.probe {
                    if now >= at {
                        let seen = scene.seen_of_probes(place, node, 0.1);
                        let is_answered = seen.asked > seen.failed;
                        let wait = (wait * 3 / 2).min(PROBE_LAST);
                        destination.probe = (!is_answered).then_some((now + wait, wait));
                    }
                    continue;
                }
                let seen = scene.seen(place, node);
                destination.in_a_row = match seen.failed {
                    failed if failed == seen.asked => destination.in_a_row + failed,
                    _ => seen.failed_in_a_row,
                };
                if destination.in_a_row >= TIMEOUTS {
                    destination.in_a_row = 0;
                    destination.total += 1;
                    destination.probe = Some((now + PROBE_FIRST, PROBE_FIRST));
                }
            }
        }
    }

    fn is_out(&self, node: usize) -> bool {
        let out = self.routers.iter().filter(|it| it[node].probe.is_some());
        2 * out.count() > self.routers.len()
    }

    fn ejections(&self) -> f64 {
        (0..self.nodes).map(|node| self.ejections_of(node)).sum()
    }

    fn ejections_of(&self, node: usize) -> f64 {
        let all: u32 = self.routers.iter().map(|it| it[node].total).sum();
        f64::from(all) / self.routers.len() as f64
    }
}
