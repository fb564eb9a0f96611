//! Who is refused while others want the loop, and who is not while nobody does, in virtual time.

use std::time::Duration;

use base::TrafficLimits;
use base::rng::Rng;

use crate::testing::NOW;
use crate::virtual_loop::VirtualLoop;

const MS: Duration = Duration::from_millis(1);

fn free(count: usize) -> Vec<TrafficLimits> {
    vec![TrafficLimits::default(); count]
}

fn sets(count: usize, len: usize) -> String {
    format!("set k 0 0 {len}\r\n{}\r\n", "x".repeat(len)).repeat(count)
}

#[test]
fn a_tenant_alone_is_refused_nothing_however_deep_its_pipelines() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let mut net = VirtualLoop::new(&free(1));
        net.request_cost = Duration::from_micros(100);
        let connections = 1 + rng.below(20);
        (0..connections).for_each(|link| net.connect(1, link));
        let mut asked = 0;
        while asked < 10_000 {
            let link = rng.below(connections);
            let count = 1 + rng.below(2000);
            match rng.below(2) {
                0 => net.send(link, "get k\r\n".repeat(count as usize)),
                _ => net.send(link, sets(count as usize, rng.below(50) as usize)),
            }
            asked += count;
            net.run_for(MS * rng.below(10) as u32);
        }
        net.run_for(Duration::from_secs(10));
        let sum = net.sum(1);
        let refused = (sum.reads_refused, sum.writes_refused);
        assert_eq!(refused, (0, 0), "seed {seed}");
        assert_eq!(sum.reads_served + sum.writes_served, asked, "seed {seed}");
        let longest = net.figures.tenant(base::TenantId(1)).delays().quantile(1.0);
        assert!(longest.unwrap() > 300 * MS, "seed {seed}: nobody waited");
    }
}

/// A second in which tenant 1 loads small values and asks, deep, while tenant 2 takes `share` of
/// the loop; the first's figures.
fn beside(share: f64, value_len: usize) -> crate::ConnectionFigures {
    let mut net = VirtualLoop::new(&free(2));
    net.request_cost = Duration::from_micros(100);
    (0..4).for_each(|link| net.connect(1, link));
    net.connect(2, 9);
    for link in 0..4 {
        net.send(link, sets(1500, value_len));
        net.send(link, "get k\r\n".repeat(3000));
    }
    let each = Duration::from_micros(104).div_f64(share);
    let mut due = NOW;
    while net.now < NOW + Duration::from_secs(1) {
        while due <= net.now {
            net.send(9, "get k\r\n");
            due = due + each;
        }
        net.run_for(each);
    }
    net.sum(1)
}

#[test]
fn one_that_asks_for_little_takes_nothing_from_one_that_loads_in_bulk() {
    let sum = beside(0.02, 10);
    assert_eq!((sum.reads_refused, sum.writes_refused), (0, 0));
}

#[test]
fn beside_others_late_reads_are_refused_and_what_is_cheap_to_store_is_stored() {
    let sum = beside(0.2, 10);
    assert!(sum.reads_refused > 1000, "{}", sum.reads_refused);
    assert_eq!((sum.writes_refused, sum.writes_served), (0, 6000));
    let large = beside(0.2, 2000);
    assert!(large.writes_refused > 1000, "{}", large.writes_refused);
}

#[test]
fn once_the_others_have_gone_nobody_is_refused() {
    let mut net = VirtualLoop::new(&free(2));
    net.request_cost = Duration::from_micros(100);
    (0..4).for_each(|link| net.connect(1, link));
    net.connect(2, 9);
    let turn = |net: &mut VirtualLoop, others: bool| {
        for link in 0..4 {
            net.send(link, "get k\r\n".repeat(100));
        }
        if others {
            net.send(9, "get k\r\n".repeat(40));
        }
        net.run_for(20 * MS);
    };
    (0..50).for_each(|_| turn(&mut net, true));
    let before = net.sum(1).reads_refused;
    assert!(before > 0);
    (0..15).for_each(|_| turn(&mut net, false));
    let while_noticed = net.sum(1).reads_refused;
    (0..50).for_each(|_| turn(&mut net, false));
    assert_eq!(net.sum(1).reads_refused, while_noticed);
}
