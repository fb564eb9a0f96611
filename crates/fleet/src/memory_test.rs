//! Memory goes where a tenant's bytes are, and all nodes together never may hold more than the quota and
//! a tenth, however late they hear.

use base::rng::Rng;

use super::*;

const TENANT: TenantId = TenantId(7);
const MIB: u64 = 1 << 20;
const LEAST: u64 = 2 * MIB;

/// A node that would hold so much if it might, and gives back by and by.
struct Node {
    id: MemberId,
    wants: u64,
    quota: u64,
    held: u64,
    /// What it was told and has yet to hear.
    on_the_way: Vec<u64>,
}

struct Fleet {
    parts: Parts,
    wanted: Wanted,
    nodes: Vec<Node>,
}

impl Fleet {
    fn new(quota_bytes: u64, slots: &[u64], wants: &[u64]) -> Self {
        let ids = (1..).map(MemberId);
        let wanted = Wanted {
            quota_bytes,
            least_bytes: LEAST,
            slots: ids.clone().zip(slots.iter().copied()).collect(),
        };
        let nodes = ids.zip(wants).map(|(id, wants)| {
            let quota = wanted.of_ring(id) + LEAST;
            Node {
                id,
                wants: *wants,
                quota,
                held: quota.min(*wants),
                on_the_way: Vec::new(),
            }
        });
        Self {
            parts: Parts::default(),
            nodes: nodes.collect(),
            wanted,
        }
    }

    fn step(&mut self) {
        let seen = |_, id| {
            let node = self.nodes.iter().find(|node| node.id == id)?;
            Some(Seen {
                live_bytes: node.held.min(node.wants),
                held_bytes: node.held,
                quota_bytes: node.quota,
                is_evicting: node.wants > node.held,
            })
        };
        let wanted = BTreeMap::from([(TENANT, self.wanted.clone())]);
        self.parts = self.parts.next(&wanted, seen);
        let told = self.parts.of(TENANT, &self.wanted);
        for node in &mut self.nodes {
            let of_ring = self.wanted.of_ring(node.id) + LEAST;
            let part = told.as_ref().map_or(of_ring, |parts| parts[&node.id]);
            node.on_the_way.push(part);
        }
    }

    /// Nodes hear some of what they were told, and give back some of what they hold too much.
    fn live(&mut self, rng: &mut Rng) {
        for node in &mut self.nodes {
            if rng.below(3) > 0 && !node.on_the_way.is_empty() {
                // The latest of all that has come; it comes in order.
                let heard = 1 + rng.below(node.on_the_way.len() as u64) as usize;
                node.quota = node.on_the_way.drain(..heard).next_back().unwrap();
            }
            let goal = node.quota.min(node.wants);
            node.held = match node.held > goal {
                true => node.held - (node.held - goal).min(rng.below(40 * MIB)),
                false => node.held + (goal - node.held).min(rng.below(40 * MIB)),
            };
        }
    }

    fn check_sum(&self, seed: u64) {
        let may_hold = self.nodes.iter().map(|node| node.quota.max(node.held));
        let sum: u64 = may_hold.sum();
        // Marks, and rounding.
        let most = self.wanted.quota_bytes / 10 * 11 + 256 * self.nodes.len() as u64;
        assert!(
            sum <= most,
            "seed {seed}: {sum} of {}",
            self.wanted.quota_bytes
        );
    }

    fn live_bytes(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| node.held.min(node.wants))
            .sum()
    }
}

#[test]
fn a_node_that_is_full_gets_what_others_do_not_need() {
    let mut fleet = Fleet::new(
        400 * MIB,
        &[1024; 4],
        &[300 * MIB, 20 * MIB, 20 * MIB, 20 * MIB],
    );
    let mut rng = Rng::new(1);
    let before = fleet.live_bytes();
    for _ in 0..200 {
        fleet.step();
        fleet.live(&mut rng);
        fleet.check_sum(1);
    }
    assert!(
        before <= 160 * MIB && fleet.live_bytes() > 340 * MIB,
        "{}",
        fleet.live_bytes()
    );
}

