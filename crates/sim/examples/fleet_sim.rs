//! How often healthy nodes are taken out, and how soon bad ones: ours beside others' rules.
//!
//! `fleet_sim NODE_HOURS FAULTS SEED`: so many healthy node-hours and so many faults of each kind,
//! over fleets of 6, 30 and 300 nodes. JSON on standard output, a table on standard error.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::rng::Rng;
use sim::judging::{Calm, Fault, FaultKind, FleetShape, Found, Intensity, RuleKind};

/// Nodes and gateways, and for how many hours a fleet runs.
const SHAPES: [(usize, usize, u64); 3] = [(6, 2, 12), (30, 3, 4), (300, 4, 1)];
/// A fault that nobody has found by then goes undetected.
const FAULT_S: u64 = 120;
/// Bounds on detection, in seconds: in [`FaultKind::Bimodal`] it is enough to be suspected.
const NOTICED_S: f64 = 30.0;

#[derive(Clone, Copy)]
enum Task {
    Calm(FleetShape, Duration),
    Fault(FleetShape, FaultKind),
}

#[derive(Default)]
struct Sums {
    /// By nodes of a fleet.
    calm: BTreeMap<usize, Calm>,
    found: Vec<(usize, FaultKind, Vec<Found>)>,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| {
        let given = args.next().and_then(|arg| arg.parse().ok());
        given.unwrap_or(default)
    };
    let (node_hours, faults, seed) = (number(3000), number(100), number(1));
    let tasks = tasks(node_hours, faults, seed);
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(Sums::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&tasks, &next, &sums));
        }
    });
    let sums = sums.into_inner().expect("no thread panics while it adds");
    table(&sums);
    println!("{}", json(&sums, seed));
}

fn tasks(node_hours: u64, faults: u64, seed: u64) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut seeds = Rng::new(seed);
    let mut shape = |nodes, observers| FleetShape {
        nodes,
        observers,
        seed: seeds.next_u64() >> 1,
    };
    // The long ones first, so that both cores end together.
    for (nodes, observers, hours) in SHAPES.into_iter().rev() {
        let runs = (node_hours / 3).div_ceil(hours * nodes as u64);
        let length = Duration::from_secs(hours * 3600);
        tasks.extend((0..runs).map(|_| Task::Calm(shape(nodes, observers), length)));
        for kind in FaultKind::ALL {
            let runs = faults.div_ceil(3);
            tasks.extend((0..runs).map(|_| Task::Fault(shape(nodes, observers), kind)));
        }
    }
    tasks
}

fn work(tasks: &[Task], next: &AtomicUsize, sums: &Mutex<Sums>) {
    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        match *task {
            Task::Calm(shape, length) => {
                let calm = shape.calm(length);
                let mut sums = sums.lock().expect("no thread panics while it adds");
                let sum = sums.calm.entry(shape.nodes).or_default();
                sum.node_hours += calm.node_hours;
                sum.suspicions += calm.suspicions;
                for (rule, count) in calm.ejections {
                    match sum.ejections.iter_mut().find(|it| it.0 == rule) {
                        Some(known) => known.1 += count,
                        None => sum.ejections.push((rule, count)),
                    }
                }
            }
            Task::Fault(shape, kind) => {
                let fault = Fault::draw(&mut Rng::new(shape.seed), kind, Intensity::HeldOut);
                let found = shape.with_fault(fault, Duration::from_secs(FAULT_S));
                let mut sums = sums.lock().expect("no thread panics while it adds");
                sums.found.push((shape.nodes, kind, found));
            }
        }
    }
}

/// Of one kind of fault, by one rule: how many, how many of them found, and after how long.
struct Detection {
    n: usize,
    detected: usize,
    p50_s: Option<f64>,
    p95_s: Option<f64>,
    ejected: usize,
    wrong: f64,
}

