//! Envoy's outlier detection, from its documentation ("Outlier detection", defaults): five errors in
//! a row, or every ten seconds a success rate below the mean less 1.9 deviations among at least five
//! hosts with 100 requests each; out for 30 s times the number of times, at most 300 s; no more than
//! a tenth of the hosts, but one at least. Each proxy decides for itself. A timeout is an error.

use std::time::Duration;

use base::Timestamp;

use super::super::scene::Scene;
use super::{Rule, RuleKind};

const CONSECUTIVE: u32 = 5;
const INTERVAL: Duration = Duration::from_secs(10);
const HOSTS_MIN: usize = 5;
const REQUESTS_MIN: u32 = 100;
const DEVIATIONS: f64 = 1.9;
const BASE_EJECTION: Duration = Duration::from_secs(30);
const MAX_EJECTION: Duration = Duration::from_secs(300);

#[derive(Clone, Default)]
struct Host {
    in_a_row: u32,
    asked: u32,
    failed: u32,
    times: u32,
    total: u32,
    out_until: Option<Timestamp>,
}

pub(super) struct Envoy {
    nodes: usize,
    proxies: Vec<Vec<Host>>,
    looked: Timestamp,
}

impl Envoy {
    pub(super) fn new(nodes: usize, observers: usize, start: Timestamp) -> Self {
        Self {
            nodes,
            proxies: vec![vec![Host::default(); nodes]; observers],
            looked: start,
        }
    }
}

/// Takes a host out, if that many may be.
fn eject(hosts: &mut [Host], node: usize, now: Timestamp) {
    let out = hosts.iter().filter(|it| it.out_until.is_some()).count();
    if out >= (hosts.len() / 10).max(1) {
        return;
    }
    let host = &mut hosts[node];
    host.times += 1;
    host.total += 1;
    host.in_a_row = 0;
    host.out_until = Some(now + (BASE_EJECTION * host.times).min(MAX_EJECTION));
}

fn by_success_rate(hosts: &mut [Host], now: Timestamp) {
    let rate = |host: &Host| 1.0 - f64::from(host.failed) / f64::from(host.asked);
    let enough: Vec<usize> = (0..hosts.len())
        .filter(|it| hosts[*it].asked >= REQUESTS_MIN)
        .collect();
    if enough.len() >= HOSTS_MIN {
        let count = enough.len() as f64;
        let mean = enough.iter().map(|it| rate(&hosts[*it])).sum::<f64>() / count;
        let square = |it: &usize| (rate(&hosts[*it]) - mean).powi(2);
        let deviation = (enough.iter().map(square).sum::<f64>() / count).sqrt();
        for node in enough {
            if rate(&hosts[node]) < mean - DEVIATIONS * deviation {
                eject(hosts, node, now);
            }
        }
    }
    for host in hosts {
        (host.asked, host.failed) = (0, 0);
        if host.out_until.is_none() {
            host.times = host.times.saturating_sub(1);
        }
    }
}

impl Rule for Envoy {
    fn kind(&self) -> RuleKind {
        RuleKind::Envoy
    }

    fn round(&mut self, scene: &mut Scene) {
        let now = scene.now();
        let is_time = now.since(self.looked) >= INTERVAL;
        if is_time {
            self.looked = now;
        }
        for (place, hosts) in self.proxies.iter_mut().enumerate() {
            for node in 0..self.nodes {
                let host = &mut hosts[node];
                if let Some(until) = host.out_until {
                    if now >= until {
                        host.out_until = None;
                    }
                    continue;
                }
                let seen = scene.seen(place, node);
                host.asked += seen.asked;
                host.failed += seen.failed;
                host.in_a_row = match seen.failed {
                    failed if failed == seen.asked => host.in_a_row + failed,
                    _ => seen.failed_in_a_row,
                };
                if host.in_a_row >= CONSECUTIVE {
                    eject(hosts, node, now);
                }
            }
            if is_time {
                by_success_rate(hosts, now);
            }
        }
    }

    fn is_out(&self, node: usize) -> bool {
        let out = self
            .proxies
            .iter()
            .filter(|it| it[node].out_until.is_some());
        2 * out.count() > self.proxies.len()
    }

    fn ejections(&self) -> f64 {
        (0..self.nodes).map(|node| self.ejections_of(node)).sum()
    }

    fn ejections_of(&self, node: usize) -> f64 {
        let all: u32 = self.proxies.iter().map(|it| it[node].total).sum();
        f64::from(all) / self.proxies.len() as f64
    }
}