#[test]
fn where_all_are_full_or_none_is_the_ring_decides() {
    for wants in [[500 * MIB; 4], [50 * MIB; 4]] {
        let mut fleet = Fleet::new(400 * MIB, &[1024; 4], &wants);
        let mut rng = Rng::new(2);
        for _ in 0..20 {
            fleet.step();
            fleet.live(&mut rng);
            assert_eq!(fleet.parts, Parts::default());
        }
    }
}

#[test]
fn once_all_is_even_again_nothing_stays_written_down() {
    let mut fleet = Fleet::new(
        400 * MIB,
        &[1024, 2048, 1024],
        &[300 * MIB, 50 * MIB, 30 * MIB],
    );
    let mut rng = Rng::new(3);
    for _ in 0..100 {
        fleet.step();
        fleet.live(&mut rng);
    }
    assert_ne!(fleet.parts, Parts::default());
    for node in &mut fleet.nodes {
        node.wants = 500 * MIB;
    }
    for _ in 0..200 {
        fleet.step();
        fleet.live(&mut rng);
        fleet.check_sum(3);
    }
    assert_eq!(fleet.parts, Parts::default());
}

#[test]
fn a_quota_that_is_cut_holds_at_once() {
    let mut fleet = Fleet::new(400 * MIB, &[1024; 2], &[350 * MIB, 10 * MIB]);
    let mut rng = Rng::new(4);
    for _ in 0..100 {
        fleet.step();
        fleet.live(&mut rng);
    }
    assert!(fleet.parts.of(TENANT, &fleet.wanted).is_some());
    fleet.wanted.quota_bytes = 100 * MIB;
    assert_eq!(fleet.parts.of(TENANT, &fleet.wanted), None);
    // And the parts find a new balance below it.
    for node in &mut fleet.nodes {
        node.on_the_way.clear();
        node.quota = 50 * MIB;
        node.held = node.held.min(50 * MIB);
    }
    for _ in 0..200 {
        fleet.step();
        fleet.live(&mut rng);
        fleet.check_sum(4);
    }
    assert!(fleet.live_bytes() > 70 * MIB, "{}", fleet.live_bytes());
}

#[test]
fn what_is_too_little_to_be_divided_follows_the_ring() {
    let mut fleet = Fleet::new(5 * MIB, &[1024; 4], &[50 * MIB, 0, 0, 0]);
    fleet.step();
    assert_eq!(fleet.parts, Parts::default());
    assert_eq!(fleet.parts.of(TENANT, &fleet.wanted), None);
}

#[test]
fn the_sum_stays_within_a_tenth_whatever_tenants_do_and_nodes_come_and_go() {
    let mut written = 0;
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let count = 2 + rng.below(6) as usize;
        let slots: Vec<u64> = (0..count).map(|_| 200 + rng.below(2000)).collect();
        let quota = (20 + rng.below(800)) * MIB;
        let wants: Vec<u64> = (0..count).map(|_| rng.below(quota)).collect();
        let mut fleet = Fleet::new(quota, &slots, &wants);
        for _ in 0..120 {
            if rng.below(10) == 0 {
                let at = rng.below(count as u64) as usize;
                fleet.nodes[at].wants = rng.below(quota);
            }
            fleet.step();
            fleet.live(&mut rng);
            fleet.check_sum(seed);
            written += usize::from(fleet.parts != Parts::default());
        }
    }
    assert!(written > 5000, "{written}");
}

#[test]
fn what_is_written_down_can_be_read() {
    let mut fleet = Fleet::new(400 * MIB, &[1024; 2], &[350 * MIB, 10 * MIB]);
    fleet.step();
    let text = serde_json::to_string(&fleet.parts).unwrap();
    assert_eq!(serde_json::from_str::<Parts>(&text).unwrap(), fleet.parts);
}