fn detection(sums: &Sums, kind: FaultKind, rule: RuleKind) -> Detection {
    let runs = sums.found.iter().filter(|it| it.1 == kind);
    let runs: Vec<&Found> = runs
        .filter_map(|it| it.2.iter().find(|found| found.rule == rule))
        .collect();
    // A node that has a part of slow requests may stay suspect; every other must go.
    let when = |found: &Found| match kind {
        FaultKind::Bimodal => found.noticed_s,
        _ => found.ejected_s,
    };
    let mut after: Vec<f64> = runs.iter().filter_map(|it| when(it)).collect();
    after.retain(|after_s| *after_s <= NOTICED_S);
    after.sort_unstable_by(f64::total_cmp);
    let part = |part: f64| {
        let rank = (runs.len() as f64 * part).ceil() as usize;
        after.get(rank.max(1) - 1).copied()
    };
    Detection {
        n: runs.len(),
        detected: after.len(),
        p50_s: part(0.5),
        p95_s: part(0.95),
        ejected: runs.iter().filter(|it| it.ejected_s.is_some()).count(),
        wrong: runs.iter().map(|it| it.wrong).sum(),
    }
}

fn false_ejections(sums: &Sums, rule: RuleKind) -> f64 {
    let all = sums.calm.values().flat_map(|it| &it.ejections);
    let of_rule = all.filter(|it| it.0 == rule).map(|it| it.1);
    // The sum of nothing is negative zero.
    of_rule.sum::<f64>() + 0.0
}

fn node_hours(sums: &Sums) -> f64 {
    sums.calm.values().map(|it| it.node_hours).sum()
}

fn table(sums: &Sums) {
    let hours = node_hours(sums);
    eprintln!("healthy: {hours:.0} node-hours; nodes taken out in 10,000 of them");
    for rule in RuleKind::ALL {
        let count = false_ejections(sums, rule);
        eprintln!("  {:<10} {:>10.2}", rule.name(), count * 1e4 / hours);
    }
    let suspicions: f64 = sums.calm.values().map(|it| it.suspicions).sum();
    eprintln!(
        "  (only suspected by cofferdam: {:.2})",
        suspicions * 1e4 / hours
    );
    eprintln!(
        "faults: found within {NOTICED_S:.0} s, median and 95th percentile in s, others blamed"
    );
    for kind in FaultKind::ALL {
        for rule in RuleKind::ALL {
            let it = detection(sums, kind, rule);
            let told = |after: Option<f64>| after.map_or("-".into(), |it| format!("{it:.1}"));
            eprintln!(
                "  {:<10} {:<10} {:>5} of {:<5} {:>6} {:>6} {:>6.1}",
                kind.name(),
                rule.name(),
                it.detected,
                it.n,
                told(it.p50_s),
                told(it.p95_s),
                it.wrong
            );
        }
    }
}

fn json(sums: &Sums, seed: u64) -> String {
    let detections = |rule: RuleKind| -> String {
        let one = |kind: &FaultKind| {
            let it = detection(sums, *kind, rule);
            let told = |after: Option<f64>| after.map_or("null".into(), |it| format!("{it:.2}"));
            format!(
                "\"{}\":{{\"n\":{},\"detected\":{},\"p50_s\":{},\"p95_s\":{},\"ejected\":{},\
                 \"others_ejected\":{:.2}}}",
                kind.name(),
                it.n,
                it.detected,
                told(it.p50_s),
                told(it.p95_s),
                it.ejected,
                it.wrong
            )
        };
        let all: Vec<String> = FaultKind::ALL.iter().map(one).collect();
        format!("{{{}}}", all.join(","))
    };
    let peers = RuleKind::ALL.iter().skip(1).map(|rule| {
        format!(
            "\"{}\":{{\"false_ejections\":{:.2},\"detection\":{}}}",
            rule.name(),
            false_ejections(sums, *rule),
            detections(*rule)
        )
    });
    let peers: Vec<String> = peers.collect();
    let fleets = sums.calm.iter().map(|(nodes, calm)| {
        let count: f64 = calm.ejections.iter().take(1).map(|it| it.1).sum();
        format!(
            "\"{nodes}\":{{\"healthy_node_hours\":{:.0},\"false_ejections\":{count:.0},\
             \"suspicions\":{:.0}}}",
            calm.node_hours, calm.suspicions
        )
    });
    let fleets: Vec<String> = fleets.collect();
    format!(
        "{{\"seed\":{seed},\"healthy_node_hours\":{:.0},\"false_ejections\":{:.0},\
         \"detection\":{},\"fleets\":{{{}}},\"peers\":{{{}}}}}",
        node_hours(sums),
        false_ejections(sums, RuleKind::Cofferdam),
        detections(RuleKind::Cofferdam),
        fleets.join(","),
        peers.join(",")
    )
}
